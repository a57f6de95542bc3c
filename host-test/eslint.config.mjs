/**
 * npm run check: the rules that a machine keeps. Architecture and allocation are in source-rules.test.ts, unused
 * exports in knip.config.mjs.
 */
import { fileURLToPath } from 'node:url';
import stylistic from '@stylistic/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Files that do not keep a rule yet. An entry goes as soon as its files do. */
export const NOT_YET = {
  /** Source files of at most 300 lines. */
  length: [
    'src/session/{client-session,outbound-queue,server-session}.ts',
    'src/packet/packet-parser.ts', 'src/store/message-queue.ts', 'src/upstream/{backlog,bridge}.ts',
  ],
};

/** A rule for files, with those that do not keep it yet left out. */
const rule = (files, rules, ignores) => ({ files, rules, ...ignores.length > 0 && { ignores } });

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommended],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('..', import.meta.url)) },
    },
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
    files: ['src/{bytes,packet,config,store,session,nodes,upstream,gateway,sensors,io}/**/*.ts', 'src/web/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'console', 'process', 'Buffer', 'setTimeout', 'setInterval', 'queueMicrotask',
        'performance', 'Date', 'TextEncoder', 'TextDecoder'],
    },
  },
  { plugins: { '@stylistic': stylistic } },
  // A text stands in one piece, however long it is: whoever reads it in a log finds it in the source.
  rule(['**/*.{ts,mjs}'], { '@stylistic/max-len': ['error', {
    code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true,
  }] }, []),
  rule(['**/*.{ts,mjs}'], { 'max-params': ['error', 5] }, []),
  rule(['src/**/*.{ts,mjs}'], { 'max-lines': ['error', 300] }, NOT_YET.length),
);
