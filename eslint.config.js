import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import { defineConfig, globalIgnores } from "eslint/config";
import ts from "typescript-eslint";

/** `JSON.parse(…) as T` says that bytes are what we wish; parse and check them (format/parse). */
const castOfParsedInput = {
  selector:
    "TSAsExpression > CallExpression.expression[callee.object.name='JSON'][callee.property.name='parse']",
  message: "Parse, don't cast: check the value where it enters.",
};
const defaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Named exports only: a name that every importer shares can be searched for.",
};
const exportAll = {
  selector: "ExportAllDeclaration[exportKind='value']",
  message: "Name what you export.",
};

export default defineConfig(
  // `assembly/` is AssemblyScript, whose types are not those of TypeScript.
  globalIgnores(["dist/", ".cache/", "test-results/", "playwright-report/", "tests/fixtures/", "assembly/"]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  svelte.configs.recommended,
  svelte.configs.prettier,
  {
    languageOptions: {
      ecmaVersion: 2023,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
      },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "error",
      "no-restricted-syntax": ["error", castOfParsedInput],
      "object-shorthand": "error",
      "prefer-template": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      // A `default` that ends in `satisfies never` is checked by tsc; one over `typeof` need not list the rest.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // `noUncheckedIndexedAccess` would otherwise ask for a branch in every loop over numbers.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" },
      ],
      // `${count} steps` is how messages are written.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `async` because the interface is; another implementation awaits.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["src/**"],
    rules: { "no-restricted-syntax": ["error", castOfParsedInput, defaultExport, exportAll] },
  },
  {
    files: ["src/main.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser } },
    rules: {
      // `let { a = 1 } = $props()` is how Svelte declares them.
      "prefer-const": "off",
      // Templates reach these rules without their types; svelte-check has them.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    files: ["tests/**"],
    rules: {
      // Playwright reads the fixtures that are needed from the pattern, which may be empty.
      "no-empty-pattern": "off",
      // Faults are planted by wrapping methods of the platform's prototypes.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // Scripts and plain pages are checked by tsc through JSDoc; type-aware rules add little there and cost seconds.
    files: ["**/*.js", "**/*.mjs"],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
);
