// A virtio device behind a TBU: the mirror device, whose driver's rings are in RAM at another place than it knows.

import { describe, expect, it } from 'vitest';
import type { Actor, Message, Port } from '../../../actors/actor.ts';
import { busMessages } from '../../../actors/bus/messages.ts';
import { accessBit, ltiMessages } from '../../../actors/smmu/lti.ts';
import { TranslatedDevice } from '../../../actors/virtio/translated-device.ts';
import type { TranslatedMemory } from '../../../actors/virtio/translated-memory.ts';
import { ramBase, smallRam } from '../smmu/ram.ts';
import { FakePort } from '../uart/bench.ts';

const tbu = 9;
const core = 3;
const page = 4096;
const ipa = 0x8000_0000;
const pa = ramBase + 0x10_0000;

/** On a write to register n it copies n bytes from IPA to IPA + `distance`, and tells; on a read it says how often it did. */
interface CopierParts {
  readonly port: Port;
  readonly memory: TranslatedMemory;
  readonly later: (effect: () => void) => void;
  readonly done: (what: string) => void;
  readonly distance: number;
}

class Copier implements Actor {
  count = 0;
  private readonly parts: CopierParts;

  constructor(parts: CopierParts) {
    this.parts = parts;
  }

  receive({ code, payload, source }: Message): void {
    const { port, memory, later, done, distance } = this.parts;
    if (code === busMessages.ReadRequest.code) {
      port.send(source, busMessages.ReadResponse.code, [0, payload[2] ?? 0, this.count, 0]);
      return;
    }
    const size = payload[0] ?? 0;
    this.count += 1;
    const bytes = memory.readBytes(ipa, size);
    const isDone = bytes !== undefined && memory.writeBytes(ipa + distance, bytes);
    // It sees what it has written.
    const isSeen = memory.readBytes(ipa + distance, 1)?.[0] === bytes?.[0];
    later(() => {
      done(`${isDone ? 'done' : 'not there'}${isSeen ? ', seen' : ''}`);
    });
    port.send(source, busMessages.WriteResponse.code, [0, payload[2] ?? 0]);
  }

  timer(): void {
    this.count += 100;
  }

  save(): unknown {
    return { count: this.count };
  }

  restore(saved: unknown): void {
    this.count = (saved as { count: number }).count;
  }
}

class Bench {
  readonly port = new FakePort();
  readonly ram = smallRam();
  readonly told: string[] = [];
  readonly device: TranslatedDevice;
  private sequence = 0;

  constructor(distance = 2 * page) {
    const done = (what: string): void => {
      this.told.push(what);
    };
    this.device = new TranslatedDevice(this.port, {
      tbu,
      ram: this.ram,
      make: (port, memory, later) => new Copier({ port, memory, later, done, distance }),
    });
  }

  private deliver(code: number, source: number, payload: readonly number[]): void {
    this.sequence += 1;
    this.device.receive({ code, source, target: 7, sequence: this.sequence, dueTicks: 0, payload });
  }

  write(offset: number, tag: number): void {
    this.deliver(busMessages.WriteRequest.code, core, [offset, 4, tag, 1, 0, 1]);
  }

  read(tag: number): void {
    this.deliver(busMessages.ReadRequest.code, core, [0, 4, tag, 1]);
  }

  /** Requests that have not been answered, as [tag, address, access]. */
  asked(): (readonly number[])[] {
    const asked = this.port.sent.filter(({ target, code }) => target === tbu && code === ltiMessages.LA.code);
    return asked.slice(this.answers).map(({ payload: [tag = 0, low = 0, , access = 0] }) => [tag, low, access]);
  }

  private answers = 0;

  /** Answers all of them: IPA to PA, in order; what `isThere` denies is aborted. Returns how many there were. */
  answer(isThere: (address: number) => boolean = () => true): number {
    const asked = this.asked();
    this.answers += asked.length;
    for (const [tag = 0, low = 0] of asked)
      this.deliver(ltiMessages.LR.code, tbu, isThere(low) ? [tag, 0, pa + (low - ipa), 0] : [tag, 1, 0, 0]);
    return asked.length;
  }

  responses(): number[][] {
    return this.port.sent.filter(({ target }) => target === core).map(({ code, payload }) => [code, ...payload]);
  }

  completed(): number {
    return this.port.sent.filter(({ code }) => code === ltiMessages.LC.code).length;
  }
}

const responseTo = { write: busMessages.WriteResponse.code, read: busMessages.ReadResponse.code };

describe('a device behind a TBU', () => {
  it('has no effect before every page that it touches is translated, and all of them then', () => {
    const bench = new Bench();
    bench.ram.writeBytes(pa, Uint8Array.of(1, 2, 3, 4));
    bench.write(4, 1);
    expect(bench.asked()).toEqual([
      [1, ipa, accessBit.read],
      [2, ipa + 2 * page, accessBit.write],
      [3, ipa + 2 * page, accessBit.read],
    ]);
    expect(bench.told).toEqual([]);
    expect(bench.ram.readBytes(pa + 2 * page, 4)).toEqual(new Uint8Array(4));
    bench.answer();
    expect(bench.told).toEqual(['done, seen']);
    expect(bench.ram.readBytes(pa + 2 * page, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(bench.completed()).toBe(3);
  });

  it('acknowledges a write at once and once, and serves what comes after it in its turn', () => {
    const bench = new Bench();
    bench.write(4, 1);
    expect(bench.responses()).toEqual([[responseTo.write, 0, 1]]);
    bench.read(2);
    expect(bench.responses()).toHaveLength(1);
    bench.answer();
    // The pass that was forgotten has not been counted.
    expect(bench.responses().slice(1)).toEqual([[responseTo.read, 0, 2, 1, 0]]);
  });

  it('asks anew for every pass: no translation is kept', () => {
    const bench = new Bench();
    bench.write(4, 1);
    expect(bench.answer()).toBe(3);
    bench.write(4, 2);
    expect(bench.answer()).toBe(3);
    expect(bench.told).toHaveLength(2);
  });

  it('is told where a page is not there, and writes nothing', () => {
    const bench = new Bench();
    bench.write(4, 1);
    bench.answer((address) => address === ipa);
    expect(bench.told).toEqual(['not there']);
    expect(bench.completed()).toBe(1);
  });

  it('asks for a long range in growing parts: one that is not there costs one request of each kind', () => {
    const bench = new Bench(0x100_0000);
    bench.write(300 * page, 1);
    const rounds: number[] = [];
    for (let n = bench.answer(); n > 0; n = bench.answer()) rounds.push(n);
    expect(bench.told).toEqual(['not there']);
    const whole = new Bench(0x10_0000);
    whole.write(40 * page, 1);
    const ofWhole: number[] = [];
    for (let n = whole.answer(); n > 0; n = whole.answer()) ofWhole.push(n);
    expect(whole.told).toEqual(['done, seen']);
    // 1 + 4 + 16 + 19 pages to read and as many to write, and one that is read back.
    expect(ofWhole).toEqual([3, 8, 32, 38]);
    expect(rounds.length).toBeLessThan(8);
    const none = new Bench();
    none.write(300 * page, 1);
    expect(none.answer(() => false)).toBe(3);
    expect(none.answer(() => false)).toBe(0);
  });

  it('crosses pages that lie apart', () => {
    const bench = new Bench(3 * page - 2);
    bench.ram.writeBytes(pa, Uint8Array.of(9, 8, 7, 6));
    bench.write(4, 1);
    while (bench.answer() > 0);
    expect(bench.ram.readBytes(pa + 3 * page - 2, 4)).toEqual(Uint8Array.of(9, 8, 7, 6));
    expect(bench.told).toEqual(['done, seen']);
  });

  it('goes on elsewhere from where it was saved, in the middle of a pass', () => {
    const bench = new Bench();
    bench.write(4, 1);
    const saved = structuredClone(bench.device.save());
    const elsewhere = new Bench();
    elsewhere.ram.writeBytes(pa, Uint8Array.of(5));
    elsewhere.device.restore(saved);
    elsewhere.answer();
    expect(elsewhere.told).toEqual(['done, seen']);
    expect(elsewhere.responses()).toEqual([]);
    expect(elsewhere.ram.readBytes(pa + 2 * page, 1)).toEqual(Uint8Array.of(5));
  });
});
