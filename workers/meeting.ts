// What the threads of a run under `parallel` share besides the mailboxes: who sleeps, who has left translated code, how the run ends, how
// many instructions it may still take, and what code has been written.
//
// Nobody is woken in vain and no wake-up is lost: who is about to sleep first says so and then looks at its mailboxes once more;
// who sends first publishes and then looks who sleeps. All asleep means that nothing happens before the first timer: the last to fall
// asleep closes the meeting, so that nobody wakes meanwhile, looks whether a message is under way, and skips the time until then.

import type { Ticks } from '../actors/actor.ts';

/** How a run ends. */
export const meetingEnd = { none: 0, stopped: 1, aborted: 2, deadlock: 3, maxInstructions: 4, maxTime: 5 } as const;

/** Lines of code written to, of each writer; a host that falls further behind forgets all of its translated code. A power of two. */
const logEntries = 1024;

const sharedWords = { end: 0, asleep: 1, work: 2, codeWrites: 3, ready: 4 } as const;
const hostWords = { doorbell: 0, state: 1, passages: 2, looked: 3, mustLook: 4, codeWrites: 5 } as const;
/** What a host does: runs code, sleeps, or waits for others in the midst of an instruction. */
const hostState = { working: 0, asleep: 1, waiting: 2 } as const;
/** The words of a host lie apart from those of others. */
const blockWords = 32;

/** In `asleep`: nobody may wake. */
const closed = 1 << 16;

/** A wait for others looks so often before it sleeps, and then sleeps so long between two looks. */
const looksBeforeSleep = 1000;
const shortSleepMs = 0.05;
/** Who waits for the others to be ready looks at its mailboxes so often. */
const readySleepMs = 10;

/** Time that is shorter is not worth skipping: it passes while a thread wakes. */
const shortTicks = 50_000;

/** In place of a number of instructions: the run may take as many as it likes. */
const unbounded = 1n << 62n;

export const meetingBuffer = (hosts: number): SharedArrayBuffer =>
  new SharedArrayBuffer(4 * (blockWords + hosts * (blockWords + logEntries)) + 8 * (2 + 2 * hosts));

export interface Meeting {
  /** Returns when all hosts have called it; `receive` is called meanwhile. */
  awaitReady(receive: () => void): void;
  /** The run ends; the first to say how decides. */
  end(how: number): void;
  /** A number of `meetingEnd`. */
  ended(): number;
  /** This host is outside translated code. */
  passed(): void;
  /** Returns when every other host has been outside translated code, or is. */
  readonly awaitOthers: () => void;
  /** A message for the host has been published. */
  wake(host: number): void;
  /** How often this host has been rung up to now. */
  rings(): number;
  /**
   * This host has nothing to do before `dueTicks`; it must look at its mailboxes once more before it sleeps. `hasWorked`: since it fell
   * asleep last. `mustLook`: cores of it wait for what no message may tell; they are to have a look before time is skipped.
   */
  fallAsleep(dueTicks: Ticks, hasWorked: boolean, mustLook: boolean): void;
  /** Returns when the host is rung, or has been since `rings`. */
  sleep(rings: number, milliseconds: number): void;
  wakeUp(): void;
  /** This host has had its look. */
  looked(): void;
  /** Asked by a host that has fallen asleep: if all sleep and no message is under way, the time to the first timer is skipped, or the run ends. */
  conclude(now: () => Ticks, isUnderWay: () => boolean): void;
  /** Ticks that have been skipped. */
  skipped(): Ticks;
  /** Takes at most `wanted` of the instructions that the run has left. */
  claim(wanted: number): number;
  giveBack(instructions: number): void;
  setInstructions(count: number): void;
  instructions(): number;
  readonly logCodeWrite: (line: number) => void;
  /** Calls `hear` with the lines that another host has written to since the last call; undefined: more than is known. */
  codeWrites(hear: (lines: readonly number[] | undefined) => void): void;
}

/** The meeting as one host sees it, or with -1 whoever watches. */
export function openMeeting(buffer: SharedArrayBuffer, hosts: number, self: number): Meeting {
  const wordCount = blockWords + hosts * (blockWords + logEntries);
  const words = new Int32Array(buffer, 0, wordCount);
  const left = new BigInt64Array(buffer, 4 * wordCount, 1);
  const numbers = new Float64Array(buffer, 4 * wordCount + 8);
  const word = (host: number, name: keyof typeof hostWords): number => blockWords * (host + 1) + hostWords[name];
  const isBounded = (left[0] as bigint) < unbounded;
  const log = (host: number, count: number): number =>
    blockWords * (hosts + 1) + host * logEntries + (count & (logEntries - 1));
  const skippedNumber = 0;
  const dueNumber = (host: number): number => 1 + 2 * host;
  const instructionsNumber = (host: number): number => 2 + 2 * host;
  const all = Array.from({ length: hosts }, (_, host) => host);
  const others = all.filter((host) => host !== self);
  const heard = new Int32Array(hosts);
  let heardOfAll = 0;

  const load = (at: number): number => Atomics.load(words, at);
  const ended = (): boolean => load(sharedWords.end) !== meetingEnd.none;

  function ring(host: number): void {
    Atomics.add(words, word(host, 'doorbell'), 1);
    Atomics.notify(words, word(host, 'doorbell'));
  }

  function end(how: number): void {
    Atomics.compareExchange(words, sharedWords.end, meetingEnd.none, how);
    for (const host of all) ring(host);
  }

  /** What the last one to fall asleep does while the meeting is closed. */
  function skip(now: Ticks): void {
    const work = load(sharedWords.work);
    const blind = all.filter((host) => load(word(host, 'mustLook')) !== 0 && load(word(host, 'looked')) !== work);
    if (blind.length > 0) {
      for (const host of blind) ring(host);
      return;
    }
    const due = Math.min(...all.map((host) => numbers[dueNumber(host)] as number));
    if (due === Infinity) {
      end(meetingEnd.deadlock);
      return;
    }
    if (due - now < shortTicks) return;
    numbers[skippedNumber] = (numbers[skippedNumber] as number) + due - now;
    for (const host of all) if (numbers[dueNumber(host)] === due) ring(host);
  }

  return {
    awaitReady: (receive) => {
      const before = Atomics.add(words, sharedWords.ready, 1);
      if (before === hosts - 1) Atomics.notify(words, sharedWords.ready);
      for (let ready = load(sharedWords.ready); ready < hosts; ready = load(sharedWords.ready)) {
        receive();
        Atomics.wait(words, sharedWords.ready, ready, readySleepMs);
      }
    },
    end,
    ended: () => {
      return load(sharedWords.end);
    },
    passed: () => {
      Atomics.add(words, word(self, 'passages'), 1);
    },
    awaitOthers: () => {
      Atomics.exchange(words, word(self, 'state'), hostState.waiting);
      for (const host of others) {
        const passages = load(word(host, 'passages'));
        const isPassed = (): boolean =>
          load(word(host, 'state')) !== hostState.working || load(word(host, 'passages')) !== passages || ended();
        for (let look = 0; !isPassed(); look += 1) {
          if (look >= looksBeforeSleep) Atomics.wait(words, word(self, 'state'), hostState.waiting, shortSleepMs);
        }
      }
      Atomics.exchange(words, word(self, 'state'), hostState.working);
    },
    wake: (host) => {
      if (load(word(host, 'state')) === hostState.asleep) ring(host);
    },
    rings: () => load(word(self, 'doorbell')),
    fallAsleep: (dueTicks, hasWorked, mustLook) => {
      if (hasWorked) Atomics.add(words, sharedWords.work, 1);
      numbers[dueNumber(self)] = dueTicks;
      Atomics.store(words, word(self, 'mustLook'), mustLook ? 1 : 0);
      Atomics.exchange(words, word(self, 'state'), hostState.asleep);
      Atomics.add(words, sharedWords.asleep, 1);
    },
    sleep: (rings, milliseconds) => {
      Atomics.wait(words, word(self, 'doorbell'), rings, milliseconds);
    },
    wakeUp: () => {
      for (;;) {
        const count = load(sharedWords.asleep);
        const isClosed = count >= closed;
        if (!isClosed && Atomics.compareExchange(words, sharedWords.asleep, count, count - 1) === count) break;
        // Whoever has closed the meeting may have been interrupted.
        if (isClosed) Atomics.wait(words, sharedWords.asleep, count, shortSleepMs);
      }
      Atomics.exchange(words, word(self, 'state'), hostState.working);
    },
    looked: () => {
      Atomics.store(words, word(self, 'looked'), load(sharedWords.work));
    },
    conclude: (now, isUnderWay) => {
      if (Atomics.compareExchange(words, sharedWords.asleep, hosts, hosts | closed) !== hosts) return;
      if (!isUnderWay()) skip(now());
      Atomics.store(words, sharedWords.asleep, hosts);
      Atomics.notify(words, sharedWords.asleep);
    },
    skipped: () => {
      return numbers[skippedNumber] as number;
    },
    claim: (wanted) => {
      if (!isBounded) return wanted;
      const before = Number(Atomics.sub(left, 0, BigInt(wanted)));
      if (before >= wanted) return wanted;
      const taken = Math.max(before, 0);
      Atomics.add(left, 0, BigInt(wanted - taken));
      return taken;
    },
    giveBack: (instructions) => {
      if (isBounded && instructions > 0) Atomics.add(left, 0, BigInt(instructions));
    },
    setInstructions: (count) => {
      numbers[instructionsNumber(self)] = count;
    },
    instructions: () => all.reduce((sum, host) => sum + (numbers[instructionsNumber(host)] as number), 0),
    logCodeWrite: (line) => {
      const count = load(word(self, 'codeWrites'));
      words[log(self, count)] = line;
      Atomics.store(words, word(self, 'codeWrites'), count + 1);
      Atomics.add(words, sharedWords.codeWrites, 1);
    },
    codeWrites: (hear) => {
      const count = load(sharedWords.codeWrites);
      if (count === heardOfAll) return;
      heardOfAll = count;
      for (const host of others) {
        const end = load(word(host, 'codeWrites'));
        const from = heard[host] as number;
        if (end === from) continue;
        heard[host] = end;
        const lines = Array.from(
          { length: Math.min((end - from) | 0, logEntries) },
          (_, n) => words[log(host, from + n)] as number,
        );
        // The writer goes on: what it has written over is not known.
        const isWhole = ((load(word(host, 'codeWrites')) - from) | 0) <= logEntries;
        hear(isWhole ? lines : undefined);
      }
    },
  };
}

/** Says how many instructions the run may take, before anyone opens the meeting. */
export function limitMeeting(buffer: SharedArrayBuffer, hosts: number, maxInstructions: number): void {
  const left = new BigInt64Array(buffer, 4 * (blockWords + hosts * (blockWords + logEntries)), 1);
  left[0] = Number.isFinite(maxInstructions) ? BigInt(maxInstructions) : unbounded;
}
