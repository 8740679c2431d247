// The module of step functions as a file beside this one: written by the build (`node dist/workers/step-module.js`), read at the start
// of a run, compiled once and shared by all hosts.

import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { encodeStepModule } from '../src/engine/step-module.ts';

const file = new URL('./step.wasm', import.meta.url);

export const readStepModule = (): WebAssembly.Module => new WebAssembly.Module(new Uint8Array(readFileSync(file)));

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, encodeStepModule());
