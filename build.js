// How what users start is built: each program and each thread is one file with what it needs, and what they share is in dist/chunks. With a
// file for each of 700 sources, loading them took most of the time of a short run. Packages stay where npm has put them.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const folder = import.meta.dirname;
/** And what tests start in threads of their own. */
const programs = [
  'src/cli/main.ts',
  'workers/host-thread.ts',
  'workers/litmus-thread.ts',
  'workers/write-step-module.ts',
  'workers/ring.ts',
  'workers/control-block.ts',
];
const benchmarks = ['bench/main.ts', 'bench/peers.ts', 'bench/litmus.ts', 'bench/sample.ts', 'bench/stress.ts'];

const build = async (paths, chunks) => {
  const bundle = await rolldown({
    cwd: folder,
    input: Object.fromEntries(paths.map((path) => [path.replace(/\.ts$/, ''), path])),
    platform: 'node',
    external: (name) => /^[^./]/.test(name) && !paths.includes(name),
  });
  await bundle.write({
    dir: join(folder, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${chunks}/[name].js`,
  });
};

await build(programs, 'chunks');
// The package does not have the benchmarks.
await build(benchmarks, 'bench/chunks');
chmodSync(join(folder, 'dist/src/cli/main.js'), 0o755);
// Makes the module of step functions from what has just been built.
await import('./dist/workers/write-step-module.js');
