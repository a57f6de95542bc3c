import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('..', import.meta.url)) } },
    rules: {
      'eqeqeq': 'error',
      'no-console': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // Indices into tables of fixed size are in range by construction; the compiler cannot see that.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // A pooled object hands itself to callbacks that are called with a socket as `this`.
      '@typescript-eslint/no-this-alias': 'off',
    },
  },
  {
    files: ['src/{bytes,packet,config,store,session,nodes,upstream,gateway,sensors,io}/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'console', 'process', 'Buffer', 'setTimeout', 'setInterval', 'queueMicrotask', 'performance', 'Date', 'TextEncoder', 'TextDecoder'],
    },
  },
);
