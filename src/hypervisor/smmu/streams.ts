// Which stream is whose (Arm IHI 0070, "Stream Table Entry"): a stream of a VM is translated by the VM's stage 2 tables, with the VM's
// id as VMID, as its cores' accesses are; every other stream is aborted. The table has two levels; a table of the second level
// is made when a stream of it is given away for the first time, and stays.

import { type Activity, writeDevice } from '../../arch/resident.ts';
import { assert } from '../../report/assert.ts';
import { type Rhyper, vmAt } from '../context.ts';
import { limits } from '../limits.ts';
import { allocatePages, pageBytes } from '../memory.ts';
import { enableEdge } from '../vgic/gic.ts';
import { deviceRootOf, vtcr } from '../stage2.ts';
import type { Vm } from '../state.ts';
import { hearFaults } from './events.ts';
import { awaitSmmu, issue, lock, log2Commands, log2Events, unlock, writeSmmu } from './queues.ts';
import { command, cr0, cr1, cr2, gbpa, irqCtrl, stage2Bits, steBytes, steConfig, steValid } from './registers.ts';
import type { StreamRecord } from './state.ts';
import { forget, recordOf } from './stream-records.ts';

/** SMMU_STRTAB_BASE_CFG: 2^16 streams, 256 in each table of the second level. */
const log2Streams = Math.log2(limits.streamIds);
const split = 8;
const twoLevels = 1 << 16;
const spanOfTable = split + 1;
const tablePages = (2 ** split * steBytes) / pageBytes;

const twoTo32 = 2 ** 32;
const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);
const pair = (address: number): [number, number] => [address % twoTo32, Math.floor(address / twoTo32)];

/** Turns the SMMU on, with every stream aborted; on a board without one, nothing happens. */
export function* initSmmu(rhyper: Rhyper): Activity {
  const { smmu } = rhyper.state;
  const { smmu: place } = rhyper.platform;
  if (!place) return;
  const page = (): number => {
    const pa = allocatePages(rhyper, 1);
    assert(pa !== undefined, 'the hypervisor has memory for the tables of the SMMU');
    return pa;
  };
  const [streamTable, commandQueue, eventQueue] = [page(), page(), page()];
  Object.assign(smmu, { streamTable, commandQueue, eventQueue });
  // Whatever a device does before the SMMU is on is aborted.
  yield* writeSmmu(rhyper, 'GBPA', (gbpa.UPDATE + gbpa.ABORT) >>> 0);
  yield* awaitSmmu(rhyper, 'GBPA', (GBPA) => GBPA < gbpa.UPDATE);
  yield* writeSmmu(rhyper, 'CR1', cr1);
  yield* writeSmmu(rhyper, 'CR2', cr2.RECINVSID);
  yield* writeSmmu(rhyper, 'STRTAB_BASE', streamTable);
  yield* writeSmmu(rhyper, 'STRTAB_BASE_CFG', log2Streams | (split << 6) | twoLevels);
  yield* writeSmmu(rhyper, 'CMDQ_BASE', commandQueue + log2Commands);
  yield* writeSmmu(rhyper, 'EVENTQ_BASE', eventQueue + log2Events);
  yield* writeSmmu(rhyper, 'IRQ_CTRL', irqCtrl.GERROR_IRQEN);
  yield* enableEdge(rhyper, place.gerrorIntid, rhyper.index);
  const queues = cr0.CMDQEN | cr0.EVENTQEN;
  yield* writeSmmu(rhyper, 'CR0', queues);
  yield* awaitSmmu(rhyper, 'CR0ACK', (CR0ACK) => CR0ACK === queues);
  yield* issue(rhyper, command.CFGI_ALL, command.TLBI_EL2_ALL, command.TLBI_NSNH_ALL);
  yield* writeSmmu(rhyper, 'CR0', queues | cr0.SMMUEN);
  yield* awaitSmmu(rhyper, 'CR0ACK', (CR0ACK) => CR0ACK === (queues | cr0.SMMUEN));
  smmu.isOn = 1;
}

/** Where the STE of a stream is; undefined where there is no memory for it. */
function entryOf(rhyper: Rhyper, streamId: number): number | undefined {
  const { streamTable } = rhyper.state.smmu;
  const descriptor = streamTable + 8 * Math.floor(streamId / 2 ** split);
  const { words } = rhyper.memory;
  let table = (words[descriptor / 4 + 1] as number) * twoTo32 + (words[descriptor / 4] as number);
  if (table === 0) {
    const made = allocatePages(rhyper, tablePages);
    if (made === undefined) return undefined;
    table = made + spanOfTable;
    rhyper.port.writeRam(descriptor, bytesOf(pair(table)));
  }
  return table - spanOfTable + steBytes * (streamId % 2 ** split);
}

/** The words of an STE. The fields of stage 2 have the places that they have in VTCR_EL2. */
function stage2Entry(vm: Vm, records: boolean): number[] {
  const control = Number(vtcr & 0x7_ffffn) | stage2Bits.S2AA64 | (records ? stage2Bits.S2R : 0);
  return [steValid | steConfig.stage2, 0, 0, 0, vm.id, control, ...pair(deviceRootOf(vm)), ...Array<number>(8).fill(0)];
}
/** A transaction is aborted, and not recorded. */
const abortEntry: readonly number[] = [steValid | steConfig.abort, ...Array<number>(15).fill(0)];

/** Replaces an STE while nobody uses it: its first word, which has V, is written last. */
function writeEntry(rhyper: Rhyper, at: number, words: readonly number[]): void {
  rhyper.port.writeRam(at, bytesOf([0]));
  rhyper.port.writeRam(at + 4, bytesOf(words.slice(1)));
  rhyper.port.writeRam(at, bytesOf(words.slice(0, 1)));
}

/** The StreamIDs of a VM: those of its configuration, and those of the transports that act for its devices. */
function streamsOf({ description }: Rhyper, { config }: Vm): number[] {
  const slots = config.devices
    .filter(({ slot }, n) => n < config.deviceCount && slot !== 0)
    .flatMap(({ slot }) => description.slots[slot - 1]?.stream ?? []);
  return [...new Set([...config.streams.subarray(0, config.streamCount), ...slots])];
}

/** Lets the streams of a VM reach what its stage 2 maps; a refusal in words. */
export function* attachStreams(rhyper: Rhyper, vm: Vm): Activity<string | undefined> {
  const { smmu } = rhyper.state;
  const streams = streamsOf(rhyper, vm);
  vm.hearsFaults = vm.config.streamCount > 0 || enginesOf(rhyper, vm).length > 0 ? 1 : 0;
  vm.faultsHeardAt = 0;
  if (streams.length === 0) return undefined;
  if (smmu.isOn === 0) return `there is no SMMU for its stream ${streams[0]}`;
  yield* lock(rhyper);
  const refusal = claim(rhyper, vm, streams);
  yield* issue(rhyper, ...streams.map(command.CFGI_STE));
  unlock(rhyper);
  return refusal;
}

/**
 * Faults of these are recorded. A transport tells its driver itself (DEVICE_NEEDS_RESET).
 */
const isPassedThrough = ({ config }: Vm, streamId: number): boolean =>
  config.streams.subarray(0, config.streamCount).includes(streamId);

function claim(rhyper: Rhyper, vm: Vm, streams: readonly number[]): string | undefined {
  for (const streamId of streams) {
    if (streamId >= limits.streamIds) return `there is no stream ${streamId}`;
    const record = recordOf(rhyper, streamId);
    if (!record) return `there is no room for its stream ${streamId}`;
    if (record.owner !== 0) return `streams conflict: ${streamId}`;
    const entry = entryOf(rhyper, streamId);
    if (entry === undefined) return 'there is no memory for its streams';
    forget(record, vm.id + 1);
    writeEntry(rhyper, entry, stage2Entry(vm, isPassedThrough(vm, streamId)));
  }
  return undefined;
}

/** Takes all streams of a VM away. When it is done, no device reaches the VM's memory any more. */
export function* detachStreams(rhyper: Rhyper, vm: Vm): Activity {
  const { smmu } = rhyper.state;
  const streams = smmu.streams.filter(({ isKnown, owner }) => isKnown !== 0 && owner === vm.id + 1);
  if (smmu.isOn === 0 || streams.length === 0) return;
  yield* lock(rhyper);
  for (const stream of streams) {
    const entry = entryOf(rhyper, stream.streamId);
    if (entry !== undefined) writeEntry(rhyper, entry, abortEntry);
  }
  yield* issue(rhyper, ...streams.map(({ streamId }) => command.CFGI_STE(streamId)), command.TLBI_S12_VMALL(vm.id));
  unlock(rhyper);
  // What is recorded up to now is the VM's, and nothing will be that could be taken for the next owner's.
  yield* hearFaults(rhyper);
  for (const stream of streams) Object.assign(stream, { owner: 0, isMuted: 0 });
}

/** The SMMU records no more faults of a stream: one that faults for ever leaves the Event queue to others. The caller has the Command queue. */
export function* mute(rhyper: Rhyper, stream: StreamRecord): Activity {
  const entry = entryOf(rhyper, stream.streamId);
  if (entry === undefined) return;
  stream.isMuted = 1;
  writeEntry(rhyper, entry, stream.owner === 0 ? abortEntry : stage2Entry(vmAt(rhyper, stream.owner - 1), false));
  yield* issue(rhyper, command.CFGI_STE(stream.streamId));
}

/** DMA_CONTROL of the board's DMA engines, and its RESET. */
const dmaControl = { offset: 0x08, RESET: 0x8000_0000 } as const;

/** The DMA engines whose registers a VM has been given. */
const enginesOf = ({ platform }: Rhyper, { config }: Vm): readonly number[] =>
  platform.dmaEngines.filter((pa) =>
    config.windows.some((window, n) => n < config.windowCount && pa >= window.pa && pa < window.pa + window.bytes),
  );

/** They stop, and forget what they were told. */
export function* resetEngines(rhyper: Rhyper, vm: Vm): Activity {
  for (const pa of enginesOf(rhyper, vm)) yield* writeDevice(pa + dmaControl.offset, 4, dmaControl.RESET);
}
