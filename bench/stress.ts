// The stress run of the conductor `parallel`: every guest and Linux program again and again, with several numbers of cores and of host
// threads; what it prints must be what it prints under lockstep, and it must end. `npm run stress -- --help` names the options.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, type Machinery } from '../src/cli/program.ts';
import { packageFile } from '../workers/package-file.ts';
import { runMachine } from '../workers/run-machine.ts';

interface Machine {
  readonly virtualization: boolean;
  readonly secure: boolean;
  readonly board?: readonly string[];
  readonly gic?: number;
}

interface Guest {
  readonly name: string;
  readonly file: string;
  readonly machine: Machine;
  readonly cores: { readonly min: number; readonly max: number };
  readonly timingIndependent: boolean;
  readonly exitCode: number | readonly number[] | null;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whatever is run: its words, and with which exit codes it may end. */
interface Subject {
  readonly name: string;
  readonly words: (cores: number, folder: string) => readonly string[];
  readonly cores: { readonly min: number; readonly max: number };
  readonly timingIndependent: boolean;
  readonly exitCodes: readonly number[];
}

const help = `usage: npm run stress -- [options] [NAMES...]
  NAMES               guests, Linux programs as linux-NAME; all of them if none is given
  --runs N            runs of each in each configuration (3); the whole campaign is --runs 200 --host-threads 2
  --cores LIST        numbers of simulated cores (2,4,16)
  --host-threads LIST numbers of host threads (1,2,3)
  --timeout SECONDS   a run that takes longer hangs (60)
`;

/** These have one core at work, for a long time: what they need is measured by the benchmarks. */
const singleCore = new Set(['intloop', 'memcpy', 'chase', 'crc-sha', 'bytecode', 'nbody']);

/** What a guest tells that need not be so under `parallel`: a Store-Exclusive goes by the value (src/arch/concurrent-access.ts). */
const mayDiffer: Readonly<Record<string, RegExp>> = {
  'smmu-dma': /^exclusive, DMA to its granule: .*$/m,
};

const machinery: Pick<Machinery, 'runMachine'> & Machinery = {
  runMachine,
  runVmSystem: () => Promise.reject(new Error('only guests are run')),
  runLitmusTests: () => Promise.reject(new Error('only guests are run')),
};

/** One run of the command line in this process, which ends it when it takes too long. */
async function heddle(words: readonly string[], timeoutMs: number): Promise<Ended> {
  const [out, err]: [Uint8Array[], Uint8Array[]] = [[], []];
  const bytesOf = (what: string | Uint8Array): Uint8Array => (typeof what === 'string' ? Buffer.from(what) : what);
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort();
  }, timeoutMs);
  const terminal = {
    print: (what: string | Uint8Array) => void out.push(bytesOf(what)),
    error: (what: string | Uint8Array) => void err.push(bytesOf(what)),
    progress: () => {},
    signal: stop.signal,
  };
  try {
    const code = await commandLine(words, terminal, machinery);
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  } finally {
    clearTimeout(timer);
  }
}

function guestSubject({ name, file, machine, cores: range, timingIndependent, exitCode }: Guest): Subject {
  const { virtualization, secure, board = [], gic = 3 } = machine;
  const onOff = (value: boolean): string => (value ? 'on' : 'off');
  const levels = [`--virtualization=${onOff(virtualization)}`, `--secure=${onOff(secure)}`, `--gic=${gic}`];
  return {
    name,
    words: (cores) => [packageFile(`tests/guests/${file}`), `--cores=${cores}`, ...levels, ...board],
    cores: range,
    timingIndependent,
    exitCodes: [exitCode].flat().filter((code) => code !== null),
  };
}

/**
 * Programs of the suite for Linux, and those of threads. Left out are those that rely on a time-out, or on a signal after a while, to come
 * when they are ready for it: signals, timing, events, jobs, locks, timers, cpu-timers; and start, which reads standard input.
 */
const suitePrograms =
  'threads lockfree memory files transfers sockets faults more-faults beyond processes robust'.split(' ');
const threadPrograms = 'messages mutexes rwlocks semaphores once robust lockless forks crowd'.split(' ');

function linuxSubject(executable: string, name: string): Subject {
  const file = packageFile(`tests/guests/bin/linux/${executable}`);
  return {
    name: `linux-${executable}-${name}`,
    words: (cores, folder) => [file, `--cores=${cores}`, `--workdir=${folder}`, '--', name],
    cores: { min: 1, max: 1024 },
    timingIndependent: true,
    exitCodes: [0],
  };
}

/** One run in a fresh directory, under the conductor that these options name. */
async function runOf({ words }: Subject, cores: number, options: readonly string[], timeoutMs: number): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-stress-'));
  try {
    return await heddle(['run', ...options, ...words(cores, folder)], timeoutMs);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    cores: { type: 'string', default: '2,4,16' },
    'host-threads': { type: 'string', default: '1,2,3' },
    timeout: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const [runs, timeoutMs] = [Number(values.runs), 1000 * Number(values.timeout)];

async function stress(): Promise<number> {
  const { guests } = JSON.parse(readFileSync(packageFile('tests/guests/guests.json'), 'utf8')) as {
    guests: readonly Guest[];
  };
  const all = [
    ...guests.filter(({ name, exitCode }) => exitCode !== null && !singleCore.has(name)).map(guestSubject),
    ...suitePrograms.map((name) => linuxSubject('suite', name)),
    ...threadPrograms.map((name) => linuxSubject('pthreads', name)),
  ];
  const named = guests.filter(({ name }) => singleCore.has(name)).map(guestSubject);
  const chosen = positionals.length > 0 ? [...all, ...named].filter(({ name }) => positionals.includes(name)) : all;
  const failures: string[] = [];
  let done = 0;
  for (const subject of chosen) {
    for (const cores of numbers(values.cores).filter((n) => n >= subject.cores.min && n <= subject.cores.max)) {
      const text = ({ stdout }: Ended): string => stdout.replace(mayDiffer[subject.name] ?? /$^/, '');
      const inOrder = subject.timingIndependent
        ? await runOf(subject, cores, ['--host-threads=1'], timeoutMs)
        : undefined;
      const start = performance.now();
      let count = 0;
      for (const threads of numbers(values['host-threads']).filter((n) => n <= cores)) {
        const options = ['--conductor=parallel', `--host-threads=${threads}`];
        for (let run = 0; run < runs; run += 1) {
          const ended = await runOf(subject, cores, options, timeoutMs);
          count += 1;
          if (subject.exitCodes.includes(ended.code) && (!inOrder || text(inOrder) === text(ended))) continue;
          const failure = `${subject.name}, ${cores} cores on ${threads} threads, run ${run}: exit code ${ended.code}`;
          failures.push(failure);
          console.log(`FAILED ${failure}\n${ended.stdout.slice(-500)}\n${ended.stderr.slice(-500)}`);
        }
      }
      done += count;
      console.log(
        `${subject.name}, ${cores} cores: ${count} runs, ${((performance.now() - start) / count).toFixed(0)} ms each`,
      );
    }
  }
  console.log(`${done} runs, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

if (values.help) console.log(help);
else process.exitCode = await stress();
