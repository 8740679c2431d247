// The module of step functions as the build has written it (write-step-module.ts): read at the start of a run, compiled once, and shared by
// all hosts.

import { readFileSync } from 'node:fs';
import { builtFile } from './package-file.ts';

export const stepModuleFile = builtFile('workers/step.wasm');

export const readStepModule = (): WebAssembly.Module =>
  new WebAssembly.Module(new Uint8Array(readFileSync(stepModuleFile)));
