// What the threads of a run share besides the mailboxes: who works now, what the run's end is, and the log of written code.
//
// Under lockstep one host works at a time. The conductor, on host 0, leaves a command in the block of another host, rings its
// doorbell, and waits for it to be done; a host that waits sleeps, after a short spin.

/** Ways in which an actor ends the run. */
export const stopReason = { none: 0, exit: 1, systemOff: 2, systemReset: 3, guestError: 4 } as const;

const sharedWords = { stopReason: 0, exitCode: 1, aborted: 2, codeWrites: 3, outputs: 4 } as const;

/** Lines of code written to, by number; a host that falls further behind forgets all of its translated code. A power of two. */
export const codeLogEntries = 4096;

/** Words of each host's block, after the shared ones. */
const hostWords = { doorbell: 0, command: 1, done: 2, kind: 3, firstCore: 4, lastCore: 5, alone: 6, withDevices: 7, core: 8, forwarded: 9 } as const; // prettier-ignore
const hostNumbers = { until: 0, instructionsLeft: 1, first: 2, others: 3, instructions: 4 } as const;
const blockWords = 16;
const blockNumbers = 5;
const sharedBlockWords = 16;

/** A waiting host looks this often before it sleeps: waking a sleeper costs microseconds, and so does spinning for nothing. */
const spins = 2000;

export const commandKind = { outlook: 1, run: 2, finish: 3 } as const;

export interface Command {
  kind: number;
  untilTicks: number;
  firstCore: number;
  lastCore: number;
  alone: boolean;
  withDevices: boolean;
  instructionsLeft: number;
}

export interface Reply {
  first: number;
  core: number;
  others: number;
  instructions: number;
  /** Bit n: a message has gone to host n. */
  forwarded: number;
}

/** Most hosts of a run: the bits of `forwarded`. */
export const maxHosts = 32;

export interface ControlBlock {
  stop(reason: number, exitCode: number): void;
  stopReason(): number;
  exitCode(): number;
  abort(): void;
  aborted(): boolean;
  /** Conductor: sends a command; `idle` is called while the host is at work. */
  command(host: number, command: Command, idle: () => void): Reply;
  /** Conductor: the run is over for this host. */
  finish(host: number): void;
  /** Host: waits for the next command; `idle` is called when something else rings. */
  await(host: number, idle: () => void): Command;
  reply(host: number, reply: Reply): void;
  /** Conductor: how far the run has come, for whoever watches. */
  readonly setProgress: (ticks: number, instructions: number) => void;
  progress(): { readonly ticks: number; readonly instructions: number };
  /** Wakes a host so that it drains its mailboxes. */
  ring(host: number): void;
  logCodeWrite(line: number): void;
  /** Position of what a host tells the world outside: hosts work one at a time, so that it is the same in every run. */
  nextOutput(): number;
  /** Lines written since `from` (a count, modulo 2^32), or undefined if the log has forgotten some; and the new count. */
  codeWritesSince(from: number): { readonly lines: readonly number[] | undefined; readonly count: number };
}

export function controlBuffer(hosts: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (sharedBlockWords + codeLogEntries + hosts * blockWords) + 8 * hosts * blockNumbers);
}

export function openControlBlock(buffer: SharedArrayBuffer, hosts: number): ControlBlock {
  const words = new Int32Array(buffer, 0, sharedBlockWords + codeLogEntries + hosts * blockWords);
  const numbers = new Float64Array(buffer, words.byteLength, hosts * blockNumbers);
  const word = (host: number, name: keyof typeof hostWords): number =>
    sharedBlockWords + codeLogEntries + host * blockWords + hostWords[name];
  const number = (host: number, name: keyof typeof hostNumbers): number => host * blockNumbers + hostNumbers[name];

  const progressNumbers = { ticks: number(0, 'until'), instructions: number(0, 'instructions') } as const;
  const codeLogWord = (count: number): number => sharedBlockWords + (count & (codeLogEntries - 1));

  /** Waits until the counter differs from `old`, with `idle` at every wake-up. */
  function waitForChange(counter: number, old: number, doorbell: number, idle: () => void): void {
    for (let spin = 0; spin < spins; spin += 1) if (Atomics.load(words, counter) !== old) return;
    for (;;) {
      const rung = Atomics.load(words, doorbell);
      if (Atomics.load(words, counter) !== old) return;
      idle();
      Atomics.wait(words, doorbell, rung);
    }
  }

  function ring(host: number): void {
    Atomics.add(words, word(host, 'doorbell'), 1);
    Atomics.notify(words, word(host, 'doorbell'));
  }

  return {
    stop: (reason, exitCode) => {
      if (Atomics.compareExchange(words, sharedWords.stopReason, stopReason.none, reason) === stopReason.none) {
        words[sharedWords.exitCode] = exitCode;
      }
    },
    // Plain, since the conductor asks before every window: a host says that it has stopped before it answers, which is an Atomics operation.
    stopReason: () => {
      return words[sharedWords.stopReason] as number;
    },
    // Host 0 conducts and has no use for the numbers of its own block.
    setProgress: (ticks, instructions) => {
      numbers[progressNumbers.ticks] = ticks;
      numbers[progressNumbers.instructions] = instructions;
    },
    progress: () => {
      const [ticks, instructions] = [numbers[progressNumbers.ticks], numbers[progressNumbers.instructions]];
      return { ticks: ticks as number, instructions: instructions as number };
    },
    exitCode: () => {
      return words[sharedWords.exitCode] as number;
    },
    abort: () => {
      Atomics.store(words, sharedWords.aborted, 1);
    },
    // Plain: whoever does not see it yet sees it before one of the next windows.
    aborted: () => {
      return words[sharedWords.aborted] === 1;
    },
    command: (host, command, idle) => {
      words[word(host, 'kind')] = command.kind;
      words[word(host, 'firstCore')] = command.firstCore;
      words[word(host, 'lastCore')] = command.lastCore;
      words[word(host, 'alone')] = command.alone ? 1 : 0;
      words[word(host, 'withDevices')] = command.withDevices ? 1 : 0;
      numbers[number(host, 'until')] = command.untilTicks;
      numbers[number(host, 'instructionsLeft')] = command.instructionsLeft;
      const done = Atomics.load(words, word(host, 'done'));
      Atomics.add(words, word(host, 'command'), 1);
      ring(host);
      waitForChange(word(host, 'done'), done, word(0, 'doorbell'), idle);
      return {
        first: numbers[number(host, 'first')] as number,
        core: words[word(host, 'core')] as number,
        others: numbers[number(host, 'others')] as number,
        instructions: numbers[number(host, 'instructions')] as number,
        forwarded: words[word(host, 'forwarded')] as number,
      };
    },
    finish: (host) => {
      words[word(host, 'kind')] = commandKind.finish;
      Atomics.add(words, word(host, 'command'), 1);
      ring(host);
    },
    await: (host, idle) => {
      waitForChange(word(host, 'command'), Atomics.load(words, word(host, 'done')), word(host, 'doorbell'), idle);
      return {
        kind: words[word(host, 'kind')] as number,
        untilTicks: numbers[number(host, 'until')] as number,
        firstCore: words[word(host, 'firstCore')] as number,
        lastCore: words[word(host, 'lastCore')] as number,
        alone: words[word(host, 'alone')] === 1,
        withDevices: words[word(host, 'withDevices')] === 1,
        instructionsLeft: numbers[number(host, 'instructionsLeft')] as number,
      };
    },
    reply: (host, { first, core, others, instructions, forwarded }) => {
      numbers[number(host, 'first')] = first;
      words[word(host, 'core')] = core;
      numbers[number(host, 'others')] = others;
      numbers[number(host, 'instructions')] = instructions;
      words[word(host, 'forwarded')] = forwarded;
      Atomics.add(words, word(host, 'done'), 1);
      ring(0);
    },
    ring,
    nextOutput: () => Atomics.add(words, sharedWords.outputs, 1),
    logCodeWrite: (line) => {
      const count = Atomics.load(words, sharedWords.codeWrites);
      words[codeLogWord(count)] = line;
      Atomics.store(words, sharedWords.codeWrites, count + 1);
    },
    codeWritesSince: (from) => {
      const count = Atomics.load(words, sharedWords.codeWrites);
      if (((count - from) | 0) > codeLogEntries) return { lines: undefined, count };
      const lines: number[] = [];
      for (let n = from; n !== count; n = (n + 1) | 0) lines.push(words[codeLogWord(n)] as number);
      return { lines, count };
    },
  };
}
