// Load/store exclusive, of one register and of a pair: Arm DDI 0487, C4.1 "Load/store exclusive register" and "Load/store
// exclusive pair". The monitors belong to the memory system; the choices for overlapping registers are in
// loads-stores-transfer.ts.

import { row, type Row } from './encoding.ts';
import { sizedRegister } from './loads-stores-syntax.ts';
import { type AccessSize, accessSizes, bytesOf } from './loads-stores-transfer.ts';
import { baseAddress } from './syntax/addresses.ts';
import { Rof, W } from './syntax/registers.ts';

const orders = [
  { load: 'LDXR', store: 'STXR', loadPair: 'LDXP', storePair: 'STXP', o0: '0' },
  { load: 'LDAXR', store: 'STLXR', loadPair: 'LDAXP', storePair: 'STLXP', o0: '1' },
] as const;
type Order = (typeof orders)[number];

/** A register of a pair, by sz. */
const pairRegister = (field: 'Rt' | 'Rt2') => Rof(field, (f) => (f.sz === 1 ? 64 : 32));

function loadExclusive(order: Order, { tail, size }: AccessSize): Row {
  const mnemonic = `${order.load}${tail}`;
  return row({
    name: mnemonic,
    pattern: `${size} 001000 0 1 0 11111 ${order.o0} 11111 Rn Rt`,
    encoding: (f) => `${mnemonic}_LR${bytesOf(size, f.size) === 8 ? 64 : 32}_ldstexclr`,
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) => {
      const value = s.loadExclusive(s.readBase(f.Rn), bytesOf(size, k.size), { acquire: order.o0 === '1' });
      s.writeX(f.Rt, value);
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [sizedRegister('Rt', size), baseAddress] }],
  });
}

function storeExclusive(order: Order, { tail, size }: AccessSize): Row {
  const mnemonic = `${order.store}${tail}`;
  return row({
    name: mnemonic,
    pattern: `${size} 001000 0 0 0 Rs ${order.o0} 11111 Rn Rt`,
    encoding: (f) => `${mnemonic}_SR${bytesOf(size, f.size) === 8 ? 64 : 32}_ldstexclr`,
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) => {
      const bytes = bytesOf(size, k.size);
      const address = s.readBase(f.Rn);
      const value = s.readX(f.Rt, bytes === 8 ? 64 : 32);
      s.writeX(f.Rs, s.storeExclusive(address, value, bytes, { release: order.o0 === '1' }));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [W('Rs'), sizedRegister('Rt', size), baseAddress] }],
  });
}

function loadExclusivePair(order: Order): Row {
  return row({
    name: order.loadPair,
    pattern: `1 sz 001000 0 1 1 11111 ${order.o0} Rt2 Rn Rt`,
    encoding: (f) => `${order.loadPair}_LP${f.sz ? 64 : 32}_ldstexclp`,
    meaning: (s, k, f) => {
      const address = s.readBase(f.Rn);
      const [first, second] = s.loadExclusivePair(address, k.sz ? 8 : 4, { acquire: order.o0 === '1' });
      s.writeX(f.Rt, first);
      s.writeX(f.Rt2, second);
    },
    syntax: [
      { mnemonic: order.loadPair.toLowerCase(), operands: [pairRegister('Rt'), pairRegister('Rt2'), baseAddress] },
    ],
  });
}

function storeExclusivePair(order: Order): Row {
  return row({
    name: order.storePair,
    pattern: `1 sz 001000 0 0 1 Rs ${order.o0} Rt2 Rn Rt`,
    encoding: (f) => `${order.storePair}_SP${f.sz ? 64 : 32}_ldstexclp`,
    meaning: (s, k, f) => {
      const bytes = k.sz ? 8 : 4;
      const width = k.sz ? 64 : 32;
      const address = s.readBase(f.Rn);
      const first = s.readX(f.Rt, width);
      const second = s.readX(f.Rt2, width);
      s.writeX(f.Rs, s.storeExclusivePair(address, first, second, bytes, { release: order.o0 === '1' }));
    },
    syntax: [
      {
        mnemonic: order.storePair.toLowerCase(),
        operands: [W('Rs'), pairRegister('Rt'), pairRegister('Rt2'), baseAddress],
      },
    ],
  });
}

export const loadsStoresExclusive: readonly Row[] = orders.flatMap((order) => [
  ...accessSizes.map((size) => storeExclusive(order, size)),
  ...accessSizes.map((size) => loadExclusive(order, size)),
  storeExclusivePair(order),
  loadExclusivePair(order),
]);
