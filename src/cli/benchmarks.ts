// What `heddle bench` measures: the operations of virtualization, one at a time, each by the program `bench` in a system made for it. The
// program is VM 0 unless an operation needs the management VM as it is.

import { stringify } from 'yaml';

/** How virtual interrupts reach the guest: the two ways of injection, and the VM's own. */
export type Way = 'list-registers' | 'hcr-bits' | 'direct';

export interface Benchmark {
  readonly name: string;
  /** From where to where it is measured. */
  readonly measures: string;
  /** Ways in which it differs; none where interrupts have no part in it. */
  readonly ways: readonly Way[];
  /** The program's name for it. */
  readonly op: string;
  readonly system: SystemParts;
}

/** Parts of a system file (src/vm/schema.ts) beside those that every benchmark has. */
interface SystemParts {
  readonly cores?: number;
  readonly waitTraps?: boolean;
  /** Of the program's VM. */
  readonly vm?: object;
  readonly vms?: readonly object[];
  readonly disks?: object;
  /** The program is a VM beside the management VM. */
  readonly isGuest?: boolean;
}

const memory = '4M';
const kernel = 'builtin:bench';
const faultIpa = 0xc00_0000;
const allWays: readonly Way[] = ['list-registers', 'hcr-bits', 'direct'];

const row = (
  name: string,
  measures: string,
  system: SystemParts = {},
  ways: readonly Way[] = [],
  op = name,
): Benchmark => ({
  name,
  measures,
  ways,
  op,
  system,
});

export const benchmarks: readonly Benchmark[] = [
  row('nothing', 'the measurement itself, which is part of all others'),
  row('hypercall', 'HVC with a function that does nothing'),
  row('smc', 'SMC of PSCI_VERSION, trapped by HCR_EL2.TSC'),
  row('fault', 'stage 2 fault of a load from a device without registers', {
    vm: { devices: [{ type: 'shyper', at: faultIpa, size: 4096 }] },
  }),
  row('mmio', 'load of GICD_TYPER, emulated in EL2'),
  row('transport', 'load of a virtio register, which EL2 carries to the device', {
    vm: { devices: [{ type: 'virtio-entropy' }] },
  }),
  row('passthrough', 'load of a register of a UART that is passed through: no exit'),
  row('block', 'virtio-block: read of a sector, to the end of the driver’s wait', {
    disks: { disk: { size: '64K' } },
    vm: { devices: [{ type: 'virtio-block' }] },
  }),
  row(
    'block-mvm',
    'the same with a mediated-block, which the management VM serves',
    { isGuest: true, cores: 2, disks: { disk: { size: '64K' } }, vm: { devices: [{ type: 'mediated-block' }] } },
    [],
    'block',
  ),
  row('wfi', 'WFI that is trapped, with nobody else on the core', { waitTraps: true }),
  row(
    'switch',
    'WFI that gives the core to another VM, until its WFI gives it back: two switches; in steps of the counter',
    {
      waitTraps: true,
      vms: [{ name: 'other', boot: 'power-on', kernel, memory, bootargs: 'op=yield', cpus: { cores: [0] } }],
    },
  ),
  row('ipi', 'message from one core’s EL2 to another’s and back, asked for by a hypercall', { cores: 2 }),
  row(
    'vipi',
    'SGI from one vCPU to another that sleeps, until its handler’s store is seen',
    { cores: 2, vm: { cpus: { cores: [0, 1] } } },
    allWays,
  ),
  row('ack', 'ICC_IAR1_EL1 with an interrupt pending', {}, allWays),
  row('eoi', 'ICC_EOIR1_EL1 of an interrupt that is active', {}, allWays),
  row('irq', 'store that makes a device raise its interrupt, to the handler that has acknowledged it', {}, allWays),
  row('timer', 'expiry of CNTV, to the handler that has acknowledged it; in steps of the counter', {}, allWays),
  row('wake', 'the same, of a vCPU that sleeps in WFI', {}, allWays),
];

const directController = [{ type: 'gppt' }, { type: 'gicr' }];

const countDigits = 6;

/** The system file of a benchmark. What the program reads is as long for any count, so that two counts differ in nothing else. */
export function systemOf({ op, system }: Benchmark, way: Way | undefined, count: number): string {
  const { cores = 1, waitTraps, vm = {}, vms = [], disks, isGuest } = system;
  const bench = {
    name: 'bench',
    kernel,
    memory,
    bootargs: `op=${op} count=${`${count}`.padStart(countDigits, '0')} fault=0x${faultIpa.toString(16)}`,
    ...vm,
    ...(way === 'direct' && { devices: directController }),
  };
  return stringify({
    board: { cores },
    rhyper: {
      ...(waitTraps && { 'wait-traps': true }),
      ...(way !== undefined && way !== 'direct' && { injection: way }),
    },
    ...(disks && { disks }),
    ...(isGuest
      ? { mvm: { memory: '16M' }, vms: [{ ...bench, boot: 'power-on' }, ...vms], commands: ['wait 40', 'exit'] }
      : { mvm: bench, vms }),
  });
}
