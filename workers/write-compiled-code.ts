// A part of the build, loaded before a program: when the program ends it leaves the compiled code of what the program has loaded. A thread has
// no such end; what threads load is loaded here.

import { loadProgram, writeCompiledCode } from './load-program.ts';

const threads = ['host-thread.js', 'litmus-thread.js'];

process.on('exit', () => {
  for (const thread of threads) loadProgram(new URL(thread, import.meta.url).href);
  writeCompiledCode();
});
