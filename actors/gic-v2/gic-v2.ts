// A GICv2 (Arm IHI 0048), all of it in one actor: the distributor, and for each of up to eight cores a CPU interface and a virtual CPU
// interface. Its registers are memory-mapped; which core's registers an access means is told by who asks. It drives the interrupt
// signals of the cores, and hears the wires of devices and of the cores' own timers.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { type Device, type GuestErrors, noGuestErrors, serveBusRequest } from '../device.ts';
import { firstPpi } from '../gic/groups.ts';
import { wireMessages } from '../gic/wires.ts';
import { GicV2CpuInterface, type SavedCpuInterface } from './cpu-interface.ts';
import { GicV2Distributor, type SavedDistributor } from './distributor.ts';
import { interruptLines } from './messages.ts';
import { frameBytes, frames } from './registers.ts';
import type { VirtualInterfaceState } from '../gic/virtual-interface.ts';
import { GicV2VirtualFrames } from './virtual-frames.ts';

const version = 1;

export interface GicV2Options {
  /** At most eight. */
  readonly cores: readonly ActorId[];
  /** The Security Extensions. */
  readonly security: boolean;
  /** INTID of the maintenance interrupt of each core's virtual interface. */
  readonly maintenance: number;
}

/** The signals of a core, as InterruptLines has them. */
type Lines = [irq: number, fiq: number, virq: number, vfiq: number];

interface SavedGicV2 {
  readonly version: typeof version;
  readonly distributor: SavedDistributor;
  readonly cpuInterfaces: readonly SavedCpuInterface[];
  readonly virtualFrames: readonly VirtualInterfaceState[];
  readonly lines: readonly Lines[];
  readonly told: readonly Lines[];
  readonly guestErrors: GuestErrors;
}

export class GicV2 implements Actor, Device {
  readonly guestErrors: GuestErrors = noGuestErrors();
  private readonly port: Port;
  private readonly cores: readonly ActorId[];
  private readonly distributor: GicV2Distributor;
  private readonly cpuInterfaces: readonly GicV2CpuInterface[];
  private readonly virtualFrames: readonly GicV2VirtualFrames[];
  private readonly coreOf: ReadonlyMap<ActorId, number>;
  private readonly lines: Lines[];
  /** What each core was last told. */
  private told: Lines[];
  /** The core whose request is served. */
  private requester = 0;

  constructor(port: Port, { cores, security, maintenance }: GicV2Options) {
    this.port = port;
    this.cores = cores;
    this.coreOf = new Map(cores.map((id, core) => [id, core]));
    this.lines = cores.map(() => [0, 0, 0, 0]);
    this.told = cores.map(() => [0, 0, 0, 0]);
    const distributor = new GicV2Distributor(cores.length, security, this.guestErrors);
    this.distributor = distributor;
    this.cpuInterfaces = cores.map((_, core) => new GicV2CpuInterface(core, distributor, security, this.guestErrors));
    this.virtualFrames = cores.map(
      (_, core) =>
        new GicV2VirtualFrames(
          {
            signal: (virq, vfiq) => {
              this.lines[core]![2] = virq ? 1 : 0;
              this.lines[core]![3] = vfiq ? 1 : 0;
            },
            maintenance: (level) => {
              distributor.wire(core, maintenance, level);
            },
            deactivate: (intid) => {
              // A hypervisor, which is Non-secure, can end what is in Group 1; no list register stands for an SGI.
              const isForeign = security && distributor.groupOf(core, intid) === 0;
              if (intid >= firstPpi && !isForeign) distributor.deactivate(core, intid);
            },
          },
          this.guestErrors,
        ),
    );
  }

  receive(message: Message): void {
    const core = this.coreOf.get(message.source) ?? 0;
    this.requester = core;
    if (serveBusRequest(this.port, this, message)) return;
    const [intid = 0] = message.payload;
    this.distributor.wire(core, intid, message.code === wireMessages.WireSet.code);
    this.tellCores();
  }

  timer(): void {}

  /** The signals go out before the response: a core that has its answer has what followed from its request. */
  read(offset: number, sizeBytes: number, nonSecure: boolean): number {
    const value = this.readFrame(offset, sizeBytes, nonSecure) >>> 0;
    this.tellCores();
    return value;
  }

  write(offset: number, sizeBytes: number, value: number, nonSecure: boolean): void {
    this.writeFrame(offset, sizeBytes, value, nonSecure);
    this.tellCores();
  }

  private readFrame(offset: number, sizeBytes: number, nonSecure: boolean): number {
    const core = this.requester;
    const within = offset % frameBytes;
    if (offset - within === frames.GICD) return this.distributor.read(core, within, sizeBytes, nonSecure);
    if (sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return 0;
    }
    switch (offset - within) {
      case frames.GICC:
        return this.cpuInterfaces[core]!.read(within, nonSecure);
      case frames.GICH:
        return this.virtualFrames[core]!.readGich(within);
      default:
        return this.virtualFrames[core]!.readGicv(within);
    }
  }

  private writeFrame(offset: number, sizeBytes: number, value: number, nonSecure: boolean): void {
    const core = this.requester;
    const within = offset % frameBytes;
    if (offset - within === frames.GICD) {
      this.distributor.write(core, within, sizeBytes, value, nonSecure);
      return;
    }
    if (sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return;
    }
    switch (offset - within) {
      case frames.GICC:
        this.cpuInterfaces[core]!.write(within, value, nonSecure);
        break;
      case frames.GICH:
        this.virtualFrames[core]!.writeGich(within, value);
        break;
      default:
        this.virtualFrames[core]!.writeGicv(within, value);
    }
  }

  private tellCores(): void {
    this.cpuInterfaces.forEach((cpuInterface, core) => {
      const { irq, fiq } = cpuInterface.signals();
      const lines = this.lines[core]!;
      lines[0] = irq ? 1 : 0;
      lines[1] = fiq ? 1 : 0;
      if (lines.every((level, n) => level === this.told[core]![n])) return;
      this.told[core] = [...lines];
      this.port.send(this.cores[core]!, interruptLines.InterruptLines.code, lines.slice());
    });
  }

  save(): SavedGicV2 {
    return {
      version,
      distributor: this.distributor.save(),
      cpuInterfaces: this.cpuInterfaces.map((cpuInterface) => cpuInterface.save()),
      virtualFrames: this.virtualFrames.map((frame) => frame.save()),
      lines: structuredClone(this.lines),
      told: structuredClone(this.told),
      guestErrors: { ...this.guestErrors },
    };
  }

  restore(saved: SavedGicV2): void {
    this.distributor.restore(saved.distributor);
    this.cpuInterfaces.forEach((cpuInterface, core) => {
      cpuInterface.restore(saved.cpuInterfaces[core]!);
    });
    this.virtualFrames.forEach((frame, core) => {
      frame.restore(saved.virtualFrames[core]!);
    });
    saved.lines.forEach((lines, core) => (this.lines[core] = [...lines]));
    this.told = structuredClone(saved.told) as Lines[];
    Object.assign(this.guestErrors, saved.guestErrors);
  }
}
