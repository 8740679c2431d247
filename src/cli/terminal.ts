// Where a command speaks: results to standard output, everything else to standard error.

export interface Terminal {
  readonly print: (what: string | Uint8Array) => void;
  readonly error: (what: string | Uint8Array) => void;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The process's own streams. A second Ctrl-C ends the process at once. */
export function processTerminal(): Terminal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the output has seen enough.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    print: (what) => process.stdout.write(what),
    error: (what) => process.stderr.write(what),
    signal: stop.signal,
  };
}
