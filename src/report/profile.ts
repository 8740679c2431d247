// Where the host's time went: samples of the stacks of its threads, put into parts by the code that was running, and translated code
// by the guest's symbols.

/** A place in the tree of stacks: what was running, called by `parent` (-1: nobody). */
export interface HostFrame {
  readonly name: string;
  /** Path of a file of ours, as in src/arch/tlb.ts, or what else V8 says of where the function is from. */
  readonly file: string;
  readonly parent: number;
}

/** One thread's samples, in the order of time. */
export interface ThreadProfile {
  readonly frames: readonly HostFrame[];
  /** Indices of frames. */
  readonly samples: readonly number[];
  /** The time that each sample stands for. */
  readonly microseconds: readonly number[];
}

export const profileParts = [
  'translated code',
  'chaining',
  'stepping',
  'compiling',
  'TLB misses',
  'other accesses',
  'exceptions and system registers',
  'system calls and hypervisor',
  'messages and devices',
  'idle',
  'start',
  'garbage collection',
  'rest of the host',
] as const;
export type ProfilePart = (typeof profileParts)[number];

/** What a sample is counted for: its part, and what in it. */
export interface Attribution {
  readonly part: ProfilePart;
  /** The guest's symbol, or the host's function. */
  readonly name: string;
}

export interface Share {
  readonly name: string;
  readonly ms: number;
  readonly percent: number;
}

export interface HostProfile {
  /** Of all host threads together. */
  readonly ms: number;
  readonly samples: number;
  /** Every part, the largest first; their percentages sum to 100. */
  readonly parts: readonly Share[];
  /** Translated code, by guest symbols. */
  readonly symbols: readonly Share[];
  /** Everything else, by functions of the host. */
  readonly functions: readonly (Share & { readonly part: ProfilePart })[];
}

/** Who asks for a profile. */
export interface ProfileIo {
  /** At the end of a run that was profiled. */
  readonly profiled?: (profile: HostProfile) => void;
}

/** Gives a frame of translated code the guest's name; undefined for any other. */
export type GuestName = (frame: HostFrame) => string | undefined;

/** Software that lives at an Exception level: whatever it calls is done for it. */
const residentFile = /^src\/(linux-abi|hypervisor|firmware)\//;

/** Whatever the making of the machine calls is done for it. */
const isMaking = ({ name, file }: HostFrame): boolean => name === 'buildMachine' && file === 'workers/machine.ts';

/** The innermost frame of these decides. */
const partOfFile: readonly (readonly [RegExp, ProfilePart])[] = [
  [/^src\/engine\/(code-cache|translate|generator|.*-generator|emitting|expression|step|wasm\/.*)\.ts$/, 'compiling'],
  [/^src\/engine\/memory-services\.ts$/, 'other accesses'],
  [/^src\/engine\/system-service\.ts$/, 'exceptions and system registers'],
  [/^src\/isa\//, 'compiling'],
  [
    /^src\/arch\/(soft-tlb|tlb|translation.*|stage.*|table-descriptor|permissions|instruction-fetch)\.ts$/,
    'TLB misses',
  ],
  [/^src\/arch\/(bus-accesses)\.ts$/, 'messages and devices'],
  [/^src\/arch\/(memory-access|access-traps|load-store-syndrome)\.ts$/, 'other accesses'],
  [/^src\/memory\//, 'other accesses'],
  [/^src\/arch\//, 'exceptions and system registers'],
  [/^(actors|workers)\//, 'messages and devices'],
];
/** Functions of the runtime module, which are in no file, and those of the engine that call them. */
const partOfFunction: Readonly<Record<string, ProfilePart>> = {
  run: 'chaining',
  chain: 'chaining',
  stale: 'chaining',
  step: 'stepping',
  stepBlock: 'stepping',
};
const engineFile = 'src/engine/engine.ts';
const isWasm = ({ file }: HostFrame): boolean => file.startsWith('wasm:');

/** V8's own states, which are no functions. */
const partOfState: Readonly<Record<string, ProfilePart>> = {
  '(garbage collector)': 'garbage collection',
  '(idle)': 'idle',
};

function partOf(frame: HostFrame): ProfilePart | undefined {
  const state = partOfState[frame.name];
  if (state !== undefined) return state;
  if (isWasm(frame) || frame.file === engineFile) return partOfFunction[frame.name];
  return partOfFile.find(([pattern]) => pattern.test(frame.file))?.[1];
}

/** The frames of a stack, the innermost first. */
function stackOf(frames: readonly HostFrame[], innermost: number): HostFrame[] {
  const stack: HostFrame[] = [];
  for (let frame = frames[innermost]; frame; frame = frames[frame.parent]) stack.push(frame);
  return stack;
}

/** Waiting for another thread, in Atomics.wait or about to: V8 may show it as a part of its caller. */
const isWaiting = ({ name, file }: HostFrame): boolean =>
  file === '' ? name === 'wait' : file.startsWith('workers/') && /^(wait|await|sleep)/.test(name);

/** What the innermost frame of a stack is counted for. */
export function attribute(stack: readonly HostFrame[], guestName: GuestName): Attribution {
  const [innermost] = stack;
  const nameOf = (frame: HostFrame | undefined): string => (frame && frame.name !== '' ? frame.name : 'anonymous');
  if (innermost && isWaiting(innermost)) return { part: 'idle', name: nameOf(stack.find(({ file }) => file !== '')) };
  const isState = partOfState[nameOf(innermost)] !== undefined;
  if (!isState && stack.some(isMaking)) return { part: 'start', name: 'buildMachine' };
  const resident = stack.find(({ file }) => residentFile.test(file));
  if (!isState && resident) return { part: 'system calls and hypervisor', name: nameOf(resident) };
  for (const frame of stack) {
    const guest = guestName(frame);
    if (guest !== undefined) return { part: 'translated code', name: guest };
    const part = partOf(frame);
    if (part !== undefined) return { part, name: nameOf(frame) };
  }
  return { part: 'rest of the host', name: nameOf(innermost) };
}

/** One attribution for each frame of a thread. */
export const attributionsOf = ({ frames }: ThreadProfile, guestName: GuestName): readonly Attribution[] =>
  frames.map((_, index) => attribute(stackOf(frames, index), guestName));

export function summarise(threads: readonly ThreadProfile[], guestName: GuestName): HostProfile {
  const parts = new Map(profileParts.map((part) => [part, { name: part, ms: 0 }]));
  const named = new Map<string, Attribution & { ms: number }>();
  let samples = 0;
  for (const thread of threads) {
    const attributions = attributionsOf(thread, guestName);
    thread.samples.forEach((frame, n) => {
      const attribution = attributions[frame] as Attribution;
      const ms = (thread.microseconds[n] ?? 0) / 1000;
      samples += 1;
      (parts.get(attribution.part) as { ms: number }).ms += ms;
      const key = `${attribution.part}:${attribution.name}`;
      const entry = named.get(key);
      if (entry) entry.ms += ms;
      else named.set(key, { ...attribution, ms });
    });
  }
  const ms = [...parts.values()].reduce((sum, part) => sum + part.ms, 0);
  const byShare = <Entry extends { readonly ms: number; readonly name: string }>(
    entries: Iterable<Entry>,
  ): (Entry & Share)[] =>
    [...entries]
      .map((entry) => ({ ...entry, percent: ms === 0 ? 0 : (100 * entry.ms) / ms }))
      .sort((a, b) => b.ms - a.ms);
  const all = byShare(named.values());
  return {
    ms,
    samples,
    parts: byShare(parts.values()),
    symbols: all
      .filter(({ part }) => part === 'translated code')
      .map(({ name, ms: own, percent }) => ({ name, ms: own, percent })),
    functions: all.filter(({ part }) => part !== 'translated code'),
  };
}
