// The stress run of the conductor `parallel`: every guest again and again, with several numbers of cores and of host threads; what it
// prints must be what it prints under lockstep, and it must end. `npm run stress -- --help` names the options.

import { readFileSync } from 'node:fs';
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

const help = `usage: npm run stress -- [options] [GUESTS...]
  --runs N            runs of each guest in each configuration (3)
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

function wordsOf({ file, machine }: Guest, cores: number): string[] {
  const { virtualization, secure, board = [], gic = 3 } = machine;
  const onOff = (value: boolean): string => (value ? 'on' : 'off');
  const levels = [`--virtualization=${onOff(virtualization)}`, `--secure=${onOff(secure)}`, `--gic=${gic}`];
  return ['run', packageFile(`tests/guests/${file}`), `--cores=${cores}`, ...levels, ...board];
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
  const chosen = guests.filter(({ name, exitCode }) =>
    positionals.length > 0 ? positionals.includes(name) : exitCode !== null && !singleCore.has(name),
  );
  const failures: string[] = [];
  let done = 0;
  for (const guest of chosen) {
    for (const cores of numbers(values.cores).filter((n) => n >= guest.cores.min && n <= guest.cores.max)) {
      const words = wordsOf(guest, cores);
      const text = ({ stdout }: Ended): string => stdout.replace(mayDiffer[guest.name] ?? /$^/, '');
      const expected = guest.timingIndependent
        ? text(await heddle([...words, '--host-threads=1'], timeoutMs))
        : undefined;
      const start = performance.now();
      let count = 0;
      for (const threads of numbers(values['host-threads']).filter((n) => n <= cores)) {
        for (let run = 0; run < runs; run += 1) {
          const ended = await heddle([...words, '--conductor=parallel', `--host-threads=${threads}`], timeoutMs);
          count += 1;
          const isRight = [guest.exitCode].flat().includes(ended.code) && (expected ?? text(ended)) === text(ended);
          if (isRight) continue;
          const failure = `${guest.name}, ${cores} cores on ${threads} threads, run ${run}: exit code ${ended.code}`;
          failures.push(failure);
          console.log(`FAILED ${failure}\n${ended.stdout.slice(-500)}\n${ended.stderr.slice(-500)}`);
        }
      }
      done += count;
      console.log(
        `${guest.name}, ${cores} cores: ${count} runs, ${((performance.now() - start) / count).toFixed(0)} ms each`,
      );
    }
  }
  console.log(`${done} runs, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

if (values.help) console.log(help);
else process.exitCode = await stress();
