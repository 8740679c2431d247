// Ordered loads and stores: Load-Acquire and Store-Release, their LORegion forms, and the Load-AcquirePC instructions of
// FEAT_LRCPC and FEAT_LRCPC2. Without FEAT_LSE2 every one of them is aligned to its size.
//
// FEAT_LOR: one LORegion of all memory is allowed, so LDLAR and STLLR order like LDAR and STLR.

import { row, type Row } from './encoding.ts';
import { sizedRegister, transferForm, unscaledOffset } from './loads-stores-syntax.ts';
import {
  type AccessSize,
  accessSizes,
  allocatedTransfer,
  bytesOf,
  generalPages,
  type Page,
  registerOf,
  transfer,
  transferOf,
} from './loads-stores-transfer.ts';
import { signedOffset } from './pseudocode.ts';
import { baseAddress, offsetAddress } from './syntax/addresses.ts';

const orders = [
  { load: 'LDLAR', store: 'STLLR', o0: '0', feature: { feature: 'FEAT_LOR' } },
  { load: 'LDAR', store: 'STLR', o0: '1', feature: {} },
] as const;
type Order = (typeof orders)[number];

function loadAcquire({ load, o0, feature }: Order, { tail, size }: AccessSize): Row {
  const mnemonic = `${load}${tail}`;
  return row({
    name: mnemonic,
    ...feature,
    pattern: `${size} 001000 1 1 0 11111 ${o0} 11111 Rn Rt`,
    encoding: (f) => `${mnemonic}_LR${bytesOf(size, f.size) === 8 ? 64 : 32}_ldstord`,
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) =>
      s.writeX(f.Rt, s.load(s.readBase(f.Rn), bytesOf(size, k.size), { acquire: true, aligned: true })),
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [sizedRegister('Rt', size), baseAddress] }],
  });
}

function storeRelease({ store, o0, feature }: Order, { tail, size }: AccessSize): Row {
  const mnemonic = `${store}${tail}`;
  return row({
    name: mnemonic,
    ...feature,
    pattern: `${size} 001000 1 0 0 11111 ${o0} 11111 Rn Rt`,
    encoding: (f) => `${mnemonic}_SL${bytesOf(size, f.size) === 8 ? 64 : 32}_ldstord`,
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) => {
      const bytes = bytesOf(size, k.size);
      const address = s.readBase(f.Rn);
      s.store(address, s.readX(f.Rt, bytes === 8 ? 64 : 32), bytes, { release: true, aligned: true });
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [sizedRegister('Rt', size), baseAddress] }],
  });
}

function loadAcquirePC({ tail, size }: AccessSize): Row {
  const mnemonic = `LDAPR${tail}`;
  return row({
    name: mnemonic,
    feature: 'FEAT_LRCPC',
    pattern: `${size} 111 0 00 1 0 1 11111 1 100 00 Rn Rt`,
    encoding: (f) => `${mnemonic}_${bytesOf(size, f.size) === 8 ? 64 : 32}L_memop`,
    allocated: (f) => size !== 'size' || f.size >= 2,
    meaning: (s, k, f) =>
      s.writeX(f.Rt, s.load(s.readBase(f.Rn), bytesOf(size, k.size), { acquirePC: true, aligned: true })),
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [sizedRegister('Rt', size), baseAddress] }],
  });
}

/** LDAPUR, STLUR and their kind. */
function unscaled(page: Page): Row {
  const load = page.op === 'LD';
  const mnemonic = `${load ? 'LDAPUR' : 'STLUR'}${page.tail}`;
  const order = load ? { acquirePC: true } : { release: true };
  return row({
    name: mnemonic,
    feature: 'FEAT_LRCPC2',
    pattern: `${page.size} 011001 ${page.opc} 0 imm9 00 Rn Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(allocatedTransfer(page, f))}_ldapstl_unscaled`,
    allocated: (f) => transferOf(page, f) !== undefined,
    meaning: (s, k, f) => {
      const address = s.add(s.readBase(f.Rn), signedOffset(s, f.imm9, 9, 0));
      transfer(s, allocatedTransfer(page, k), address, f.Rt, { ...order, aligned: true });
    },
    syntax: [transferForm(mnemonic, (k) => transferOf(page, k), false, offsetAddress(unscaledOffset))],
  });
}

export const loadsStoresOrdered: readonly Row[] = [
  ...orders.flatMap((order) => [
    ...accessSizes.map((size) => storeRelease(order, size)),
    ...accessSizes.map((size) => loadAcquire(order, size)),
  ]),
  ...accessSizes.map(loadAcquirePC),
  ...generalPages.map(unscaled),
];
