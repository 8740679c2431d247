// Where a command speaks: results to standard output, everything else to standard error.

export interface Terminal {
  readonly print: (what: string | Uint8Array) => void;
  readonly error: (what: string | Uint8Array) => void;
  /** Shows a line that the next output replaces; does nothing where nobody watches, and in the middle of a line. */
  readonly progress: (line: string) => void;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Carriage return, and Erase in Line (ECMA-48). */
const eraseLine = '\r\u001b[K';
const newline = 0x0a;

/** The process's own streams. A second Ctrl-C ends the process at once. */
export function processTerminal(): Terminal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the output has seen enough.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  let isLineStart = true;
  let isShown = false;
  const clear = (): void => {
    if (isShown) process.stderr.write(eraseLine);
    isShown = false;
  };
  const write = (stream: NodeJS.WriteStream, what: string | Uint8Array): void => {
    clear();
    if (what.length > 0) isLineStart = typeof what === 'string' ? what.endsWith('\n') : what.at(-1) === newline;
    stream.write(what);
  };
  return {
    print: (what) => {
      write(process.stdout, what);
    },
    error: (what) => {
      write(process.stderr, what);
    },
    progress: (line) => {
      if (!process.stderr.isTTY || !isLineStart) return;
      process.stderr.write(`${eraseLine}${line}`);
      isShown = true;
    },
    signal: stop.signal,
  };
}
