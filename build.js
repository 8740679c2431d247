// How what users start is built: programs and threads with what they need, packages and all, in a few files, and the code into which V8 compiles
// them (workers/load-program.ts). With a file for each of 700 sources, loading them took most of the time of a short run.

import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const folder = import.meta.dirname;
const output = join(folder, 'dist');
const main = 'src/cli/main.ts';
/** And what tests start in threads of their own. */
const programs = [
  main,
  'workers/host-thread.ts',
  'workers/litmus-thread.ts',
  'workers/write-step-module.ts',
  'workers/ring.ts',
  'workers/control-block.ts',
];
const loader = ['workers/load-program.ts', 'workers/write-compiled-code.ts'];
const benchmarks = ['bench/main.ts', 'bench/peers.ts', 'bench/litmus.ts', 'bench/sample.ts', 'bench/stress.ts'];

const isPackage = (name) => /^[^./]/.test(name);

async function build(paths, options, isExternal) {
  const bundle = await rolldown({
    cwd: folder,
    input: Object.fromEntries(paths.map((path) => [path.replace(/\.ts$/, ''), path])),
    platform: 'node',
    external: (name) => !paths.includes(name) && isExternal(name),
  });
  const { output: chunks } = await bundle.write({ dir: output, ...options });
  return chunks;
}

/** ES modules, of which packages stay where npm has put them. */
const buildModules = (paths, chunks) =>
  build(paths, { format: 'esm', entryFileNames: '[name].js', chunkFileNames: `${chunks}/[name].js` }, isPackage);

/** Writes a file again in ASCII: V8 keeps text of other characters in twice the memory. */
function writeInAscii({ fileName }) {
  const path = join(output, fileName);
  const escape = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  writeFileSync(path, readFileSync(path, 'utf8').replace(/[^\0-\x7f]/g, escape));
}

/** The licences of packages that are in the files, as they ask for it. */
function writeLicences(chunks) {
  const packageOf = (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
  const packages = new Set(chunks.flatMap(({ moduleIds }) => moduleIds.map(packageOf)).filter(Boolean));
  const texts = [...packages].sort().map((path) => {
    const licence = readdirSync(path).find((name) => /^licen[cs]e/i.test(name));
    return `${basename(path)}\n\n${readFileSync(join(path, licence), 'utf8')}`;
  });
  writeFileSync(join(output, 'LICENSES.txt'), texts.join('\n\n'));
}

/** The way into a program: an ES module that has it loaded. */
function writeWayIn({ name, exports }) {
  const path = join(output, `${name}.js`);
  const names = exports.length > 0 ? `export const { ${exports.join(', ')} } = ` : '';
  const loads = relative(dirname(path), join(output, 'workers/load-program.js'));
  writeFileSync(
    path,
    `#!/usr/bin/env node\nimport { loadProgram } from './${loads}';\n${names}loadProgram(import.meta.url);\n`,
  );
}

rmSync(output, { recursive: true, force: true });
// Piscina starts threads from files beside its own.
const chunks = await build(
  programs,
  {
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name].cjs',
    // One expression, which the loader calls.
    postBanner: '(function (exports, require, module, __filename) {',
    postFooter: '})',
  },
  (name) => name.startsWith('node:') || name === 'piscina',
);
chunks.forEach(writeInAscii);
writeLicences(chunks);
for (const chunk of chunks.filter(({ isEntry }) => isEntry)) writeWayIn(chunk);
await buildModules(loader, 'chunks');
// The package does not have the benchmarks.
await buildModules(benchmarks, 'bench/chunks');

const program = join(output, main.replace(/\.ts$/, '.js'));
chmodSync(program, 0o755);
// Makes the module of step functions from what has just been built.
await import('./dist/workers/write-step-module.js');
// A run of a guest, and what other commands load.
const preload = join(output, 'workers/write-compiled-code.js');
const guest = join(folder, 'tests/guests/bin/wfe-mutex.elf');
for (const words of [
  ['run', guest],
  ['litmus', '--help'],
  ['vm', '--help'],
  ['asm', '--help'],
  ['disasm', '--help'],
])
  execFileSync(process.execPath, ['--import', preload, program, ...words], { stdio: 'ignore' });
