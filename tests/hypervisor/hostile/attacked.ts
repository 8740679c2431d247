// One boot with an attacker among four witnesses, and what "as without it" means for each of them. Without it: the same system, whose
// attacker prints a line and turns itself off.
//
// - A VM whose cores are its own is equal to the bit: the hash of its RAM, in which are its progress and the time of each of its
//   interrupts; the ticks that it has run; its entries to EL2 by cause; interrupts injected, and those of its core that were another's.
// - A VM that shares its core with the attacker has the same RAM, interrupts and result at its end; only when it gets there is another
//   matter: it is never without its core for longer than a time slice and what EL2 then does for the attacker.
//
// An event (SEV) is everybody's by architecture: WFE of any VM may return because of it. No witness waits for one.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { diskBytes } from '../../../src/board/devices.ts';
import { vmTransport } from '../../../src/board/memory-map.ts';
import { exitCauses, type Vcpu } from '../../../src/hypervisor/state.ts';
import { gic, type GicVersion, kernelIpa, pageBytes, runSystem, type System, type TestVm } from '../system.ts';
import { copier } from './copier.ts';
import { data, dataIpa, timingIpa, witness } from './witness.ts';

const MiB = 0x10_0000;
const image = readFileSync(new URL('../../guests/bin/vm/hostile.img', import.meta.url));
const direct = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));

export const sliceTicks = 50_000;
/** What EL2 may do for the attacker after the end of its slice, and for the switch, by GIC: that of a GICv2 is reached over the bus. */
export const lateTicks: Readonly<Record<GicVersion, number>> = { 2: 35_000, 3: 10_000 };
/** Of the sharer: such that it ends in time. */
const sharersRounds: Readonly<Record<GicVersion, number>> = { 2: 2000, 3: 4000 };
const ticksPerCount = 16;

const alone = ['mvm', 'alone', 'direct', 'copier'] as const;
const sharer = 'sharer';

const transport = vmTransport(0);
const firstSpi = 32;
const disk = { name: 'disk', kind: 'virtioBlock' as const, ipa: 0x0a00_0000, bytes: 0x1000, intid: 48, arguments: [] };

type Attacker = Omit<TestVm, 'name' | 'cores'>;

/** Which system it is. */
export interface Setting {
  readonly maxTicks: number;
  readonly gicVersion?: GicVersion;
  /** One more witness has a DMA engine, on a core of its own. */
  readonly hasCopier?: boolean;
}

function witnessesOf({ gicVersion = 3, hasCopier = false }: Setting): readonly TestVm[] {
  const exact = witness({ exact: true, gicVersion });
  return [
    { name: 'mvm', kind: 'mvm', cores: [0], source: exact },
    { name: 'alone', cores: [2], source: exact },
    { name: 'direct', kind: 'rtvm', cores: [3], devices: direct, source: exact },
    ...(hasCopier ? [copier] : []),
  ];
}

/** The system with this VM, named `attacker`, on the core of the sharer; one that takes its interrupts itself has the core to itself. */
export function runAttacked(attacker: Attacker, setting: Setting): System {
  const { maxTicks, gicVersion = 3, hasCopier = false } = setting;
  const witnesses = witnessesOf(setting);
  const rounds = sharersRounds[gicVersion];
  const sharing: TestVm = { name: sharer, cores: [1], source: witness({ exact: false, rounds, gicVersion }) };
  const vms = isDirect(attacker) ? witnesses : [...witnesses, sharing];
  const slot = { deviceIpa: disk.ipa, kind: disk.kind, pa: transport.base, intid: firstSpi + transport.spi };
  const hasDisk = attacker.devices?.includes(disk) === true;
  return runSystem([...vms, { ...attacker, name: 'attacker', cores: [1] }], {
    cores: hasCopier ? 5 : 4,
    maxTicks,
    gicVersion,
    tickTicks: sliceTicks,
    ...((hasDisk || attacker.streams) && { dmaEngines: 2 }),
    ...(hasDisk && {
      slots: [{ vm: 'attacker', ...slot, stream: 0x100 }],
      backends: [
        {
          kind: 'block',
          vm: 'attacker',
          disk: { name: 'disk', bytes: diskBytes(new Uint8Array(MiB)), readOnly: false },
          sectors: { first: 0, count: MiB / 512 },
        },
      ],
    }),
  });
}

/** tests/guests/src/vm/hostile.c as the attacker, with a disk. */
export const hostile = (commandLine: string): Attacker => ({
  memoryBytes: 16 * MiB,
  source: '',
  program: { image, commandLine },
  devices: [...gic, disk],
});

/** The same as a real-time VM: its interrupts are direct, its distributor is passed through. */
export const hostileDirect = (commandLine: string): Attacker => ({
  ...hostile(commandLine),
  kind: 'rtvm',
  devices: direct,
});
const isDirect = ({ devices }: Attacker): boolean => devices === direct;

const vcpuOf = (system: System, name: string): Vcpu => system.state.vcpus[system.vm(name).vcpus[0] as number]!;

/** SHA-256 of a VM's memory, without the page that depends on time. */
function hashOf(system: System, name: string): string {
  const { ipa, pa, bytes } = system.vm(name).regions[0]!;
  const hash = createHash('sha256');
  const timing = pa + timingIpa - ipa;
  hash.update(system.memory.bytes.subarray(pa, timing));
  hash.update(system.memory.bytes.subarray(timing + pageBytes, pa + bytes));
  return hash.digest('hex');
}

/** What must be equal to the bit where a VM is alone on its core. */
function everythingOf(system: System, name: string) {
  const { exits, guestTicks, injectedInterrupts, directInterrupts, switches, core } = vcpuOf(system, name);
  const { ticks, schedules, foreignInterrupts, idleTicks, hypervisorTicks } = system.state.cores[core]!;
  return {
    name,
    state: system.vm(name).state,
    ram: hashOf(system, name),
    rounds: system.words(name, dataIpa + data.rounds)[0]!,
    exceptions: system.words(name, dataIpa + data.exceptions)[0]!,
    exits: Object.fromEntries(exitCauses.map((cause, n) => [cause, Number(exits[n])])),
    of: { guestTicks, injectedInterrupts, directInterrupts, switches },
    core: { ticks, schedules, foreignInterrupts, idleTicks, hypervisorTicks },
  };
}

/** What must be equal where it is not: its end. */
const resultOf = (system: System) => ({
  name: sharer,
  ram: hashOf(system, sharer),
  isDone: system.words(sharer, dataIpa + data.isDone)[0]!,
  interrupts: system.words(sharer, dataIpa + data.interrupts)[0]!,
  exceptions: system.words(sharer, dataIpa + data.exceptions)[0]!,
  injectedInterrupts: vcpuOf(system, sharer).injectedInterrupts,
});

/** It has come to its end, or is not there. */
export const isSharerDone = (system: System): boolean => !has(system, sharer) || resultOf(system).isDone === 1n;

const has = ({ state }: System, vm: string): boolean => state.vms.some(({ name }) => name === vm);

export const seenBy = (system: System) => [
  ...alone.filter((name) => has(system, name)).map((name) => everythingOf(system, name)),
  ...(has(system, sharer) ? [resultOf(system)] : []),
];

/** The longest time that the sharer was without its core. */
export const longestWait = (system: System): number =>
  has(system, sharer) ? Number(system.words(sharer, timingIpa)[0]) * ticksPerCount : 0;

const baselines = new Map<string, ReturnType<typeof seenBy>>();
/** The same system without the attack: `quiet` is as large as the attacker, and does nothing. */
export function withoutIt(quiet: Attacker, setting: Setting): ReturnType<typeof seenBy> {
  const { source, program, streams } = quiet;
  const key = JSON.stringify([isDirect(quiet), source, program?.commandLine, streams, setting]);
  const found = baselines.get(key) ?? seenBy(runAttacked(quiet, setting));
  baselines.set(key, found);
  return found;
}

/** What hostile.c has printed into its memory, without its first line. */
export function printed(system: System): readonly string[] {
  const memory = Buffer.from(new BigUint64Array(system.words('attacker', kernelIpa, (2 * MiB) / 8)).buffer);
  const text = memory.toString('latin1');
  const at = text.search(/hostile: GICv[23], /);
  return at < 0 ? [] : text.slice(at, text.indexOf('\0', at)).split('\n').slice(1, -1);
}
