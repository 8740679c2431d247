// Load/store register: literal, unscaled immediate, pre- and post-indexed, unprivileged, register offset, unsigned
// immediate; general-purpose and SIMD&FP. Arm DDI 0487, C4.1 "Loads and Stores". Prefetches have no effect: a simulated
// memory gains nothing from a hint, and a prefetch neither faults nor checks the stack pointer.

import { row, type Row } from './encoding.ts';
import {
  allocatedTransfer,
  generalPages,
  type Page,
  pageName,
  registerOf,
  transfer,
  type Transfer,
  transferOf,
  vectorPages,
} from './loads-stores-transfer.ts';
import { scaledOffset, transferForm, unscaledOffset } from './loads-stores-syntax.ts';
import { extendReg, signedOffset, widen } from './pseudocode.ts';
import { type Fields, type Form, never, type Operand } from './syntax.ts';
import {
  label,
  offsetAddress,
  postIndexed,
  preIndexed,
  registerOffset as registerOffsetAddress,
} from './syntax/addresses.ts';
import { prefetchOperation } from './syntax/system.ts';

const pages = [...generalPages, ...vectorPages];

const literalPages = [
  { mnemonic: 'LDR', V: '0', opc: 'opc', signed: false },
  { mnemonic: 'LDRSW', V: '0', opc: '10', signed: true },
  { mnemonic: 'LDR', V: '1', opc: 'opc', signed: false },
] as const;

const literal = literalPages.map(({ mnemonic, V, opc, signed }) => {
  const transferOfOpc = (opcValue: number): Transfer =>
    signed
      ? { load: true, vector: false, bytes: 4, signedTo: 64 }
      : { load: true, vector: V === '1', bytes: (4 << opcValue) as 4 | 8 | 16 };
  return row({
    name: pageName(mnemonic, V, 'literal'),
    pattern: `${opc} 011 ${V} 00 imm19 Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(transferOfOpc(f.opc))}_loadlit`,
    allocated: (f) => signed || f.opc < (V === '1' ? 3 : 2),
    meaning: (s, k, f) => {
      const t = transferOfOpc(k.opc);
      if (t.vector) s.checkFPEnabled();
      const address = s.add(s.pc(), signedOffset(s, f.imm19, 19, 2));
      transfer(s, t, address, f.Rt, {});
    },
    syntax: [
      transferForm(
        mnemonic,
        (k) => (signed || k.opc! < (V === '1' ? 3 : 2) ? transferOfOpc(k.opc ?? 0) : undefined),
        V === '1',
        label('imm19', 19),
      ),
    ],
  });
});

/** `mnemonic Rt, address` for a page, where its transfer is allocated and the other known fields are. */
function pageForm(
  page: Page,
  mnemonic: string,
  address: Operand,
  isAllocated: (k: Fields) => boolean = () => true,
): Form {
  return transferForm(mnemonic, (k) => (isAllocated(k) ? transferOf(page, k) : undefined), page.V === '1', address);
}

/** LDUR, STUR and their kind, and the unprivileged LDTR, STTR. */
function unscaled(page: Page, form: 'UR' | 'TR'): Row {
  const mnemonic = `${page.op}${form}${page.tail}`;
  const unprivileged = form === 'TR';
  return row({
    name: pageName(mnemonic, page.V),
    pattern: `${page.size} 111 ${page.V} 00 ${page.opc} 0 imm9 ${unprivileged ? '10' : '00'} Rn Rt`,
    encoding: (f) => {
      const register = registerOf(allocatedTransfer(page, f));
      return `${mnemonic}_${register}_ldst_${unprivileged ? 'unpriv' : 'unscaled'}`;
    },
    allocated: (f) => transferOf(page, f) !== undefined,
    meaning: (s, k, f) => {
      const t = allocatedTransfer(page, k);
      if (t.vector) s.checkFPEnabled();
      const address = s.add(s.readBase(f.Rn), signedOffset(s, f.imm9, 9, 0));
      transfer(s, t, address, f.Rt, unprivileged ? { unprivileged } : {});
    },
    syntax: [
      pageForm(page, mnemonic, offsetAddress(unscaledOffset)),
      // GNU as takes an offset that LDR and STR cannot scale for LDUR and STUR.
      ...(unprivileged
        ? []
        : [{ ...pageForm(page, `${page.op}R${page.tail}`, offsetAddress(unscaledOffset)), preferred: never }]),
    ],
  });
}

/** Post-indexed (`[Xn], #imm`) and pre-indexed (`[Xn, #imm]!`). */
function indexed(page: Page, when: 'post' | 'pre'): Row {
  const mnemonic = `${page.op}R${page.tail}`;
  return row({
    name: pageName(mnemonic, page.V, 'immediate'),
    pattern: `${page.size} 111 ${page.V} 00 ${page.opc} 0 imm9 ${when === 'post' ? '01' : '11'} Rn Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(allocatedTransfer(page, f))}_ldst_imm${when}`,
    allocated: (f) => transferOf(page, f) !== undefined,
    meaning: (s, k, f) => {
      const t = allocatedTransfer(page, k);
      if (t.vector) s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const moved = s.add(base, signedOffset(s, f.imm9, 9, 0));
      transfer(s, t, when === 'post' ? base : moved, f.Rt, {}, { Rn: f.Rn, address: moved });
    },
    syntax: [pageForm(page, mnemonic, (when === 'post' ? postIndexed : preIndexed)(unscaledOffset))],
  });
}

function registerOffset(page: Page): Row {
  const mnemonic = `${page.op}R${page.tail}`;
  return row({
    name: pageName(mnemonic, page.V, 'register'),
    pattern: `${page.size} 111 ${page.V} 00 ${page.opc} 1 Rm option S 10 Rn Rt`,
    encoding: (f) => {
      const t = allocatedTransfer(page, f);
      return `${mnemonic}_${registerOf(t)}${offsetForm(t, f.option)}_ldst_regoff`;
    },
    allocated: (f) => transferOf(page, f) !== undefined && isWordOrLonger(f.option),
    meaning: (s, k, f) => {
      const t = allocatedTransfer(page, k);
      if (t.vector) s.checkFPEnabled();
      const base = s.readBase(f.Rn);
      const shift = s.constant(32, k.S ? Math.log2(t.bytes) : 0);
      const offset = extendReg(s, f.Rm, k.option, shift, 64);
      transfer(s, t, s.add(base, offset), f.Rt, {});
    },
    syntax: [
      pageForm(
        page,
        mnemonic,
        registerOffsetAddress((f) => Math.log2(transferOf(page, f)?.bytes ?? 1)),
        (k) => isWordOrLonger(k.option!),
      ),
    ],
  });
}

/** `option` of a register offset: UXTW, LSL, SXTW and SXTX are allocated, the byte and halfword extensions are not. */
function isWordOrLonger(option: number): boolean {
  return (option & 2) !== 0;
}

/** Byte accesses name their extended and their shifted register forms apart: LDRB_32B_ldst_regoff, LDRB_32BL_ldst_regoff. */
function offsetForm(t: Transfer, option: number): string {
  if (t.bytes !== 1) return '';
  const lsl = option === 3 ? 'L' : '';
  return t.vector ? lsl : `B${lsl}`;
}

function unsignedOffset(page: Page): Row {
  const mnemonic = `${page.op}R${page.tail}`;
  return row({
    name: pageName(mnemonic, page.V, 'immediate'),
    pattern: `${page.size} 111 ${page.V} 01 ${page.opc} imm12 Rn Rt`,
    encoding: (f) => `${mnemonic}_${registerOf(allocatedTransfer(page, f))}_ldst_pos`,
    allocated: (f) => transferOf(page, f) !== undefined,
    meaning: (s, k, f) => {
      const t = allocatedTransfer(page, k);
      if (t.vector) s.checkFPEnabled();
      const offset = s.lsl(widen(s, f.imm12, 64), s.constant(64, Math.log2(t.bytes)));
      transfer(s, t, s.add(s.readBase(f.Rn), offset), f.Rt, {});
    },
    syntax: [pageForm(page, mnemonic, offsetAddress(scaledOffset('imm12', (k) => transferOf(page, k))))],
  });
}

const noEffect = (): void => {};

const prefetch = [
  row({
    name: 'PRFM (literal)',
    pattern: '11 011 0 00 imm19 Rt',
    encoding: 'PRFM_P_loadlit',
    meaning: noEffect,
    syntax: [{ mnemonic: 'prfm', operands: [prefetchOperation, label('imm19', 19)] }],
  }),
  row({
    name: 'PRFUM',
    pattern: '11 111 0 00 10 0 imm9 00 Rn Rt',
    encoding: 'PRFUM_P_ldst_unscaled',
    meaning: noEffect,
    syntax: [
      { mnemonic: 'prfum', operands: [prefetchOperation, offsetAddress(unscaledOffset)] },
      { mnemonic: 'prfm', operands: [prefetchOperation, offsetAddress(unscaledOffset)], preferred: never },
    ],
  }),
  row({
    name: 'PRFM (register)',
    pattern: '11 111 0 00 10 1 Rm option S 10 Rn Rt',
    encoding: 'PRFM_P_ldst_regoff',
    allocated: (f) => isWordOrLonger(f.option),
    meaning: noEffect,
    syntax: [
      {
        mnemonic: (k) => (isWordOrLonger(k.option) ? 'prfm' : undefined),
        operands: [prefetchOperation, registerOffsetAddress(() => 3)],
      },
    ],
  }),
  row({
    name: 'PRFM (immediate)',
    pattern: '11 111 0 01 10 imm12 Rn Rt',
    encoding: 'PRFM_P_ldst_pos',
    meaning: noEffect,
    syntax: [
      {
        mnemonic: 'prfm',
        operands: [
          prefetchOperation,
          offsetAddress({ field: 'imm12', bits: 12, signed: false, scale: () => 8, others: '-256 to 255' }),
        ],
      },
    ],
  }),
];

export const loadsStoresRegister: readonly Row[] = [
  ...literal,
  ...pages.map((page) => unscaled(page, 'UR')),
  ...pages.map((page) => indexed(page, 'post')),
  ...generalPages.map((page) => unscaled(page, 'TR')),
  ...pages.map((page) => indexed(page, 'pre')),
  ...pages.map((page) => registerOffset(page)),
  ...pages.map((page) => unsignedOffset(page)),
  ...prefetch,
];
