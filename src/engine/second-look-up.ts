// The way from an access that misses the soft TLB to its service: what the second level knows (src/arch/second-tlb.ts) is entered in the
// first and the access made here, without a call of TypeScript. Left to the service: what neither level knows, ordered accesses, accesses
// that are not inside one page or not aligned where they must be, and stores to marked lines.

import {
  addendAfterTag,
  lineMapOffset,
  lineShift,
  pageShift,
  pe,
  peStateStride,
  secondTlbBase,
  secondTlbBytes,
  secondTlbDistance,
  secondTlbEntries,
  secondTlbEntry,
  softTlbBytes,
  softTlbEntries,
  softTlbEntry,
  softTlbEpoch,
} from '../arch/state-layout.ts';
import { scratch } from './emitting.ts';
import { memoryDescriptor, scratchSlot } from './services.ts';
import { Text } from './text.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op, simd, type } from './wasm/opcodes.ts';

const pageOffsetMask = (1 << pageShift) - 1;
const largestSize = 4;
const loads = [op.i64_load8_u, op.i64_load16_u, op.i64_load32_u, op.i64_load] as const;
const stores = [op.i64_store8, op.i64_store16, op.i64_store32, op.i64_store] as const;
const value = scratch(scratchSlot.value);

/** (cpu, descriptor) → exit: the service `access` of generated code; `miss` is that of TypeScript. */
export function secondLookUp(worker: number, miss: number): ModuleFunction {
  const t = new Text(2);
  const [cpu, descriptor] = [0, 1];
  const va = t.local(type.i64);
  const low = t.local(type.i32);
  const size = t.local(type.i32);
  const misaligned = t.local(type.i32);
  const tlb = t.local(type.i32);
  const entry = t.local(type.i32);
  const addend = t.local(type.i32);

  t.nest(op.block, () => {
    t.get(descriptor).i32(memoryDescriptor.ordered).ops(op.i32_and).brIf(0);
    t.get(cpu).memory(op.i64_load, scratch(scratchSlot.address)).tee(va).ops(op.i32_wrap_i64).set(low);
    t.get(descriptor).i32(memoryDescriptor.sizeShift).ops(op.i32_shr_u);
    t.i32(memoryDescriptor.sizeMask).ops(op.i32_and).set(size);

    // Inside one page, and aligned where it must be.
    t.get(low).i32(pageOffsetMask).ops(op.i32_and).i32(1).get(size).ops(op.i32_shl, op.i32_add);
    t.i32(1 << pageShift)
      .ops(op.i32_gt_u)
      .brIf(0);
    t.i32(1).get(size).get(descriptor).i32(memoryDescriptor.elementsShift).ops(op.i32_shr_u, op.i32_sub, op.i32_shl);
    t.i32(1).ops(op.i32_sub).get(low).ops(op.i32_and).set(misaligned);
    t.get(descriptor).i32(memoryDescriptor.aligned).ops(op.i32_and);
    t.get(cpu).memory(op.i32_load, pe.strictAlignment).ops(op.i32_or, op.i32_eqz, op.i32_eqz);
    t.get(misaligned).i32(0).ops(op.i32_ne, op.i32_and).brIf(0);

    t.get(cpu).memory(op.i32_load, pe.tlbUnprivileged).get(cpu).memory(op.i32_load, pe.tlb);
    t.get(descriptor).i32(memoryDescriptor.unprivileged).ops(op.i32_and, op.select).set(tlb);
    // The PE's number, from the address of its record: records begin at a multiple of all of them.
    const peNumber = (): Text => t.get(cpu).i32(Math.log2(peStateStride)).ops(op.i32_shr_u).i32(1023).ops(op.i32_and);
    t.get(low).i32(pageShift).ops(op.i32_shr_u);
    peNumber().i32(secondTlbDistance).ops(op.i32_mul, op.i32_add);
    t.i32(secondTlbEntries - 1)
      .ops(op.i32_and)
      .i32(secondTlbEntry.bytes)
      .ops(op.i32_mul)
      .set(entry);
    const at = secondTlbBase + worker * secondTlbBytes;
    t.get(entry).memory(op.i64_load, at + secondTlbEntry.tag);
    t.get(va).i64(BigInt(~pageOffsetMask)).ops(op.i64_and);
    peNumber().i32(2).ops(op.i32_shl);
    t.get(tlb).get(cpu).ops(op.i32_sub).i32(pe.softTlb).ops(op.i32_sub);
    t.i32(Math.log2(softTlbBytes)).ops(op.i32_shr_u, op.i32_or, op.i64_extend_i32_u, op.i64_or, op.i64_ne).brIf(0);
    t.get(entry).memory(op.i32_load, at + secondTlbEntry.epoch);
    t.get(tlb).memory(op.i32_load, softTlbEpoch).ops(op.i32_ne).brIf(0);
    // need.read is bit 0, need.write bit 1.
    t.get(entry)
      .memory(op.i32_load, at + secondTlbEntry.addend)
      .tee(addend);
    t.get(descriptor)
      .i32(memoryDescriptor.store)
      .ops(op.i32_and, op.i32_shr_u)
      .i32(1)
      .ops(op.i32_and, op.i32_eqz)
      .brIf(0);

    t.get(tlb)
      .get(low)
      .i32(pageShift)
      .ops(op.i32_shr_u)
      .i32(softTlbEntries - 1)
      .ops(op.i32_and);
    t.i32(softTlbEntry.bytes).ops(op.i32_mul, op.i32_add).set(entry);
    for (const [need, tag] of [
      [1, softTlbEntry.readTag],
      [2, softTlbEntry.writeTag],
    ] as const) {
      t.get(addend).i32(need).ops(op.i32_and);
      t.nest(op.if, () => {
        t.get(entry).get(va).i64(BigInt(~pageOffsetMask)).ops(op.i64_and).memory(op.i64_store, tag);
        t.get(entry)
          .get(addend)
          .i32(~pageOffsetMask)
          .ops(op.i32_and)
          .memory(op.i32_store, tag + addendAfterTag);
      });
    }
    t.get(low).get(addend).i32(~pageOffsetMask).ops(op.i32_and, op.i32_add).set(low);
    t.get(descriptor).i32(memoryDescriptor.store).ops(op.i32_and);
    t.nest(op.if, () => {
      t.get(low).i32(lineShift).ops(op.i32_shr_u).memory(op.i32_load8_u, lineMapOffset).brIf(1);
      bySize(t, size, (log2) => {
        t.get(low).get(cpu);
        if (log2 === largestSize) vector(vector(t, simd.v128_load, value), simd.v128_store, 0);
        else t.memory(op.i64_load, value).memory(stores[log2] as number, 0);
        t.i32(0).ops(op.return);
      });
    });
    bySize(t, size, (log2) => {
      t.get(cpu).get(low);
      if (log2 === largestSize) vector(vector(t, simd.v128_load, 0), simd.v128_store, value);
      else t.memory(loads[log2] as number, 0).memory(op.i64_store, value);
      t.i32(0).ops(op.return);
    });
  });
  t.get(cpu).get(descriptor).call(miss);
  return t.done(codeSignature, 'access');
}

function vector(t: Text, code: number, offset: number): Text {
  t.simd(code);
  t.w.u32(0);
  t.w.u32(offset);
  return t;
}

/** A text, which does not end, for each log2 of a size. */
function bySize(t: Text, size: number, text: (log2: number) => void): void {
  const within = (log2: number): void => {
    if (log2 < 0) {
      t.get(size).ops(op.br_table);
      t.w.u32(largestSize);
      for (let n = 0; n <= largestSize; n += 1) t.w.u32(n);
      return;
    }
    t.nest(op.block, () => {
      within(log2 - 1);
    });
    text(log2);
  };
  within(largestSize);
}
