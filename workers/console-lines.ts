// Console bytes on their way out of a thread, gathered: a message between threads for each character of a UART costs as much as
// tens of thousands of simulated instructions. A line goes when it is complete, or long; what a guest has left unfinished, a prompt, goes
// when nothing has come for some windows.

/** Longer lines go in parts. */
const mostBytes = 4096;
/** Windows are at most 4 ms of simulated time, usually far less, turns under `parallel` a millisecond of the host's: nobody sees so short a wait. */
const quietWindows = 32;

const newline = 0x0a;

export interface ConsoleLines {
  readonly write: (bytes: ArrayLike<number>, source?: string) => void;
  /** A window, or a turn, is over. */
  readonly windowPassed: () => void;
  /** Sends what is there. */
  readonly flush: () => void;
}

/** `send` copies the bytes. `isAlone`: no other thread says anything; otherwise what a window says leaves with it, so that all of it comes out in simulated order. */
export function consoleLines(send: (bytes: Uint8Array, source?: string) => void, isAlone: boolean): ConsoleLines {
  const line = new Uint8Array(mostBytes);
  let length = 0;
  let of: string | undefined;
  let quiet = 0;

  function flush(): void {
    if (length === 0) return;
    const bytes = line.subarray(0, length);
    length = 0;
    send(bytes, of);
  }

  return {
    write: (bytes, source) => {
      if (source !== of) flush();
      of = source;
      quiet = 0;
      for (let n = 0; n < bytes.length; n += 1) {
        line[length++] = bytes[n] as number;
        if (length === mostBytes) flush();
      }
      if (bytes[bytes.length - 1] === newline) flush();
    },
    windowPassed: () => {
      if (length === 0) return;
      quiet += 1;
      if (!isAlone || quiet >= quietWindows) flush();
    },
    flush,
  };
}
