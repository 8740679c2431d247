// FEAT_LRCPC3 besides its ordered pairs (loads-stores-ordered-pair.ts): Load-AcquirePC and Store-Release that move their base, and those
// of SIMD&FP registers and of one element. Arm DDI 0487, C4.1 "LDIAPP/STILP", "LDAPR/STLR (SIMD&FP)", "Advanced SIMD load/store single
// structure".

import { row, type Row } from './encoding.ts';
import { transferForm, unscaledOffset } from './loads-stores-syntax.ts';
import {
  allocatedTransfer,
  type Page,
  registerOf,
  transfer,
  transferOf,
  vectorPages,
} from './loads-stores-transfer.ts';
import { signedOffset } from './pseudocode.ts';
import type { Fields } from './syntax.ts';
import { baseAddress, movedAfter, movedBefore, offsetAddress } from './syntax/addresses.ts';
import { Rof } from './syntax/registers.ts';
import { elementList } from './syntax/vectors.ts';

const feature = 'FEAT_LRCPC3';

const orders = { LD: { acquirePC: true, aligned: true }, ST: { release: true, aligned: true } } as const;

const bytesOf = (f: Fields): 4 | 8 => (f.sz === 1 ? 8 : 4);
const register = Rof('Rt', (f) => (bytesOf(f) === 8 ? 64 : 32));

/** LDAPR moves its base up behind the access, STLR moves it down before. */
const moving: readonly Row[] = [
  row({
    name: 'LDAPR',
    feature,
    pattern: '1 sz 011001 1 1 0 00000 0000 10 Rn Rt',
    encoding: (f) => `LDAPR_${8 * bytesOf(f)}LE_ldiappstilp`,
    meaning: (s, k, f) => {
      const base = s.readBase(f.Rn);
      const value = s.load(base, bytesOf(k), orders.LD);
      s.writeXSP(f.Rn, s.add(base, s.constant(64, bytesOf(k))));
      s.writeX(f.Rt, value);
    },
    syntax: [{ mnemonic: 'ldapr', operands: [register, movedAfter(bytesOf)] }],
  }),
  row({
    name: 'STLR',
    feature,
    pattern: '1 sz 011001 1 0 0 00000 0000 10 Rn Rt',
    encoding: (f) => `STLR_${8 * bytesOf(f)}SE_ldiappstilp`,
    meaning: (s, k, f) => {
      const address = s.add(s.readBase(f.Rn), s.constant(64, -bytesOf(k)));
      s.store(address, s.readX(f.Rt, bytesOf(k) === 8 ? 64 : 32), bytesOf(k), orders.ST);
      s.writeXSP(f.Rn, address);
    },
    syntax: [{ mnemonic: 'stlr', operands: [register, movedBefore(bytesOf)] }],
  }),
];

function unscaled(page: Page): Row {
  const mnemonic = page.op === 'LD' ? 'LDAPUR' : 'STLUR';
  return row({
    name: `${mnemonic} (SIMD&FP)`,
    feature,
    pattern: `${page.size} 011101 ${page.opc} 0 imm9 10 Rn Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(allocatedTransfer(page, f))}_ldapstl_simd`,
    allocated: (f) => transferOf(page, f) !== undefined,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const address = s.add(s.readBase(f.Rn), signedOffset(s, f.imm9, 9, 0));
      transfer(s, allocatedTransfer(page, k), address, f.Rt, orders[page.op]);
    },
    syntax: [transferForm(mnemonic, (k) => transferOf(page, k), true, offsetAddress(unscaledOffset))],
  });
}

const element = elementList(
  'Rt',
  () => 1,
  () => 'd',
  (f) => f.Q!,
);

const single: readonly Row[] = [
  row({
    name: 'LDAP1 (SIMD&FP)',
    feature,
    pattern: '0 Q 001101 0 1 0 00001 100 0 01 Rn Rt',
    encoding: 'LDAP1_asisdlso_D1',
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const word = s.load(s.readBase(f.Rn), 8, orders.LD);
      s.writeV(f.Rt, s.withLane(s.readV(f.Rt, 128), 64, k.Q, word));
    },
    syntax: [{ mnemonic: 'ldap1', operands: [element, baseAddress] }],
  }),
  row({
    name: 'STL1 (SIMD&FP)',
    feature,
    pattern: '0 Q 001101 0 0 0 00001 100 0 01 Rn Rt',
    encoding: 'STL1_asisdlso_D1',
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      s.store(s.readBase(f.Rn), s.laneOf(s.readV(f.Rt, 128), 64, k.Q), 8, orders.ST);
    },
    syntax: [{ mnemonic: 'stl1', operands: [element, baseAddress] }],
  }),
];

export const loadsStoresLRCPC3: readonly Row[] = [...moving, ...vectorPages.map(unscaled), ...single];
