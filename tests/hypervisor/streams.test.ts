import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessBit } from '../../actors/smmu/lti.ts';
import { allocateRegion, freeRegion, pageBytes } from '../../src/hypervisor/memory.ts';
import { destroyStage2, mapRange, unmapRange, walkStage2 } from '../../src/hypervisor/stage2.ts';
import { flushStreams } from '../../src/hypervisor/smmu/queues.ts';
import { attachStreams, detachStreams } from '../../src/hypervisor/smmu/streams.ts';
import type { Vm } from '../../src/hypervisor/state.ts';
import { type BoardWithSmmu, boardWithSmmu } from './board-fixture.ts';
import { ownMemory } from './fixture.ts';
import { pagesPerBlock, type Piece, streamIds, type VmAction, vmActions, VmSetModel } from './vm-sets.ts';

const blockBytes = pagesPerBlock * pageBytes;

/** The hypervisor and the model of the same set of VMs. */
class VmSet {
  readonly model = new VmSetModel();
  readonly system: BoardWithSmmu = boardWithSmmu(streamIds);
  private readonly regions: number[][] = [[], [], [], []];
  private readonly vms: (Vm | undefined)[] = [];

  private map(n: number, piece: Piece): void {
    const { rhyper } = this.system;
    const vm = this.vms[n];
    if (!vm || !this.model.hasRoom(n, piece)) return;
    // Every piece has a block of its own, so that a block can be mapped as one.
    const pa = allocateRegion(rhyper, blockBytes);
    if (pa === undefined) return;
    this.regions[n]?.push(pa);
    const { ipaPage, pages, isWritable } = piece;
    const range = { ipa: ipaPage * pageBytes, pa, bytes: pages * pageBytes };
    expect(mapRange(rhyper, vm, range, isWritable ? 'normal' : 'read-only', pages === pagesPerBlock)).toBe(true);
    this.model.map(n, piece, pa / pageBytes);
  }

  apply(action: VmAction): void {
    const { system } = this;
    const { rhyper } = system;
    switch (action.do) {
      case 'build': {
        const { vm: n, memory } = action;
        if (this.model.isThere(n)) return;
        const streams = this.model.free(action.streams);
        const vm = this.system.vm(n);
        this.vms[n] = vm;
        vm.config.streams.set(streams.map((position) => streamIds[position] as number));
        vm.config.streamCount = streams.length;
        this.model.build(n, streams);
        for (const piece of memory) this.map(n, piece);
        expect(system.run(attachStreams(rhyper, vm))).toBeUndefined();
        return;
      }
      case 'map':
        this.map(action.vm, action.piece);
        return;
      case 'unmap': {
        const vm = this.vms[action.vm];
        if (!vm || !this.model.pages(action.vm).has(action.ipaPage)) return;
        unmapRange(rhyper, vm, action.ipaPage * pageBytes, pageBytes);
        system.run(flushStreams(rhyper, vm));
        this.model.unmap(action.vm, action.ipaPage);
        return;
      }
      case 'remove': {
        const vm = this.vms[action.vm];
        if (!vm) return;
        system.run(detachStreams(rhyper, vm));
        destroyStage2(rhyper, vm);
        for (const pa of this.regions[action.vm]?.splice(0) ?? []) freeRegion(rhyper, pa, blockBytes);
        this.vms[action.vm] = undefined;
        this.model.remove(action.vm);
        return;
      }
      case 'access':
        this.access(action);
    }
  }

  private access({ stream, ipaPage, isWrite }: Extract<VmAction, { do: 'access' }>): void {
    const offset = 0x128;
    const access = isWrite ? accessBit.write : accessBit.read;
    const pa = this.system.board.translate(ipaPage * pageBytes + offset, { device: stream, access });
    const expected = this.model.ofStream(stream, ipaPage, isWrite);
    expect(pa).toBe(expected === undefined ? undefined : expected * pageBytes + offset);
    if (pa !== undefined) expect(pa).toBeGreaterThanOrEqual(ownMemory.pa + ownMemory.bytes);
  }

  /** Every walk of every VM leads to a page of the VM, and two VMs share none. */
  check(): void {
    const owners = new Map<number, number>();
    this.vms.forEach((vm, n) => {
      if (!vm) return;
      for (const [ipaPage, { pa, isWritable }] of this.model.pages(n)) {
        expect(walkStage2(this.system.rhyper, vm, ipaPage * pageBytes)).toEqual({ pa: pa * pageBytes, isWritable });
        expect(owners.get(pa)).toBeUndefined();
        owners.set(pa, n);
      }
    });
  }
}

describe('streams of VMs', () => {
  it('never reach a page of another VM, of the hypervisor, or of a VM that is gone, whatever VMs come and go', () => {
    let granted = 0;
    let aborted = 0;
    fc.assert(
      fc.property(vmActions, (actions) => {
        const set = new VmSet();
        for (const action of actions) set.apply(action);
        set.check();
        const { requests, faults } = set.system.board.tbus.reduce(
          (sum, { counters }) => ({ requests: sum.requests + counters.requests, faults: sum.faults + counters.faults }),
          { requests: 0, faults: 0 },
        );
        granted += requests - faults;
        aborted += faults;
      }),
      { seed: 23, numRuns: 60 },
    );
    // The sets are such that both happen.
    expect(granted).toBeGreaterThan(100);
    expect(aborted).toBeGreaterThan(100);
  }, 120_000);

  it('are let go of only when the accesses under way are made', () => {
    const system = boardWithSmmu([0x11]);
    const { rhyper, board } = system;
    const owner = system.vm(1);
    const pa = allocateRegion(rhyper, blockBytes) ?? 0;
    mapRange(rhyper, owner, { ipa: 0x8000_0000, pa, bytes: pageBytes }, 'normal', false);
    owner.config.streams.set([0x11]);
    owner.config.streamCount = 1;
    system.run(attachStreams(rhyper, owner));
    board.holdsCompletions = true;
    const tag = board.begin(0x8000_0000n);
    board.run();
    expect(board.answers.get(tag)).toEqual({ ok: true, pa });
    const removal = detachStreams(rhyper, owner);
    expect(system.runFor(removal, 100)).toBe(false);
    board.releaseCompletions();
    expect(system.runFor(removal, 10)).toBe(true);
    board.holdsCompletions = false;
    expect(board.translate(0x8000_0000)).toBeUndefined();
  });
});
