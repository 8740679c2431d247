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
import { gic, kernelIpa, pageBytes, runSystem, type System, type TestVm } from '../system.ts';
import { data, dataIpa, timingIpa, witness } from './witness.ts';

const MiB = 0x10_0000;
const image = readFileSync(new URL('../../guests/bin/vm/hostile.img', import.meta.url));
const direct = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));

export const sliceTicks = 50_000;
/** What EL2 may do for the attacker after the end of its slice, and for the switch. */
export const lateTicks = 10_000;
const ticksPerCount = 16;

const alone = ['mvm', 'alone', 'direct'] as const;
const sharer = 'sharer';

const transport = vmTransport(0);
const firstSpi = 32;
const disk = { name: 'disk', kind: 'virtioBlock' as const, ipa: 0x0a00_0000, bytes: 0x1000, intid: 48, arguments: [] };

type Attacker = Omit<TestVm, 'name' | 'cores'>;

const witnesses: readonly TestVm[] = [
  { name: 'mvm', kind: 'mvm', cores: [0], source: witness({ exact: true }) },
  { name: 'alone', cores: [2], source: witness({ exact: true }) },
  { name: 'direct', kind: 'rtvm', cores: [3], devices: direct, source: witness({ exact: true }) },
];
const sharing: TestVm = { name: sharer, cores: [1], source: witness({ exact: false, rounds: 4000 }) };

/** The system with this VM, named `attacker`, on the core of the sharer; one that takes its interrupts itself has the core to itself. */
export function runAttacked(attacker: Attacker, maxTicks: number): System {
  const vms = isDirect(attacker) ? witnesses : [...witnesses, sharing];
  const slot = { deviceIpa: disk.ipa, kind: disk.kind, pa: transport.base, intid: firstSpi + transport.spi };
  const hasDisk = attacker.devices?.includes(disk) === true;
  return runSystem([...vms, { ...attacker, name: 'attacker', cores: [1] }], {
    cores: 4,
    maxTicks,
    tickTicks: sliceTicks,
    ...((hasDisk || attacker.streams) && { dmaEngines: 1 }),
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

const hasSharer = ({ state }: System): boolean => state.vms.some(({ name }) => name === sharer);

export const seenBy = (system: System) => [
  ...alone.map((name) => everythingOf(system, name)),
  ...(hasSharer(system) ? [resultOf(system)] : []),
];

/** The longest time that the sharer was without its core. */
export const longestWait = (system: System): number =>
  hasSharer(system) ? Number(system.words(sharer, timingIpa)[0]) * ticksPerCount : 0;

const baselines = new Map<string, ReturnType<typeof seenBy>>();
/** The same system without the attack: `quiet` is as large as the attacker, and does nothing. */
export function withoutIt(quiet: Attacker, maxTicks: number): ReturnType<typeof seenBy> {
  const { source, program, streams } = quiet;
  const key = JSON.stringify([isDirect(quiet), source, program?.commandLine, streams, maxTicks]);
  const found = baselines.get(key) ?? seenBy(runAttacked(quiet, maxTicks));
  baselines.set(key, found);
  return found;
}

/** What hostile.c has printed into its memory, without its first line. */
export function printed(system: System): readonly string[] {
  const memory = Buffer.from(new BigUint64Array(system.words('attacker', kernelIpa, (2 * MiB) / 8)).buffer);
  const text = memory.toString('latin1');
  const at = text.indexOf('hostile: GICv3, ');
  return at < 0 ? [] : text.slice(at, text.indexOf('\0', at)).split('\n').slice(1, -1);
}
