// The machine as actors: who there is, which host each lives on, and how a host makes its own.

import type { Actor, ActorId, Message, Port, Ticks } from '../actors/actor.ts';
import { type BusRegion, makeBusMap } from '../actors/bus/map.ts';
import { type Core, makeCore } from '../actors/core/core.ts';
import type { CoreControl, CoreSoftware } from '../actors/core/options.ts';
import { ErrorSource, type ReportedError } from '../actors/error-source/error-source.ts';
import { PowerController } from '../actors/power/power-controller.ts';
import { Rtc } from '../actors/rtc/rtc.ts';
import { Uart } from '../actors/uart/uart.ts';
import { requestRegisters, vmTransportBytes } from '../actors/virtio/vm-transport.ts';
import { createPe } from '../src/arch/create-pe.ts';
import type { Concurrency, Pe, PeOptions } from '../src/arch/pe.ts';
import type { Conductor } from '../src/board/run-options.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import { buildVmTree } from '../src/vm/vm-tree.ts';
import type { DeviceDescription } from '../src/board/devices.ts';
import { type Board, ppi, type Reset } from '../src/board/virt.ts';
import { type Engine, type EngineMode, makeEngine } from '../src/engine/engine.ts';
import { createPsci } from '../src/firmware/psci.ts';
import { createSemihosting } from '../src/firmware/semihosting.ts';
import { memoryViews } from '../src/memory/memory-views.ts';
import type { RamPort } from '../src/memory/ram-port.ts';
import type { CoreReport } from '../src/report/run-report.ts';
import { stopReason } from './control-block.ts';
import { deviceRam } from './device-ram.ts';
import { dmaDevices } from './dma-devices.ts';
import { type Host, type HostActor, makeHost } from './host.ts';
import { interruptController, packedAffinity } from './interrupt-controller.ts';
import { type ResidentSystem, rhyperOfCore } from './rhyper.ts';
import { kernelLink } from '../actors/linux/core-link.ts';
import { systemAccess } from '../src/arch/resident.ts';
import { type LinuxMachine, linuxMachine, type LinuxProgram } from './linux.ts';
import { noSmmu, type SmmuDevices, smmuDevices } from './smmu.ts';
import { type VirtioDevices, virtioDevices } from './virtio-devices.ts';
import { type VmDevices, vmDevices } from './vm-devices.ts';

/** Everything that decides what a machine does; plain data, but for the shared memory. */
export interface MachineConfig {
  readonly board: Board;
  readonly memory: WebAssembly.Memory;
  readonly entry: number;
  readonly x0: number;
  readonly reset: Reset;
  readonly semihosting: boolean;
  readonly commandLine: string;
  /** In the virtio slots. */
  readonly devices: readonly DeviceDescription[];
  /** Keep the frames of the network. */
  readonly capture?: boolean;
  /** What cores hear of errors of the board. */
  readonly errors?: readonly ReportedError[];
  /** Of the run: what is random in a device follows from it. */
  readonly seed: number;
  readonly hosts: number;
  /** `lockstep` unless told. */
  readonly conductor?: Conductor;
  /** The smallest latency between two actors, in ticks. */
  readonly lookaheadTicks: number;
  readonly engineMode: EngineMode;
  /** All step functions, compiled (workers/step-module.ts). */
  readonly stepModule: WebAssembly.Module;
  /** The host's time is to be profiled. */
  readonly isProfiled?: boolean;
  /** The hypervisor that is resident at EL2, in place of an image. */
  readonly resident?: ResidentSystem;
  /** The program that the resident Linux ABI at EL1 runs, in place of an image. */
  readonly linux?: LinuxProgram;
}

/** What a machine tells the world outside. */
export interface MachineOutput {
  readonly forward: (message: Message) => void;
  /** `source`: the VM, or the hypervisor, where there are several consoles. Who hears it does not keep `bytes`. */
  readonly console: (bytes: ArrayLike<number>, source?: string) => void;
  readonly guestError: (sentence: string) => void;
  /** `reason` is one of control-block.ts. */
  readonly stop: (reason: number, exitCode: number) => void;
  /** Heard where the machine has several hosts. */
  readonly codeWritten: (line: number) => void;
}

/** What the hosts of a machine have beside them where each runs by itself. */
export interface Parallel extends Concurrency {
  readonly now: () => Ticks;
  /** Accepts what other hosts have sent. */
  readonly receive: () => void;
}

/** One host's part of the machine. */
export interface HostedMachine {
  readonly host: Host;
  readonly engine: Engine;
  reports(): CoreReport[];
  /** Trace hashes of the host's actors. */
  hashes(): (readonly [ActorId, string])[];
  readonly virtio: VirtioDevices;
  readonly smmu: SmmuDevices;
  readonly vms: VmDevices;
  readonly linux: LinuxMachine | undefined;
}

/** Where the hypervisor's registers of the transports are that act for virtual machines. */
const vmTransportControl = { pa: memoryMap.vmTransports.base + requestRegisters, stride: vmTransportBytes };

/** Whose the lines of the hypervisor's own console are. */
const hypervisorSource = 'rhyper';

const firstPpi = 16;
const firstSpi = 32;

/** PMUIRQ of the Base System Architecture. */
const performanceMonitorsPpi = 7;

/** Seconds since 1970 at reset: 2000-01-01, so that two runs see the same date. */
const rtcStartSeconds = 946_684_800;

/** Identities of the actors: cores, their redistributors (with a GICv2, nobody), then the devices. */
function identities(coreCount: number) {
  const range = (from: number): ActorId[] => Array.from({ length: coreCount }, (_, n) => from + n);
  const [distributor, uart, rtc, power] = [2 * coreCount, 2 * coreCount + 1, 2 * coreCount + 2, 2 * coreCount + 3];
  return { cores: range(0), redistributors: range(coreCount), distributor, uart, rtc, power, virtio: power + 1 };
}

/** The identity after those of all these actors. */
const firstFree = (actors: readonly (readonly [ActorId, unknown])[]): ActorId =>
  1 + Math.max(...actors.map(([id]) => id));

/** Cores are dealt out in equal runs of consecutive numbers. */
export const hostOfCore = ({ board, hosts }: MachineConfig, core: number): number =>
  Math.floor((core * hosts) / board.cores.length);

/** A redistributor lives with its core, every other device on host 0. */
export function hostOf(config: MachineConfig, actor: ActorId): number {
  const coreCount = config.board.cores.length;
  return actor < 2 * coreCount ? hostOfCore(config, actor % coreCount) : 0;
}

/** Makes the actors of one host. */
export function buildMachine(
  config: MachineConfig,
  hostNumber: number,
  output: MachineOutput,
  parallel?: Parallel,
): HostedMachine {
  const { board, reset } = config;
  const coreCount = board.cores.length;
  /** The cores of one host take turns. */
  const concurrency = config.hosts > 1 ? parallel : undefined;
  const ids = identities(coreCount);
  const views = memoryViews(config.memory.buffer);
  const engine = makeEngine({
    memory: config.memory,
    views,
    worker: hostNumber,
    mode: config.engineMode,
    stepModule: config.stepModule,
    isProfiled: config.isProfiled === true,
    ...(config.hosts > 1 ? { onCodeWritten: output.codeWritten } : {}),
    isConcurrent: concurrency !== undefined,
    yields: parallel !== undefined,
  });
  const affinities = board.cores.map(({ mpidr }) => packedAffinity(mpidr));
  const gic = interruptController(board, ids);
  const ramOf = (port: Port): RamPort =>
    deviceRam(
      { views, ramBytes: board.memoryBytes, engine, cores: ids.cores, ...(concurrency && { concurrency }) },
      port,
    );
  const virtio = virtioDevices({
    descriptions: config.devices,
    capture: config.capture === true,
    console: (bytes) => {
      output.console(bytes);
    },
    seed: config.seed,
    distributor: ids.distributor,
    firstId: ids.virtio,
    memory: ramOf,
    tbuOf: (streamId) => smmu.tbuOf(streamId),
  });
  const dma = dmaDevices({
    count: board.dmaEngines,
    firstId: firstFree(virtio.actors),
    distributor: ids.distributor,
    ramOf,
    tbuOf: (streamId) => smmu.tbuOf(streamId),
  });
  const vms = vmDevices({
    uarts: config.resident?.uarts ?? [],
    slots: config.resident?.description.slots ?? [],
    backends: config.resident?.backends ?? [],
    network: config.resident?.network ?? { user: false, rule: 'learning', groups: 0 },
    quirks: config.resident?.description.options.quirks ?? [],
    seed: config.seed,
    distributor: ids.distributor,
    firstId: firstFree([...virtio.actors, ...dma.actors]),
    memory: ramOf,
    tbuOf: (streamId) => smmu.tbuOf(streamId),
    console: (vm, bytes) => {
      output.console(bytes, vm);
    },
  });
  const smmu =
    board.iommu === 'smmuv3'
      ? smmuDevices({
          clients: [...dma.clients, ...virtio.clients, ...vms.clients],
          firstId: firstFree([...virtio.actors, ...dma.actors, ...vms.actors]),
          distributor: ids.distributor,
          ramOf,
        })
      : noSmmu;
  const region = (
    name: string,
    { base, sizeBytes }: { base: number; sizeBytes: number },
    actor: ActorId,
  ): BusRegion => ({
    name,
    base,
    sizeBytes,
    actor,
  });
  const bus = makeBusMap([
    ...gic.regions,
    region('uart', memoryMap.uart, ids.uart),
    region('rtc', memoryMap.rtc, ids.rtc),
    ...virtio.regions,
    ...dma.regions,
    ...vms.regions,
    ...smmu.regions,
  ]);
  const consoleOfUart = config.resident?.uarts.find(({ region: { base } }) => base === memoryMap.uart.base)?.vm;
  const bootCores = reset.allCoresStart ? board.cores.map(({ index }) => index) : [0];

  const plainPe = (index: number): Omit<PeOptions, 'environment'> => ({
    index,
    count: coreCount,
    memory: views,
    ramBytes: board.memoryBytes,
    hasEl2: board.virtualization,
    hasEl3: board.secure,
    hasGicRegisters: board.gicVersion === 3,
    mpidr: BigInt(board.cores[index]?.mpidr ?? 0),
    ...(concurrency && { concurrency }),
  });

  function pe(index: number, control: CoreControl): Omit<PeOptions, 'environment'> {
    const semihosting = createSemihosting({
      write: output.console,
      exit: control.exit,
      now: control.now,
      commandLine: config.commandLine,
    });
    return {
      ...plainPe(index),
      ...(reset.psciConduit ? { firmware: { conduit: reset.psciConduit, call: createPsci(control.power) } } : {}),
      ...(config.semihosting ? { semihosting } : {}),
    };
  }

  /** Where cores run on several threads the kernel of the Linux ABI is an actor, which lives with the devices. */
  const hasKernelActor = config.linux !== undefined && concurrency !== undefined;
  const linuxHere = hostNumber === 0 || !hasKernelActor ? config.linux : undefined;
  const linux =
    linuxHere &&
    linuxMachine(
      {
        board,
        views,
        engine,
        cores: ids.cores,
        startSeconds: rtcStartSeconds,
        seed: config.seed,
        console: output.console,
        guestError: output.guestError,
        ...(concurrency && { concurrency }),
      },
      linuxHere,
    );
  const firstIdAfterDevices = firstFree([...virtio.actors, ...dma.actors, ...vms.actors, ...smmu.actors]);
  const [errorSourceId, kernelId] = [firstIdAfterDevices, firstIdAfterDevices + 1];

  /** The Linux ABI at EL1 of a core. */
  const kernelOfCore =
    (index: number) =>
    (hosted: Pe, control: CoreControl): CoreSoftware => {
      if (linux && !hasKernelActor) return linux.ofCore(index, hosted, control);
      const system = systemAccess(hosted, views.doublewords);
      return kernelLink({ kernel: kernelId, port: control.port, pe: hosted, system });
    };
  const exitOfPrograms = (code: number): void => {
    output.stop(stopReason.exit, code);
  };
  const kernel: readonly (readonly [ActorId, (port: Port) => Actor])[] =
    linux && hasKernelActor ? [[kernelId, (port) => linux.actor(port, { pe: plainPe, exit: exitOfPrograms })]] : [];

  const hypervisor = (system: ResidentSystem, index: number) => (hosted: Pe, control: CoreControl) =>
    rhyperOfCore(
      {
        board,
        views,
        engine,
        cores: ids.cores,
        slotControl: vmTransportControl,
        buildTree: buildVmTree,
        log: (line) => {
          output.console(new TextEncoder().encode(`${line}\n`), hypervisorSource);
        },
      },
      system,
      index,
      hosted,
      control,
    );

  const core =
    (index: number) =>
    (port: Port): Core => {
      const made = makeCore(port, {
        index,
        engine,
        views,
        bus,
        cores: ids.cores,
        redistributor: gic.ofCore(index),
        powerController: ids.power,
        hasEl2: board.virtualization,
        hasEl3: board.secure,
        resetEl: reset.el,
        ppis: {
          CNTP: firstPpi + ppi.physicalTimer,
          CNTV: firstPpi + ppi.virtualTimer,
          CNTHP: firstPpi + ppi.hypervisorTimer,
          CNTHV: firstPpi + ppi.hypervisorVirtualTimer,
          CNTPS: firstPpi + ppi.secureTimer,
          PMU: firstPpi + performanceMonitorsPpi,
          maintenance: firstPpi + ppi.gicMaintenance,
        },
        guestExit: (code) => {
          output.stop(stopReason.exit, code);
        },
        guestError: output.guestError,
        ...(parallel && { clock: parallel.now }),
        makePe: (environment, control) => createPe({ ...pe(index, control), environment }),
        ...(config.resident ? { makeResident: hypervisor(config.resident, index) } : {}),
        ...(config.linux ? { makeResident: kernelOfCore(index) } : {}),
      });
      return made;
    };

  const { errors = [] } = config;
  const errorSource: readonly (readonly [ActorId, (port: Port) => Actor])[] =
    errors.length === 0 ? [] : [[errorSourceId, (port) => new ErrorSource(port, errors)]];
  const devices: (readonly [ActorId, (port: Port) => Actor])[] = [
    ...gic.actors,
    [
      ids.uart,
      (port) =>
        new Uart(port, {
          distributor: ids.distributor,
          intid: firstSpi + memoryMap.uart.spi,
          sink: {
            write: (bytes) => {
              output.console(bytes, consoleOfUart);
            },
          },
        }),
    ],
    [
      ids.rtc,
      (port) =>
        new Rtc(port, {
          distributor: ids.distributor,
          intid: firstSpi + memoryMap.rtc.spi,
          startSeconds: rtcStartSeconds,
        }),
    ],
    [
      ids.power,
      (port) =>
        new PowerController(port, {
          cores: ids.cores,
          affinities,
          bootCores,
          sink: {
            systemOff: () => {
              output.stop(stopReason.systemOff, 0);
            },
            systemReset: () => {
              output.stop(stopReason.systemReset, 0);
            },
          },
        }),
    ],
    ...virtio.actors,
    ...dma.actors,
    ...vms.actors,
    ...smmu.actors,
    ...errorSource,
    ...kernel,
  ];
  const everyone: HostActor[] = [
    ...ids.cores.map((id) => ({ id, make: core(id) })),
    ...devices.map(([id, make]) => ({ id, make })),
  ];
  const mine = everyone.filter(({ id }) => hostOf(config, id) === hostNumber);
  const host = makeHost({
    actors: mine,
    coreCount,
    // Where time passes by itself, a message is due when it is there.
    lookaheadTicks: parallel ? 0 : config.lookaheadTicks,
    forward: output.forward,
    ...(parallel && { clock: parallel.now, receive: parallel.receive }),
  });
  const cores = mine.filter(({ id }) => id < coreCount).map(({ id }) => ({ id, core: host.actor(id) as Core }));
  for (const { id, core: hosted } of cores) {
    if (bootCores.includes(id)) hosted.start(BigInt(config.entry), BigInt(config.x0));
  }

  return {
    host,
    engine,
    virtio,
    smmu,
    vms,
    linux,
    reports: () =>
      cores.map(({ id, core: { counters, exceptions, ...hosted } }) => ({
        core: id,
        mpidr: board.cores[id]?.mpidr ?? 0,
        instructions: hosted.instructions(),
        timeNs: hosted.nowTicks(),
        asleepNs: counters.asleepTicks,
        isAsleep: hosted.state() === 'asleep',
        interrupts: counters.interrupts,
        interruptsAtEl1: counters.interruptsAtEl1,
        ipisSent: counters.ipisSent,
        ipisReceived: counters.ipisReceived,
        exceptions: { EL1: exceptions[1] ?? 0, EL2: exceptions[2] ?? 0, EL3: exceptions[3] ?? 0 },
      })),
    hashes: () => mine.map(({ id }) => [id, host.traceHash(id)] as const),
  };
}
