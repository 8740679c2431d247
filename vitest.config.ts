import { configDefaults, defineConfig } from 'vitest/config';

/** Run by `npm run programs:compare`: they take some minutes. */
const longForms = process.env.HEDDLE_PROGRAMS === 'all' ? [] : ['tests/linux-abi/programs/**'];

export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/set-up.ts'],
    exclude: [...configDefaults.exclude, ...longForms],
    // One process per test file: a test that starts actor hosts gets an event loop and a heap of its own.
    pool: 'forks',
    // A run on many cores already fills two host threads; more test files at once only make timeouts less telling.
    maxWorkers: 2,
    // A machine of 1,024 cores may take its 60 s; such a test asks for more by itself.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Suites that meet a missing tool say so as a test name ("skipped: no qemu"); a run without any test is a fault.
    passWithNoTests: false,
  },
});
