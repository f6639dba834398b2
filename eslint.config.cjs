const globals = require("globals");
const jsdoc = require("eslint-plugin-jsdoc");

// Odoo's scripts are modules that its asset bundler wires together.
module.exports = [
  {
    files: ["**/*.js"],
    plugins: {jsdoc},
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: {...globals.browser, odoo: "readonly", luxon: "readonly"},
    },
    rules: {
      "init-declarations": "error",
      "no-cond-assign": "error",
      "no-debugger": "error",
      "no-dupe-keys": "error",
      "no-duplicate-imports": "error",
      "no-empty-function": "error",
      "no-eq-null": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-lonely-if": "error",
      "no-return-assign": "error",
      "no-throw-literal": "error",
      "no-undef": "error",
      "no-unneeded-ternary": "error",
      "no-unreachable": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": "error",
      "no-use-before-define": "error",
      "prefer-const": "error",
      "spaced-comment": ["error", "always"],
      eqeqeq: "error",
      "jsdoc/check-tag-names": "warn",
      "jsdoc/check-types": "warn",
    },
  },
];
