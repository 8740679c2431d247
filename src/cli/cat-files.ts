// Cat files on disk: a model and what it includes, from the folder of the file or from the models that come with Heddle.

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FindFile } from '../memory-model/cat/compile-instructions.ts';
import type { Source } from '../memory-model/cat/source.ts';
import { readInput } from './input.ts';

/** The package ships them as text beside the sources of the memory model. */
const shipped = fileURLToPath(
  new URL(`${import.meta.url.includes('/dist/src/') ? '../../../src' : '..'}/memory-model/models/`, import.meta.url),
);

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

const read = (path: string): Source => ({ path, text: new TextDecoder().decode(readInput(path).bytes) });

export const findCatFile: FindFile = (name, includedBy) =>
  [join(dirname(includedBy.path), name), join(shipped, name)].filter(isFile).map(read)[0];

/** The models that Heddle itself is checked against, by their names on the command line. */
const ownModels: ReadonlyMap<string, string> = new Map([
  ['arm', 'aarch64.cat'],
  ['tso', 'tso.cat'],
  ['sc', 'sc.cat'],
]);

/** A model by its name, or a file of the user. */
export function readCatFile(nameOrPath: string): Source {
  const own = ownModels.get(nameOrPath);
  return read(own === undefined ? nameOrPath : join(shipped, own));
}
