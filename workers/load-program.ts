// Loads what the build has made of a program or a thread, with the code into which V8 has compiled it. Parsing and compiling the program anew
// took a third of a short run.
//
// The compiled code lies beside each file, under a name that says for which Node it is, and only if it is not older than the file. V8 itself
// compares its version, its flags and the length of the source; where anything differs, the source is compiled as ever. Nobody but the build
// writes such files.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { setUpHostCompiler } from '../src/engine/wasm/host-compiler.ts';

type Exports = Record<string, unknown>;
type Require = (name: string) => unknown;
/** What a file is, as the build has written it: a function expression, of ASCII characters. */
type Program = (exports: Exports, require: Require, module: { exports: Exports }, __filename: string) => void;

interface LoadedFile {
  readonly script: Script;
  readonly module: { exports: Exports };
}

/** Of this thread, by path. */
const loadedFiles = new Map<string, LoadedFile>();

// The code is for these flags, which engines set later otherwise.
setUpHostCompiler();

const requirePackage = createRequire(import.meta.url);

export const compiledFileOf = (file: string): string =>
  `${file}.${process.platform}-${process.arch}-${process.version}`;

function readCompiled(file: string): Buffer | undefined {
  const compiled = compiledFileOf(file);
  const written = statSync(compiled, { throwIfNoEntry: false });
  if (written === undefined || written.mtimeMs < statSync(file).mtimeMs) return undefined;
  return readFileSync(compiled);
}

function loadFile(file: string): Exports {
  const known = loadedFiles.get(file);
  if (known) return known.module.exports;
  const cachedData = readCompiled(file);
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: pathToFileURL(file).href,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {} };
  loadedFiles.set(file, { script, module });
  const require: Require = (name) =>
    name.startsWith('.') ? loadFile(join(dirname(file), name)) : requirePackage(name);
  (script.runInThisContext() as Program)(module.exports, require, module, file);
  return module.exports;
}

/** Loads the program whose way in (`x.js`, an ES module) lies beside it (`x.cjs`), and returns what it exports. */
export const loadProgram = (wayIn: string): Exports => loadFile(fileURLToPath(wayIn).replace(/\.js$/, '.cjs'));

/** For the build: writes the code of every file that has been loaded so far, unless it is there, with the functions that have been called. */
export function writeCompiledCode(): void {
  for (const [file, { script }] of loadedFiles)
    if (readCompiled(file) === undefined) writeFileSync(compiledFileOf(file), script.createCachedData());
}
