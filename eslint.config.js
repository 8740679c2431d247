import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Where a reading of guest state is a typed-array access whose bounds an invariant holds. */
const hotCode = [
  'src/isa/**',
  'src/engine/**',
  'src/arch/**',
  'src/memory/**',
  'src/memory-model/**',
  'src/explore/**',
  'src/timing/**',
  'actors/**',
  'workers/**',
  'bench/**',
  'tests/**',
];

const noDefaultExport = { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' };
/** V8 keeps an object that is made with an accessor as a hash table: every use of any of its members is ten times slower. */
const noAccessor = {
  selector: 'ObjectExpression > Property[kind!="init"]',
  message: 'Give the object a method in place of an accessor, or make it a class.',
};

export default defineConfig(
  { ignores: ['dist/**', 'coverage/**', 'tests/guests/bin/**', 'tests/vectors/data/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers and booleans are what a simulator prints.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => port.raise(intid)` reads as the sentence it is.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'always' }],
      // A fake port in a test, a device without a write: an empty function is a statement.
      '@typescript-eslint/no-empty-function': 'off',
      // An Activity is a generator also where it has nothing to wait for.
      'require-yield': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', noDefaultExport],
    },
  },
  { files: hotCode, rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  {
    files: [
      'src/arch/**',
      'src/engine/**',
      'src/memory/**',
      'src/hypervisor/**',
      'src/linux-abi/**',
      'actors/**',
      'workers/**',
    ],
    rules: { 'no-restricted-syntax': ['error', noDefaultExport, noAccessor] },
  },
  {
    // Host time and host randomness never reach a simulated value (DESIGN, idea 5).
    files: ['src/**', 'actors/**'],
    ignores: ['src/cli/**'],
    rules: {
      'no-restricted-globals': ['error', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'crypto'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Every random choice comes from the seed.' },
        { object: 'Date', property: 'now', message: 'Time belongs to the conductor.' },
        { object: 'process', property: 'hrtime', message: 'Time belongs to the conductor.' },
      ],
    },
  },
  { files: ['*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['*.js', '*.cjs'], languageOptions: { globals: { module: 'writable', process: 'readonly' } } },
);
