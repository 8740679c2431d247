// heddle bench: what the operations of virtualization cost under Rhyper, in simulated time. Each is done many times by a program in a
// virtual machine (tests/guests/src/vm/bench.c), which counts cycles. The same run without an operation is subtracted for what the
// program cannot see: instructions, time in EL2, and exits. Host time has no part in it.

import { assert } from '../report/assert.ts';
import { type BenchResult, formatBench } from '../report/bench-table.ts';
import type { Counts } from '../vm/report.ts';
import { readSystem } from '../vm/system-file.ts';
import { suggestion } from '../report/suggestion.ts';
import { UserError } from '../report/user-error.ts';
import { type Benchmark, benchmarks, systemOf, type Way } from './benchmarks.ts';
import { parseCount } from './quantities.ts';
import { maxHostThreads, type OptionRow } from './run-options.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';
import type { RunVmSystem } from './vm.ts';
import { fileReader } from './vm-options.ts';

export interface TypedBenchOptions {
  readonly iterations: string;
  readonly seed: string;
  readonly hostThreads?: string;
  readonly json?: true;
}

export const benchOptionRows: readonly OptionRow[] = [
  { flags: '--iterations <N>', says: 'how often each operation is done', byDefault: '100' },
  { flags: '--seed <N>', says: 'where every random choice comes from', byDefault: '1' },
  {
    flags: '--host-threads <N>',
    says: 'threads of the host to use, 1 unless told; the figures are the same for any number',
  },
  { flags: '--json', says: 'print one JSON document' },
];

const exitCode = { done: 0, inconclusive: 3 } as const;
/** As many as the program has room for. */
const maxIterations = 100_000;
/** Simulated time of one iteration is far less; a program that hangs ends here. */
const mostNs = 20_000_000_000;
const sampleBytes = 4;

interface Run {
  readonly samples: readonly number[];
  readonly instructions: number;
  readonly hypervisorTicks: number;
  readonly exits: Counts;
}

interface Conditions {
  readonly iterations: number;
  readonly seed: number;
  readonly hostThreads: number;
  readonly terminal: Terminal;
  readonly runVmSystem: RunVmSystem;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function sumOf(counts: readonly Counts[]): Counts {
  const names = [...new Set(counts.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(names.map((name) => [name, sum(counts.map((one) => one[name] ?? 0))]));
}

/** One run with so many operations; undefined when the user has interrupted it. */
async function runOnce(
  benchmark: Benchmark,
  way: Way | undefined,
  count: number,
  conditions: Conditions,
): Promise<Run | undefined> {
  const { seed, hostThreads, terminal, runVmSystem } = conditions;
  const path = `${benchmark.name}.yaml`;
  const system = readSystem(path, new TextEncoder().encode(systemOf(benchmark, way, count)), fileReader(path));
  let said = '';
  const { report, vms, memoryOf } = await runVmSystem(
    { system, seed, hostThreads, maxTimeNs: mostNs },
    {
      stdout: (bytes, source) => {
        if (source === 'bench') said += new TextDecoder().decode(bytes);
      },
      writeFile: () => undefined,
      signal: terminal.signal,
    },
  );
  if (report.reason === 'interrupted') return undefined;
  const [, address] = /samples at (0x[0-9a-f]+)/.exec(said) ?? [];
  const bytes = memoryOf('bench', Number(address), count * sampleBytes);
  const isWhole = report.reason === 'exit' && !said.includes('FAILED') && bytes !== undefined;
  assert(isWhole, `benchmark ${benchmark.name} runs to its end, not to ${report.reason} with "${said}"`);
  return {
    samples: [...new Uint32Array(bytes.slice().buffer)],
    instructions: report.instructions,
    hypervisorTicks: sum(vms.cores.map(({ hypervisorNs }) => hypervisorNs)),
    exits: sumOf(vms.vms.flatMap(({ vcpus }) => vcpus.map(({ exits }) => exits))),
  };
}

function resultOf({ name, measures }: Benchmark, way: Way | undefined, whole: Run, empty: Run): BenchResult {
  const { samples } = whole;
  const sorted = [...samples].sort((a, b) => a - b);
  /** What so many of a thousand samples do not exceed. */
  const quantile = (perMille: number): number => sorted[Math.ceil((sorted.length * perMille) / 1000) - 1] ?? 0;
  const each = (total: number): number => total / samples.length;
  const exits = Object.entries(whole.exits)
    .map(([cause, count]) => [cause, each(count - (empty.exits[cause] ?? 0))] as const)
    .filter(([, count]) => count > 0);
  return {
    name,
    measures,
    ...(way !== undefined && { interrupts: way }),
    ticks: { min: sorted[0] ?? 0, median: quantile(500), p99: quantile(990), max: sorted.at(-1) ?? 0 },
    instructions: each(whole.instructions - empty.instructions),
    hypervisorTicks: each(whole.hypervisorTicks - empty.hypervisorTicks),
    exits: Object.fromEntries(exits),
  };
}

function selected(names: readonly string[]): readonly Benchmark[] {
  const known = benchmarks.map(({ name }) => name);
  for (const name of names)
    if (!known.includes(name)) {
      const hint = suggestion(name, known) || `: known are ${known.join(', ')}`;
      throw new UserError(`there is no benchmark "${name}"${hint}`, 'the speed of Heddle itself: npm run bench');
    }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}

/** Measures these benchmarks, or all, and returns the exit code of the command. */
export async function bench(
  names: readonly string[],
  typed: TypedBenchOptions,
  terminal: Terminal,
  runVmSystem: RunVmSystem,
): Promise<number> {
  const iterations = parseCount('--iterations', typed.iterations, 1, maxIterations);
  const seed = parseCount('--seed', typed.seed, 0, Number.MAX_SAFE_INTEGER);
  const hostThreads =
    typed.hostThreads === undefined ? 1 : parseCount('--host-threads', typed.hostThreads, 1, maxHostThreads);
  const conditions: Conditions = { iterations, seed, hostThreads, terminal, runVmSystem };
  const plan = selected(names).flatMap((benchmark) =>
    (benchmark.ways.length === 0 ? [undefined] : benchmark.ways).map((way) => ({ benchmark, way })),
  );
  terminal.error(
    `heddle ${version}, Rhyper, model sc, gic-version=3, seed ${seed}, conductor lockstep, ${iterations} iterations\n`,
  );
  const results: BenchResult[] = [];
  for (const { benchmark, way } of plan) {
    terminal.progress(`${results.length} of ${plan.length}: ${benchmark.name} ${way ?? ''}`);
    const [whole, empty] = await Promise.all([
      runOnce(benchmark, way, iterations, conditions),
      runOnce(benchmark, way, 0, conditions),
    ]);
    if (!whole || !empty) break;
    results.push(resultOf(benchmark, way, whole, empty));
  }
  if (typed.json) {
    const document = { format: 'heddle-vm-bench', version: 1, seed, iterations, benchmarks: results };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else terminal.print(`${formatBench(results)}\n`);
  if (results.length === plan.length) return exitCode.done;
  terminal.error(`heddle: stopped: interrupted after ${results.length} of ${plan.length}\n`);
  return exitCode.inconclusive;
}
