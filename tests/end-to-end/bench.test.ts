// heddle bench: its figures are simulated, so that they are exact. What they have to be at least follows from src/hypervisor/options.ts:
// no operation that enters EL2 costs less than its entries and returns.

import { beforeAll, describe, expect, it } from 'vitest';
import { costs } from '../../src/hypervisor/options.ts';
import type { BenchResult } from '../../src/report/bench-table.ts';
import { heddle } from './built.ts';

const timeout = 300_000;
const exit = costs.entry + costs.exit;

interface Document {
  readonly format: string;
  readonly seed: number;
  readonly iterations: number;
  readonly benchmarks: readonly BenchResult[];
}

async function bench(...words: readonly string[]): Promise<Document> {
  const { code, stdout } = await heddle(['bench', ...words, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Document;
}

const calls = ['nothing', 'hypercall', 'smc', 'fault', 'mmio', 'transport', 'passthrough', 'wfi', 'switch', 'ipi'];
const interrupts = ['ack', 'eoi', 'vipi', 'irq', 'timer', 'wake'];
let all: readonly BenchResult[];
beforeAll(async () => {
  const runs: Document[] = [];
  for (const names of [calls, interrupts, ['block', 'block-mvm']])
    runs.push(await bench(...names, '--iterations', '20'));
  all = runs.flatMap(({ benchmarks }) => benchmarks);
}, timeout);

function named(name: string, way?: string): BenchResult {
  const found = all.find((result) => result.name === name && result.interrupts === way);
  if (!found) throw new Error(`${name} is measured`);
  return found;
}
const exitCount = ({ exits }: BenchResult): number => Object.values(exits).reduce((sum, count) => sum + count, 0);

describe('heddle bench', { timeout }, () => {
  it('is the same document for two runs, and for any number of host threads', async () => {
    const words = ['hypercall', 'vipi', '--iterations', '20'];
    const [one, again, two] = await Promise.all([
      bench(...words),
      bench(...words, '--host-threads', '1'),
      bench(...words, '--host-threads', '2'),
    ]);
    expect(again).toEqual(one);
    expect(two).toEqual(one);
    expect(one).toMatchObject({ format: 'heddle-vm-bench', version: 1, seed: 1, iterations: 20 });
  });

  it('measures every operation in order: the least is the least, and the median lies between', () => {
    expect(all).toHaveLength(calls.length + interrupts.length * 3 + 2);
    for (const { ticks } of all) {
      expect([ticks.min, ticks.median, ticks.p99, ticks.max]).toEqual(
        [ticks.min, ticks.median, ticks.p99, ticks.max].sort((a, b) => a - b),
      );
      expect(ticks.min).toBeGreaterThan(0);
    }
  });

  it('costs at least the entries to EL2 and the returns that an operation has', () => {
    for (const result of all)
      expect(result.hypervisorTicks).toBeGreaterThanOrEqual(Math.floor(exitCount(result) * exit));
    const once = ['hypercall', 'smc', 'fault', 'mmio', 'transport', 'wfi'].map((name) => named(name));
    expect(once.map(({ exits }) => Object.keys(exits))).toEqual([
      ['HVC'],
      ['SMC'],
      ['MMIO'],
      ['MMIO'],
      ['MMIO'],
      ['WFx'],
    ]);
    for (const result of once) {
      expect(exitCount(result)).toBeCloseTo(1, 1);
      expect(result.ticks.min).toBeGreaterThanOrEqual(exit);
    }
    expect(named('hypercall').ticks.min).toBeGreaterThanOrEqual(exit + costs.hypercall);
    expect(named('fault').ticks.min).toBeGreaterThanOrEqual(exit + costs.emulation);
    // The counter that it is measured by has steps of 16 ticks.
    expect(named('switch').ticks.min).toBeGreaterThan(2 * (exit + costs.schedule + costs.vcpuSwitch) - 16);
    expect(named('ipi').ticks.min).toBeGreaterThanOrEqual(exit + costs.hypercall + 2 * costs.ipi);
  });

  it('has no exit where nothing is trapped', () => {
    const direct = ['irq', 'timer', 'wake'].map((name) => named(name, 'direct'));
    for (const { exits, hypervisorTicks } of [named('nothing'), named('passthrough'), ...direct])
      expect({ exits, hypervisorTicks: Math.round(hypervisorTicks) }).toEqual({ exits: {}, hypervisorTicks: 0 });
    expect(named('eoi', 'list-registers').ticks.max).toBeLessThan(exit);
  });

  it('tells the ways of injection apart: direct interrupts are the fastest, HCR_EL2.VI costs a trap to acknowledge and one to end', () => {
    for (const name of ['irq', 'timer', 'wake']) {
      const [direct, lists, bits] = ['direct', 'list-registers', 'hcr-bits'].map(
        (way) => named(name, way).ticks.median,
      );
      expect(lists).toBeGreaterThanOrEqual((direct ?? NaN) + exit);
      expect(bits).toBeGreaterThanOrEqual((lists ?? NaN) + exit);
      expect(Math.round(named(name, 'hcr-bits').exits['system register'] ?? 0)).toBe(2);
    }
    for (const name of ['ack', 'eoi']) expect(named(name, 'hcr-bits').ticks.min).toBeGreaterThanOrEqual(exit);
  });

  it('finds a request that the management VM serves slower than one of a device of the board, and its VM entered', () => {
    const [board, managed] = [named('block'), named('block-mvm')];
    expect(managed.ticks.median).toBeGreaterThan(board.ticks.median);
    expect(Math.round(managed.exits['HVC'] ?? 0)).toBe(1);
    expect(managed.instructions).toBeGreaterThan(board.instructions);
  });

  it('prints a table with a row for each way', async () => {
    const { code, stdout: bytes } = await heddle(['bench', 'eoi', '--iterations', '5']);
    expect(code).toBe(0);
    const stdout = Buffer.from(bytes, 'latin1').toString();
    expect(stdout).toMatch(
      /│ operation │ interrupts by +│ +min │ median │ +p99 │ +max │ instructions │ in EL2 │ exits +│/,
    );
    expect(stdout.match(/^│ eoi +│ (list-registers|hcr-bits|direct) +│/gm)).toHaveLength(3);
  });

  it('refuses what it does not know, and says where the speed of Heddle itself is measured', async () => {
    const { code, stderr } = await heddle(['bench', 'hipercall']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'heddle: there is no benchmark "hipercall", did you mean "hypercall"?; the speed of Heddle itself: npm run bench\n',
    );
  });
});
