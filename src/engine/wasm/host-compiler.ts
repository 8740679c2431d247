// How the host's compiler of WebAssembly is to be set, before modules are compiled.

import { setFlagsFromString } from 'node:v8';
import { letHostReadHints } from './branch-hints.ts';

/**
 * Lets V8 read branch hints, and switches its move optimiser off. Where two ways join, that pass takes moves for the same that differ in their
 * width alone: a register which held a zero-extended 32-bit value on one of them is then loaded from the stack by 32 bits on both, and a guest's
 * register loses its upper half.
 */
export function setUpHostCompiler(): void {
  letHostReadHints();
  setFlagsFromString('--no-turbo-move-optimization');
}
