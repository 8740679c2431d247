// What one interrupt of a VM costs by each way to inject it, for both versions of the GIC: the figures of docs/vm.md.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RhyperOptions } from '../../../src/hypervisor/options.ts';
import type { Vcpu } from '../../../src/hypervisor/state.ts';
import { gicCode, kernel, notesIpa, psci } from '../kernels.ts';
import { type GicVersion, runSystem } from '../system.ts';

type Injection = RhyperOptions['injection'];
const timerPpi = 27;

/** Takes so many interrupts of its virtual timer, and notes how many were its own. */
function timerKernel(version: GicVersion, interrupts: number): string {
  const { acknowledge, enableInterrupt, end, gicOn } = gicCode(version);
  return kernel(
    'msr daifset, #2',
    gicOn(),
    enableInterrupt(timerPpi),
    `mov x5, #${interrupts}`,
    'mov x4, #0',
    '1: mov x9, #1000',
    'msr cntv_tval_el0, x9',
    'mov x9, #1',
    'msr cntv_ctl_el0, x9',
    'isb',
    'wfi',
    acknowledge('x6'),
    'msr cntv_ctl_el0, xzr',
    'isb',
    end('x6'),
    `cmp x6, #${timerPpi}`,
    'cinc x4, x4, eq',
    'subs x5, x5, #1',
    'b.ne 1b',
    'str x4, [x20]',
    psci.systemOff,
  );
}

function run(gicVersion: GicVersion, injection: Injection, interrupts: number): { exits: number; ticks: number } {
  const source = timerKernel(gicVersion, interrupts);
  const system = runSystem([{ name: 'timed', kind: 'mvm', cores: [0], source }], { gicVersion, injection });
  expect(system.run.end).toBe('stopped');
  expect(system.words('timed', notesIpa)).toEqual([BigInt(interrupts)]);
  const vcpu = system.state.vcpus[system.vm('timed').vcpus[0] as number] as Vcpu;
  return {
    exits: Number(vcpu.exits.reduce((sum, n) => sum + n, 0n)),
    ticks: system.state.cores[0]?.hypervisorTicks ?? 0,
  };
}

/** Exits, and ticks at EL2, of one interrupt: the difference of two runs. */
function costOf(gicVersion: GicVersion, injection: Injection): { exits: number; ticks: number } {
  const [few, many] = [run(gicVersion, injection, 10), run(gicVersion, injection, 30)];
  return { exits: (many.exits - few.exits) / 20, ticks: (many.ticks - few.ticks) / 20 };
}

describe('one interrupt of a virtual timer', () => {
  it.each([
    [3, 'list-registers', 1],
    [3, 'hcr-bits', 3],
    [2, 'list-registers', 1],
    [2, 'hcr-bits', 3],
  ] as const)('of a GICv%i by %s costs %i exits, and the ticks that the documentation says', (version, way, exits) => {
    const cost = costOf(version, way);
    expect(cost.exits).toBe(exits);
    const shown = readFileSync(new URL('../../../docs/vm.md', import.meta.url), 'utf8');
    const row = shown.split('\n').find((line) => line.includes(`\`${way}\`, GICv${version}`));
    expect(row?.split('|').map((cell) => cell.trim())).toEqual(
      expect.arrayContaining([`${exits}`, Math.round(cost.ticks).toLocaleString('en-US')]),
    );
  });
});
