// A virtio device behind its registers: virtio over MMIO (virtio 1.2), version 2 of the layout, with VIRTIO_F_VERSION_1 required,
// indirect descriptors, event index, packed rings and queue reset offered, and VIRTIO_F_ACCESS_PLATFORM where an IOMMU translates.
// Addresses in rings are what the port's memory says they are: a driver that has not accepted that feature has to see to it that they
// are physical ones. Left out: the legacy interface (a driver of it reads version 2 and leaves), VIRTIO_F_NOTIFICATION_DATA and
// shared memory regions.
//
// A driver that breaks a rule of the rings gets DEVICE_NEEDS_RESET and a configuration interrupt; nothing of its rings is read or
// written until it has reset the device.

import { type Device, type GuestErrors, narrow, RegisterFile } from '../device.ts';
import type { DeviceFactory, DeviceHost, VirtioDevice, VirtioPort } from './device.ts';
import { accessPlatform, type FeatureWords, featureWords, hasFeature, isSubset, ringFeature } from './features.ts';
import { type QueueRegisters, TransportQueue } from './transport-queue.ts';
import { configOffset, interruptBit, type TransportRegister, transportTable } from './transport-registers.ts';
import { deviceLifecycle, type DeviceState, deviceStatus, driverSteps } from './status.ts';
import type { Chain, QueuePosition, RingFault, UsedBuffer } from './virtqueue.ts';

/** What happened, since the machine was built. */
export interface TransportCounters {
  notifications: number;
  buffersTaken: number;
  buffersUsed: number;
  /** Times that the driver was to be interrupted for used buffers, and times that it had asked not to be. */
  interrupts: number;
  suppressedInterrupts: number;
  /** Drivers that broke a rule. */
  faults: number;
}

interface SavedTransport {
  readonly version: 1;
  readonly state: DeviceState;
  readonly status: number;
  readonly deviceFeaturesSelect: number;
  readonly driverFeaturesSelect: number;
  readonly driverFeatures: FeatureWords;
  readonly queueSelect: number;
  readonly interruptStatus: number;
  readonly configGeneration: number;
  readonly lastFault: string | undefined;
  readonly queues: readonly { readonly registers: QueueRegisters; readonly position: QueuePosition }[];
  readonly counters: TransportCounters;
  readonly guestErrors: GuestErrors;
  readonly device: unknown;
}

const noFeatures: FeatureWords = [0, 0];

export class VirtioTransport<Kind extends VirtioDevice = VirtioDevice> implements Device {
  readonly device: Kind;
  readonly counters: TransportCounters = {
    notifications: 0,
    buffersTaken: 0,
    buffersUsed: 0,
    interrupts: 0,
    suppressedInterrupts: 0,
    faults: 0,
  };
  private readonly port: VirtioPort;
  private readonly registers = new RegisterFile(transportTable);
  private readonly offered: FeatureWords;
  private readonly queues: readonly TransportQueue[];
  private state: DeviceState = deviceLifecycle.initial;
  private status = 0;
  private deviceFeaturesSelect = 0;
  private driverFeaturesSelect = 0;
  private driverFeatures: FeatureWords = noFeatures;
  private queueSelect = 0;
  private interruptStatus = 0;
  private configGeneration = 0;
  private lastFault: string | undefined;

  constructor(port: VirtioPort, makeDevice: DeviceFactory<Kind>) {
    this.port = port;
    this.device = makeDevice(this.host());
    const platform = port.isTranslated === true ? [accessPlatform] : [];
    this.offered = featureWords([...this.device.features, ...Object.values(ringFeature), ...platform]);
    this.queues = this.device.queueSizes.map((size) => new TransportQueue(port.memory, size));
  }

  get guestErrors(): GuestErrors {
    return this.registers.guestErrors;
  }

  /** The rule that the driver has broken, while DEVICE_NEEDS_RESET is set. */
  get fault(): string | undefined {
    return this.lastFault;
  }

  /** The driver uses the device. */
  get isLive(): boolean {
    return this.state === 'live';
  }

  timer(tag: number): void {
    this.device.timer(tag);
  }

  read(offset: number, sizeBytes: number): number {
    if (offset >= configOffset) return narrow(this.device.readConfig(offset - configOffset, sizeBytes), 0, sizeBytes);
    const row = this.registers.rowToRead(offset);
    if (row === undefined) return 0;
    if (sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return 0;
    }
    return this.readRegister(row.name, row.reset) >>> 0;
  }

  write(offset: number, sizeBytes: number, value: number): void {
    if (offset >= configOffset) {
      if (!this.device.writeConfig(offset - configOffset, sizeBytes, value)) this.guestErrors.writeOfReadOnly++;
      return;
    }
    const row = this.registers.rowToWrite(offset);
    if (row === undefined) return;
    if (sizeBytes !== 4) this.guestErrors.unsupportedSize++;
    else this.writeRegister(row.name, (value & row.mask) >>> 0);
  }

  private readRegister(name: TransportRegister, reset: number): number {
    const queue = this.queues[this.queueSelect];
    switch (name) {
      case 'DeviceID':
        return this.device.deviceId;
      case 'DeviceFeatures':
        return this.offered[this.deviceFeaturesSelect] ?? 0;
      case 'QueueNumMax':
        return queue?.maxSize ?? 0;
      case 'QueueReady':
        return queue?.isReady === true ? 1 : 0;
      case 'InterruptStatus':
        return this.interruptStatus;
      case 'Status':
        return this.status;
      case 'ConfigGeneration':
        return this.configGeneration;
      default:
        return reset;
    }
  }

  private writeRegister(name: TransportRegister, value: number): void {
    switch (name) {
      case 'DeviceFeaturesSel':
        this.deviceFeaturesSelect = value;
        break;
      case 'DriverFeaturesSel':
        this.driverFeaturesSelect = value;
        break;
      case 'DriverFeatures':
        this.acceptFeatures(value);
        break;
      case 'QueueSel':
        this.queueSelect = value;
        break;
      case 'QueueNotify':
        this.notify(value);
        break;
      case 'InterruptACK':
        this.setInterruptStatus(this.interruptStatus & ~value);
        break;
      case 'Status':
        this.writeStatus(value);
        break;
      case 'SHMSel':
        break;
      default:
        this.writeQueueRegister(name, value);
    }
  }

  private writeQueueRegister(name: TransportRegister, value: number): void {
    const queue = this.queues[this.queueSelect];
    if (queue === undefined) {
      this.guestErrors.misuse++;
    } else if (name === 'QueueReset') {
      // The reset is complete at once: the register reads 0.
      if (value === 1) this.resetQueue(queue, this.queueSelect);
    } else if (name === 'QueueReady') {
      this.setReady(queue, value === 1);
    } else if (!queue.write(name, value)) {
      this.guestErrors.misuse++;
    }
  }

  private resetQueue(queue: TransportQueue, index: number): void {
    if (!this.hasFeature(ringFeature.RING_RESET)) {
      this.guestErrors.misuse++;
      return;
    }
    queue.reset();
    this.device.resetQueue(index);
  }

  private setReady(queue: TransportQueue, ready: boolean): void {
    if (!ready) {
      queue.stop();
      return;
    }
    // What a ring looks like is not agreed upon before.
    if (this.state !== 'negotiated' && this.state !== 'live') {
      this.guestErrors.misuse++;
      return;
    }
    const fault = queue.start({
      packed: this.hasFeature(ringFeature.RING_PACKED),
      indirect: this.hasFeature(ringFeature.INDIRECT_DESC),
      eventIndex: this.hasFeature(ringFeature.EVENT_IDX),
    });
    if (fault !== undefined) this.breakDown(fault);
  }

  private hasFeature(bit: number): boolean {
    return (this.status & deviceStatus.FEATURES_OK) !== 0 && hasFeature(this.driverFeatures, bit);
  }

  private acceptFeatures(value: number): void {
    // What was agreed upon stays as it is until the reset.
    if ((this.status & deviceStatus.FEATURES_OK) !== 0 || this.driverFeaturesSelect > 1) {
      if (value !== 0) this.guestErrors.misuse++;
      return;
    }
    const [low, high] = this.driverFeatures;
    this.driverFeatures = this.driverFeaturesSelect === 0 ? [value, high] : [low, value];
  }

  private writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    // A driver sets bits and clears none; each bit that it has set is a step.
    if ((this.status & ~deviceStatus.DEVICE_NEEDS_RESET & ~value) !== 0) this.guestErrors.misuse++;
    for (const step of driverSteps) {
      const bit = deviceStatus[step];
      if ((value & ~this.status & bit) === 0) continue;
      const next = deviceLifecycle.next(this.state, step);
      if (next === undefined || (step === 'FEATURES_OK' && !this.canServe())) {
        this.guestErrors.misuse++;
        continue;
      }
      this.state = next;
      this.status |= bit;
      if (step === 'DRIVER_OK') this.goLive();
    }
  }

  private canServe(): boolean {
    return isSubset(this.driverFeatures, this.offered) && hasFeature(this.driverFeatures, ringFeature.VERSION_1);
  }

  private goLive(): void {
    this.device.start();
    // A driver may have filled its queues, and told us, before.
    this.queues.forEach((queue, index) => {
      if (queue.takeEarlyNotification()) this.device.notify(index);
    });
  }

  private notify(index: number): void {
    const queue = this.queues[index];
    this.counters.notifications++;
    if (queue === undefined) this.guestErrors.misuse++;
    else if (this.state === 'live') this.device.notify(index);
    else queue.noteEarlyNotification();
  }

  private reset(): void {
    this.state = deviceLifecycle.next(this.state, 'RESET') ?? deviceLifecycle.initial;
    this.status = 0;
    this.deviceFeaturesSelect = 0;
    this.driverFeaturesSelect = 0;
    this.driverFeatures = noFeatures;
    this.queueSelect = 0;
    this.lastFault = undefined;
    for (const queue of this.queues) queue.reset();
    this.device.reset();
    this.setInterruptStatus(0);
  }

  /** The driver has broken a rule. */
  private breakDown(fault: string): void {
    this.counters.faults++;
    const next = deviceLifecycle.next(this.state, 'BROKEN');
    if (next === undefined) {
      this.guestErrors.misuse++;
      return;
    }
    const wasLive = this.state === 'live';
    this.state = next;
    this.status |= deviceStatus.DEVICE_NEEDS_RESET;
    this.lastFault = fault;
    if (wasLive) this.announceConfigChange();
  }

  private announceConfigChange(): void {
    this.configGeneration = (this.configGeneration + 1) >>> 0;
    this.setInterruptStatus(this.interruptStatus | interruptBit.configuration);
  }

  private setInterruptStatus(value: number): void {
    const wasHigh = this.interruptStatus !== 0;
    this.interruptStatus = value;
    if ((value !== 0) !== wasHigh) this.port.interrupt(value !== 0);
  }

  private take(index: number): Chain | undefined {
    if (this.state !== 'live') return undefined;
    const taken = this.queues[index]?.ring?.take();
    if (typeof taken === 'string') {
      this.breakDown(taken);
      return undefined;
    }
    if (taken !== undefined) this.counters.buffersTaken++;
    return taken;
  }

  private use(index: number, buffers: readonly UsedBuffer[]): void {
    if (this.state !== 'live' || buffers.length === 0) return;
    const wanted: boolean | RingFault | undefined = this.queues[index]?.ring?.use(buffers);
    if (wanted === undefined) return;
    if (typeof wanted === 'string') {
      this.breakDown(wanted);
      return;
    }
    this.counters.buffersUsed += buffers.length;
    if (wanted) {
      this.counters.interrupts++;
      this.setInterruptStatus(this.interruptStatus | interruptBit.usedBuffer);
    } else {
      this.counters.suppressedInterrupts++;
    }
  }

  private host(): DeviceHost {
    const { port } = this;
    return {
      memory: port.memory,
      features: () => ((this.status & deviceStatus.FEATURES_OK) === 0 ? noFeatures : this.driverFeatures),
      now: () => port.now(),
      after: (ticks, tag) => {
        port.after(ticks, tag);
      },
      cancel: (tag) => {
        port.cancel(tag);
      },
      take: (queue) => this.take(queue),
      putBack: (queue, chain) => {
        this.counters.buffersTaken--;
        this.queues[queue]?.ring?.putBack(chain);
      },
      use: (queue, ...buffers) => {
        this.use(queue, buffers);
      },
      configChanged: () => {
        if (this.state === 'live') this.announceConfigChange();
        else this.configGeneration = (this.configGeneration + 1) >>> 0;
      },
      fail: () => {
        this.breakDown('the protocol of the device');
      },
    };
  }

  save(): SavedTransport {
    return {
      version: 1,
      state: this.state,
      status: this.status,
      deviceFeaturesSelect: this.deviceFeaturesSelect,
      driverFeaturesSelect: this.driverFeaturesSelect,
      driverFeatures: this.driverFeatures,
      queueSelect: this.queueSelect,
      interruptStatus: this.interruptStatus,
      configGeneration: this.configGeneration,
      lastFault: this.lastFault,
      queues: this.queues.map((queue) => queue.save()),
      counters: { ...this.counters },
      guestErrors: { ...this.guestErrors },
      device: this.device.save(),
    };
  }

  restore(saved: SavedTransport): void {
    this.state = saved.state;
    this.status = saved.status;
    this.deviceFeaturesSelect = saved.deviceFeaturesSelect;
    this.driverFeaturesSelect = saved.driverFeaturesSelect;
    this.driverFeatures = saved.driverFeatures;
    this.queueSelect = saved.queueSelect;
    this.interruptStatus = saved.interruptStatus;
    this.configGeneration = saved.configGeneration;
    this.lastFault = saved.lastFault;
    this.queues.forEach((queue, index) => queue.restore(saved.queues[index]!));
    Object.assign(this.counters, saved.counters);
    Object.assign(this.guestErrors, saved.guestErrors);
    this.device.restore(saved.device);
  }
}
