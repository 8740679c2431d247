// Load/store pair and no-allocate pair, general-purpose and SIMD&FP: Arm DDI 0487, C4.1 "Loads and Stores". The registers
// are two accesses in ascending order of address: single-copy atomicity holds for each register, not for the pair.

import { row, type Row } from './encoding.ts';
import { extended, pageName, readRegister, registerOf, type Transfer, writeRegister } from './loads-stores-transfer.ts';
import { scaledOffset, transferRegister } from './loads-stores-syntax.ts';
import { signedOffset } from './pseudocode.ts';
import type { Form } from './syntax.ts';
import { offsetAddress, postIndexed, preIndexed } from './syntax/addresses.ts';

const pages = [
  { mnemonic: 'STP', noAllocate: 'STNP', V: '0', opc: 'opc', L: '0' },
  { mnemonic: 'LDP', noAllocate: 'LDNP', V: '0', opc: 'opc', L: '1' },
  { mnemonic: 'LDPSW', noAllocate: undefined, V: '0', opc: '01', L: '1' },
  { mnemonic: 'STP', noAllocate: 'STNP', V: '1', opc: 'opc', L: '0' },
  { mnemonic: 'LDP', noAllocate: 'LDNP', V: '1', opc: 'opc', L: '1' },
] as const;
type Page = (typeof pages)[number];

/** In the order of the two bits that tell them apart. */
const modes = [
  { bits: '00', iclass: 'ldstnapair_offs' },
  { bits: '01', iclass: 'ldstpair_post' },
  { bits: '10', iclass: 'ldstpair_off' },
  { bits: '11', iclass: 'ldstpair_pre' },
] as const;
type Mode = (typeof modes)[number];

/** The transfer of each register: opc is 00, 01 or 10 for S, D, Q, and 00 or 10 for W and X; 01 is LDPSW. */
function transferOf(page: Page, opc: number): Transfer {
  const load = page.L === '1';
  if (page.mnemonic === 'LDPSW') return { load, vector: false, bytes: 4, signedTo: 64 };
  if (page.V === '1') return { load, vector: true, bytes: (4 << opc) as 4 | 8 | 16 };
  return { load, vector: false, bytes: opc === 2 ? 8 : 4 };
}

const isAllocated = (page: Page, opc: number): boolean =>
  page.opc !== 'opc' || (opc !== 3 && (page.V === '1' || opc !== 1));

function pairSyntax(page: Page, mnemonic: string, mode: Mode): Form {
  const transfer = (k: Readonly<Record<string, number>>): Transfer | undefined =>
    isAllocated(page, k.opc ?? 0) ? transferOf(page, k.opc ?? 0) : undefined;
  const register = (field: string) => transferRegister(field, transfer, page.V === '1');
  const address = {
    ldstpair_post: postIndexed,
    ldstpair_pre: preIndexed,
    ldstpair_off: offsetAddress,
    ldstnapair_offs: offsetAddress,
  };
  return {
    mnemonic: (k) => (transfer(k) === undefined ? undefined : mnemonic.toLowerCase()),
    operands: [register('Rt'), register('Rt2'), address[mode.iclass](scaledOffset('imm7', transfer))],
  };
}

function pair(page: Page, mnemonic: string, mode: Mode): Row {
  const post = mode.iclass === 'ldstpair_post';
  const writesBack = post || mode.iclass === 'ldstpair_pre';
  return row({
    name: pageName(mnemonic, page.V),
    pattern: `${page.opc} 101 ${page.V} 0 ${mode.bits} ${page.L} imm7 Rt2 Rn Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(transferOf(page, f.opc))}_${mode.iclass}`,
    allocated: (f) => isAllocated(page, f.opc),
    meaning: (s, k, f) => {
      const t = transferOf(page, k.opc);
      if (t.vector) s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const moved = s.add(base, signedOffset(s, f.imm7, 7, Math.log2(t.bytes)));
      const address = post ? base : moved;
      const bytes = t.bytes as 4 | 8 | 16;
      if (t.load) {
        const [first, second] = s.loadPair(address, bytes);
        const [value1, value2] = [extended(s, t, first), extended(s, t, second)];
        if (writesBack) s.writeXSP(f.Rn, moved);
        writeRegister(s, t, f.Rt, value1);
        writeRegister(s, t, f.Rt2, value2);
      } else {
        s.storePair(address, readRegister(s, t, f.Rt), readRegister(s, t, f.Rt2), bytes);
        if (writesBack) s.writeXSP(f.Rn, moved);
      }
    },
    syntax: [pairSyntax(page, mnemonic, mode)],
  });
}

export const loadsStoresPair: readonly Row[] = modes.flatMap((mode) =>
  pages.flatMap((page) => {
    const mnemonic = mode.iclass === 'ldstnapair_offs' ? page.noAllocate : page.mnemonic;
    return mnemonic === undefined ? [] : [pair(page, mnemonic, mode)];
  }),
);
