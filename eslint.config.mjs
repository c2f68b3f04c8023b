import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/**", "rehearsal/tools/go/**"] },
  ...tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-properties": [
        "error",
        { object: "child_process", property: "exec", message: "argv arrays only: execFile or spawn." },
        { object: "child_process", property: "execSync", message: "argv arrays only: execFileSync." },
      ],
      eqeqeq: "error",
      "max-lines": ["error", { max: 300 }],
    },
  },
  { files: ["**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
  {
    files: ["components/**/*.ts", "index.ts", "config.ts"],
    rules: { "no-console": "error" },
  },
);
