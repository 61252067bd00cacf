/** Every import of a source file, read from its syntax tree: static, side-effect, dynamic, of types, of workers. */
import ts from "typescript";

/**
 * `value`: runs the other file. `type`: gone after compilation. `worker`: an address for `new Worker`, so the
 * other file runs, but in a thread of its own. `unknown`: computed when it runs, so nobody can check it.
 */
export type ImportKind = "value" | "type" | "worker" | "unknown";

export interface Import {
  readonly kind: ImportKind;
  readonly target: string;
}

const SCRIPT = /<script\b[^>]*>([\s\S]*?)<\/script>/g;

/** A file is asked for again by each test that plants something beside it. */
const read = new Map<string, readonly Import[]>();

export function importsOf(path: string, text: string): readonly Import[] {
  const key = `${path}\n${text}`;
  const known = read.get(key);
  if (known !== undefined) return known;
  const code = path.endsWith(".svelte")
    ? [...text.matchAll(SCRIPT)].map((match) => match[1]).join("\n")
    : text;
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const one = importAt(node);
    if (one !== undefined) found.push(one);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, code, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS));
  read.set(key, found);
  return found;
}

function importAt(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    return { kind: isTypeOnly(node.importClause) ? "type" : "value", target: literal(node.moduleSpecifier) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const { exportClause } = node;
    const named = exportClause !== undefined && ts.isNamedExports(exportClause) ? exportClause.elements : [];
    const onlyTypes = node.isTypeOnly || (named.length > 0 && named.every((element) => element.isTypeOnly));
    return { kind: onlyTypes ? "type" : "value", target: literal(node.moduleSpecifier) };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { kind: "type", target: literal(node.argument.literal) };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return called("value", node);
  if (
    ts.isNewExpression(node) &&
    node.expression.getText() === "URL" &&
    node.arguments?.[1]?.getText() === "import.meta.url"
  ) {
    const { target } = called("worker", node);
    // Other files that are found by address (wasm, pictures) are not source.
    return target.endsWith(".ts") ? { kind: "worker", target: target.slice(0, -".ts".length) } : undefined;
  }
  return undefined;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // Imported for its side effect.
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function called(kind: ImportKind, node: ts.CallExpression | ts.NewExpression): Import {
  const target = node.arguments?.[0];
  if (target !== undefined && ts.isStringLiteralLike(target)) return { kind, target: target.text };
  return { kind: "unknown", target: target?.getText() ?? "" };
}

function literal(node: ts.Node): string {
  return ts.isStringLiteral(node) ? node.text : node.getText();
}
