// A queue as its registers describe it: where the driver has put it, whether it is ready, and the ring that is read while it is.

import type { GuestMemory } from './guest-memory.ts';
import { packedAlignments, packedQueue } from './packed-queue.ts';
import { splitAlignments, splitQueue } from './split-queue.ts';
import type { TransportRegister } from './transport-registers.ts';
import { type QueuePosition, type RingFault, startOfQueue, type Virtqueue } from './virtqueue.ts';

/** What has been negotiated about all queues of a device. */
interface RingKind {
  readonly packed: boolean;
  readonly indirect: boolean;
  readonly eventIndex: boolean;
}

export interface QueueRegisters {
  readonly size: number;
  /** Low and high words of the descriptor, driver and device areas. */
  readonly areas: readonly number[];
  readonly ready: boolean;
  readonly kind: RingKind;
  readonly notifiedEarly: boolean;
}

const areaRegisters: Partial<Record<TransportRegister, number>> = {
  QueueDescLow: 0,
  QueueDescHigh: 1,
  QueueDriverLow: 2,
  QueueDriverHigh: 3,
  QueueDeviceLow: 4,
  QueueDeviceHigh: 5,
};

const splitKind: RingKind = { packed: false, indirect: false, eventIndex: false };
const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;

export class TransportQueue {
  readonly maxSize: number;
  /** Undefined while the queue is not ready. */
  ring: Virtqueue | undefined;
  private readonly memory: GuestMemory;
  private size: number;
  private areas = [0, 0, 0, 0, 0, 0];
  private kind = splitKind;
  private notifiedEarly = false;

  constructor(memory: GuestMemory, maxSize: number) {
    this.memory = memory;
    this.maxSize = maxSize;
    this.size = maxSize;
  }

  get isReady(): boolean {
    return this.ring !== undefined;
  }

  /** False where the driver may not write the register now, or not this value. */
  write(name: TransportRegister, value: number): boolean {
    if (this.isReady) return false;
    const area = areaRegisters[name];
    if (area !== undefined) {
      this.areas[area] = value;
      return true;
    }
    if (name !== 'QueueNum' || value === 0 || value > this.maxSize) return false;
    this.size = value;
    return true;
  }

  /** QueueReady is written with 1. */
  start(kind: RingKind): RingFault | undefined {
    if (this.isReady) return undefined;
    const alignments = kind.packed ? packedAlignments : splitAlignments;
    if (alignments.some((alignment, n) => this.areas[2 * n]! % alignment !== 0)) return 'ring not aligned';
    if (!kind.packed && !isPowerOfTwo(this.size)) return 'queue size is no power of two';
    this.kind = kind;
    this.open(startOfQueue);
    return undefined;
  }

  /** QueueReady is written with 0. */
  stop(): void {
    this.ring = undefined;
  }

  reset(): void {
    this.ring = undefined;
    this.size = this.maxSize;
    this.areas = [0, 0, 0, 0, 0, 0];
    this.notifiedEarly = false;
  }

  /** The driver has notified the queue before DRIVER_OK. */
  noteEarlyNotification(): void {
    this.notifiedEarly = true;
  }

  takeEarlyNotification(): boolean {
    const { notifiedEarly } = this;
    this.notifiedEarly = false;
    return notifiedEarly;
  }

  private open(position: QueuePosition): void {
    const [descriptorArea, driverArea, deviceArea] = [0, 2, 4].map(
      (n) => this.areas[n]! + this.areas[n + 1]! * 2 ** 32,
    ) as [number, number, number];
    const { indirect, eventIndex } = this.kind;
    const layout = { size: this.size, descriptorArea, driverArea, deviceArea, indirect, eventIndex };
    this.ring = (this.kind.packed ? packedQueue : splitQueue)(this.memory, layout, position);
  }

  save(): { registers: QueueRegisters; position: QueuePosition } {
    const { size, kind, notifiedEarly } = this;
    return {
      registers: { size, areas: [...this.areas], ready: this.isReady, kind, notifiedEarly },
      position: this.ring?.position() ?? startOfQueue,
    };
  }

  restore({ registers, position }: { registers: QueueRegisters; position: QueuePosition }): void {
    this.size = registers.size;
    this.areas = [...registers.areas];
    this.kind = registers.kind;
    this.notifiedEarly = registers.notifiedEarly;
    if (registers.ready) this.open(position);
    else this.ring = undefined;
  }
}
