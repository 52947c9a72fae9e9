import tseslint from "typescript-eslint";

const noDefaultExport = { selector: "ExportDefaultDeclaration", message: "Use named exports." };
const noMathRandom = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: "Draw from the seeded generator (math/philox).",
};

export default tseslint.config(
  {
    ignores: [
      "dist",
      "coverage",
      "node_modules",
      "test/golden",
      "unnoise-*",
      "runs",
      ".tmp",
      "bench/dist",
      "bench/peers",
      "assembly",
    ],
  },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "no-restricted-syntax": ["error", noDefaultExport, noMathRandom],
      "no-warning-comments": "error",
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "max-lines": ["error", { max: 500 }],
      "max-lines-per-function": ["error", { max: 35, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["**/*.test.ts", "test/**/*.ts", "bench/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  { files: ["examples/**/*.ts", "bench/**/*.ts"], rules: { "no-console": "off" } },
  { files: ["**/*.config.ts"], rules: { "no-restricted-syntax": "off" } },
);
