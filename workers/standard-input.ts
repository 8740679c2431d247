// Standard input of the process, for a program that reads it: the run waits. What a program is given does not depend on how the bytes arrive,
// but on what they are: it is given as many as it asks for, or all there are before the end; on a terminal a line at a time.

import { readSync } from 'node:fs';
import { isatty } from 'node:tty';

const descriptor = 0;
const retryMs = 10;

/** One read of the host, which may be told to come again. */
function readOnce(buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(descriptor, buffer, 0, buffer.length, null);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') return 0;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}

export function readStandardInput(sizeBytes: number): Uint8Array {
  const buffer = new Uint8Array(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const count = readOnce(buffer.subarray(filled));
    filled += count;
    if (count === 0 || isatty(descriptor)) break;
  }
  return buffer.subarray(0, filled);
}
