/**
 * `docs/api.md` from the sources: every export of the library's entries, its declaration as a page's compiler sees it,
 * and what its comment says. So there is one text, and it stands beside the code.
 */
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import ts from "typescript";
import { ENTRIES } from "./package.mjs";
import { ROOT } from "./process.mjs";

export const API = join(ROOT, "docs", "api.md");

const HEAD = `# API

<!-- Made from the sources by \`npm run api\`: change the comments there. -->

Steps: _S_t_ is the state after _t_ updates, and loss _t_ belongs to the update that made _S_t_, so losses begin at
step 1. Times are milliseconds, sizes bytes, seeds whole numbers from 0 to 2^53 − 1. Every error is a \`HoldfastError\`
whose \`code\` says what happened; what a call throws stands with it. What your own functions throw comes through
as it is, or as the \`cause\` of an \`internal\` one. [library.md](library.md) says how the parts go
together.
`;

/** What each entry is for. @type {Readonly<Record<keyof typeof ENTRIES, string>>} */
const INTRODUCTIONS = {
  ".": "The store, runs, trainers of plain arrays, and random numbers that need no state. Depends on nothing.",
  "./tfjs":
    "Models and variables of TensorFlow.js. Imports nothing of it: the page passes in its own `tf`, whatever brought it.",
  "./optimizers":
    "Holdfast's own optimizers for variables of TensorFlow.js. Imports `@tensorflow/tfjs-core`, which the page has installed.",
  "./bundles": "Files without a store, in a page, a worker or Node.",
};

/**
 * @typedef {object} Export
 * @property {string} name
 * @property {boolean} isValue or else only a type
 * @property {string} declaration without its comment
 * @property {string} text of its comment
 * @property {readonly string[]} examples
 * @property {readonly string[]} named types of ours that the declaration names
 */

/** @returns {ReadonlyMap<string, readonly Export[]>} by the names that pages import */
export function readApi() {
  const config = ts.getParsedCommandLineOfConfigFile(join(ROOT, "tsconfig.package.json"), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
    },
  });
  if (config === undefined) throw new Error("tsconfig.package.json cannot be read.");
  const program = ts.createProgram(config.fileNames, config.options);
  const declared = emitted(program);
  const checker = program.getTypeChecker();
  return new Map(
    Object.entries(ENTRIES).map(([path, file]) => {
      const source = program.getSourceFile(join(ROOT, "src", `${file}.ts`));
      const module = source && checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`src/${file}.ts exports nothing.`);
      const exports = checker.getExportsOfModule(module).map((symbol) => exported(symbol, checker, declared));
      return [join("holdfast", path), exports];
    }),
  );
}

/** Statements of the declaration files by source file and name. @param {ts.Program} program */
function emitted(program) {
  /** @type {Map<string, ts.Statement>} */
  const statements = new Map();
  program.emit(undefined, (_file, text, _mark, _error, sources) => {
    const [source] = sources ?? [];
    if (source === undefined) return;
    const parsed = ts.createSourceFile(source.fileName, text, ts.ScriptTarget.Latest, true);
    for (const statement of parsed.statements) {
      for (const name of namesOf(statement)) statements.set(`${source.fileName} ${name}`, statement);
    }
  });
  return statements;
}

/** @param {ts.Statement} statement @returns {readonly string[]} */
function namesOf(statement) {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  )
    return statement.name === undefined ? [] : [statement.name.text];
  return [];
}

/** Names of types that a page's compiler has to look up. @param {ts.Node} node @returns {readonly string[]} */
function typesOf(node) {
  const name = ts.isTypeReferenceNode(node)
    ? node.typeName
    : ts.isExpressionWithTypeArguments(node)
      ? node.expression
      : null;
  /** @type {string[]} */
  const inside = [];
  ts.forEachChild(node, (child) => void inside.push(...typesOf(child)));
  return [...new Set(name === null ? inside : [name.getText(), ...inside])];
}

/**
 * @param {ts.Symbol} symbol
 * @param {ts.TypeChecker} checker
 * @param {ReadonlyMap<string, ts.Statement>} declared
 * @returns {Export}
 */
function exported(symbol, checker, declared) {
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const [place] = real.declarations ?? [];
  const statement = declared.get(`${place?.getSourceFile().fileName} ${real.name}`);
  if (statement === undefined) throw new Error(`The declaration of ${symbol.name} was not found.`);
  const isTypeOnly = (symbol.declarations ?? []).some(
    (node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly),
  );
  return {
    name: symbol.name,
    isValue: !isTypeOnly && (real.flags & ts.SymbolFlags.Value) !== 0,
    declaration: withoutModifiers(statement),
    text: ts.displayPartsToString(real.getDocumentationComment(checker)).trim(),
    examples: real
      .getJsDocTags(checker)
      .filter(({ name }) => name === "example")
      .map(({ text }) => ts.displayPartsToString(text).trim()),
    named: typesOf(statement).filter((name) => [...declared.keys()].some((key) => key.endsWith(` ${name}`))),
  };
}

/** Private members are emitted as their bare names; nobody can use them. @param {ts.Statement} statement */
function withoutModifiers(statement) {
  return statement
    .getText()
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replace(/^\s*#private;\n/gm, "");
}

/** The document, formatted as all others. @param {ReadonlyMap<string, readonly Export[]>} api */
export async function apiText(api) {
  const parts = [...api].map(([entry, exports], index) => {
    const introduction = Object.values(INTRODUCTIONS)[index] ?? "";
    const values = exports.filter(({ isValue }) => isValue).map(section);
    const types = exports.filter(({ isValue }) => !isValue).map(section);
    return [
      `## \`${entry}\``,
      introduction,
      ...values,
      ...(types.length > 0 ? [`### Types of \`${entry}\``, ...types] : []),
    ].join("\n\n");
  });
  const text = `${HEAD}\n${parts.join("\n\n")}\n`;
  return format(text, { ...(await resolveConfig(API)), filepath: API });
}

/** @param {Export} one */
function section({ name, isValue, declaration, text, examples }) {
  return [
    `${isValue ? "###" : "####"} \`${name}\``,
    text.replace(/\n/g, " "),
    `\`\`\`ts\n${declaration}\n\`\`\``,
    ...examples.map((code) => `\`\`\`ts\n${code}\n\`\`\``),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
