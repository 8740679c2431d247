// The second level of the soft TLBs: pages of one index of the first level, which alone holds one of them at a time.

import { expect, test } from 'vitest';
import { dvm } from '../../src/arch/environment.ts';
import { lineHoldsCode, lineMapOffset, lineShift, pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { context } from '../../src/arch/translation-attributes.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeRandom } from '../fuzz/random.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';

const code = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
/** 4 MiB lie between the first pages, and between the second ones. */
const low = { va: 0x20_0000, pa: ramBase + 0x20_0000, sizeBytes: 0x2000, executable: false };
const high = { va: 0x60_0000, pa: ramBase + 0x30_0000, sizeBytes: 0x2000, executable: false };
const other = ramBase + 0x40_0000;

/** Each with its bytes; X0 is the address, X1 and X2, or V1 and V2, the data. */
const loads = [
  ['ldrb w1, [x0]', 1],
  ['ldrh w1, [x0]', 2],
  ['ldr w1, [x0]', 4],
  ['ldr x1, [x0]', 8],
  ['ldp x1, x2, [x0]', 16],
  ['ldr q1, [x0]', 16],
] as const;
const stores = [
  ['strb w1, [x0]', 1],
  ['strh w1, [x0]', 2],
  ['str w1, [x0]', 4],
  ['str x1, [x0]', 8],
  ['stp x1, x2, [x0]', 16],
  ['str q1, [x0]', 16],
] as const;
const forms = [...loads, ...stores];
const [loadByte, storeByte] = [0, loads.length];

interface Machine extends El0Machine {
  /** Runs one of the forms. */
  access(form: number, address: number): void;
  /** How many accesses have been made by the service so far. */
  services(): number;
}

function machine(): Machine {
  const m = el0Machine('step', [code, low, high]);
  let services = 0;
  const serve = m.pe.accessMemory.bind(m.pe);
  m.pe.accessMemory = (kind, sizeBytes, flags) => {
    services += 1;
    return serve(kind, sizeBytes, flags);
  };
  m.views.bytes.set(assemble(forms.map(([text]) => text).join('\n'), { base: code.va }).bytes, code.pa);
  m.enterEl0();
  return Object.assign(m, {
    access: (form: number, address: number) => {
      m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va + 4 * form);
      m.pe.writeX(0, BigInt(address));
      m.engine.run(m.pe, 1);
      expect(m.pe.currentEl()).toBe(0);
    },
    services: () => services,
  });
}

test('a page that another one has displaced is found again without the service', () => {
  const m = machine();
  for (const { va } of [low, high]) {
    m.access(loadByte, va);
    m.access(storeByte, va);
  }
  const before = m.services();
  m.views.bytes[low.pa + 5] = 0x12;
  m.views.bytes[high.pa + 5] = 0x34;
  for (let round = 0; round < 3; round += 1) {
    m.access(loadByte, low.va + 5);
    expect(m.pe.readX(1)).toBe(0x12n);
    m.access(loadByte, high.va + 5);
    expect(m.pe.readX(1)).toBe(0x34n);
    m.access(storeByte, low.va + 6);
    m.access(storeByte, high.va + 6);
  }
  expect(m.services()).toBe(before);
  expect([m.views.bytes[low.pa + 6], m.views.bytes[high.pa + 6]]).toEqual([0x34, 0x34]);
});

test('a page that has been read only is not written without the service', () => {
  const m = machine();
  for (const { va } of [low, high, low]) m.access(loadByte, va);
  const before = m.services();
  m.access(storeByte, low.va);
  expect(m.services()).toBe(before + 1);
});

test('a store to a marked line is the service’s', () => {
  const m = machine();
  for (const { va } of [low, high]) m.access(storeByte, va);
  const before = m.services();
  m.views.bytes[lineMapOffset + (low.pa >>> lineShift)] = lineHoldsCode;
  m.access(storeByte, low.va);
  expect(m.services()).toBe(before + 1);
});

const moves: readonly [string, (m: Machine) => void][] = [
  [
    'a TLBI by address',
    ({ pe }) => {
      pe.receiveDvm({ code: dvm.tlbiVaa, vaLow: low.va, vaHigh: 0, asid: 0, context: context.el1 });
    },
  ],
  [
    'a TLBI of everything',
    ({ pe }) => {
      pe.receiveDvm({ code: dvm.tlbiAll, vaLow: 0, vaHigh: 0, asid: 0, context: context.el1 });
    },
  ],
  [
    'a reset',
    (m) => {
      m.enterEl0();
    },
  ],
];

test.each(moves)('%s ends what both levels hold', (_, move) => {
  const m = machine();
  m.views.bytes[low.pa] = 1;
  m.views.bytes[other] = 2;
  for (const { va } of [low, high]) m.access(loadByte, va);
  // The descriptor of the page: a table of level 3 that the machine has made for 2 MiB from here on.
  const level2 = (ramBase + 0x80_2000) >>> 3;
  const table = Number((m.views.doublewords[level2 + (low.va >>> 21)] ?? 0n) & 0xffff_f000n);
  const at = (table >>> 3) + ((low.va >>> 12) & 511);
  m.views.doublewords[at] = ((m.views.doublewords[at] ?? 0n) & ~0xffff_f000n) | BigInt(other);
  m.access(loadByte, low.va);
  expect(m.pe.readX(1)).toBe(1n);
  m.access(loadByte, high.va);
  move(m);
  m.access(loadByte, low.va);
  expect(m.pe.readX(1)).toBe(2n);
});

test('accesses of every size and alignment read and write what memory holds', () => {
  const m = machine();
  const random = makeRandom(1);
  const model = new Uint8Array(2 * low.sizeBytes);
  const vector = (m.pe.base + record.vector + 16) >>> 3;
  for (let round = 0; round < 4000; round += 1) {
    const form = random.below(forms.length);
    const [text, bytes] = forms[form] as (typeof forms)[number];
    const isVector = text.includes('q1');
    const area = random.below(2);
    const offset = random.below(low.sizeBytes - bytes);
    const value = [random.doubleword(), random.doubleword()];
    if (isVector) m.views.doublewords.set(value, vector);
    else for (const n of [0, 1]) m.pe.writeX(n + 1, value[n] as bigint);
    const at = area * low.sizeBytes + offset;
    const written = new Uint8Array(new BigUint64Array(value).buffer).slice(0, bytes);
    if (form >= storeByte) model.set(written, at);
    m.access(form, [low, high][area]!.va + offset);
    if (form >= storeByte) continue;
    const expected = new Uint8Array(16);
    expected.set(model.subarray(at, at + bytes));
    const read = isVector ? [...m.views.doublewords.slice(vector, vector + 2)] : [m.pe.readX(1), m.pe.readX(2)];
    if (bytes < 16) read[1] = 0n;
    expect(read).toEqual([...new BigUint64Array(expected.buffer)]);
  }
  const memory = [low, high].map(({ pa, sizeBytes }) => m.views.bytes.slice(pa, pa + sizeBytes));
  expect(memory).toEqual([model.slice(0, low.sizeBytes), model.slice(low.sizeBytes)]);
});
