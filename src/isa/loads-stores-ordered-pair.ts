// Ordered pairs: LDIAPP and STILP of FEAT_LRCPC3, whose accesses are ordered among themselves; LDAP, LDAPP and STLP of FEAT_LSCP,
// whose accesses are not. Arm DDI 0487, C4.1 "LDIAPP/STILP".
//
// A register is an access of its own; with write-back down (STILP), the one at the higher address comes first.

import { row, type Row } from './encoding.ts';
import type { AccessBytes, Ordering } from './semantics.ts';
import type { Fields, Operand } from './syntax.ts';
import { baseAddress, movedAfter, movedBefore } from './syntax/addresses.ts';
import { Rof, X } from './syntax/registers.ts';

const bytesOf = (f: Fields): 4 | 8 => (f.sz === 1 ? 8 : 4);
const register = (field: 'Rt' | 'Rt2'): Operand => Rof(field, (f) => (bytesOf(f) === 8 ? 64 : 32));

/** The second access comes after the first. */
const inOrder = { inOrder: true } as const;

const forms = [
  { mnemonic: 'LDIAPP', load: true, opc2: '0000', name: 'LE', writesBack: true },
  { mnemonic: 'LDIAPP', load: true, opc2: '0001', name: 'L', writesBack: false },
  { mnemonic: 'STILP', load: false, opc2: '0000', name: 'SE', writesBack: true },
  { mnemonic: 'STILP', load: false, opc2: '0001', name: 'S', writesBack: false },
] as const;

const orderedPairs = forms.map(({ mnemonic, load, opc2, name, writesBack }) =>
  row({
    name: mnemonic,
    feature: 'FEAT_LRCPC3',
    pattern: `1 sz 011001 0 ${load ? '1' : '0'} 0 Rt2 ${opc2} 10 Rn Rt`,
    encoding: (f) => `${mnemonic}_${f.sz ? 64 : 32}${name}_ldiappstilp`,
    meaning: (s, k, f) => {
      const bytes = bytesOf(k);
      const base = s.readBase(f.Rn);
      const moved = s.add(base, s.constant(64, (load ? 2 : -2) * bytes));
      const address = load || !writesBack ? base : moved;
      const second = s.add(address, s.constant(64, bytes));
      if (load) {
        const order = { acquirePC: true, aligned: true };
        const value1 = s.load(address, bytes, order);
        const value2 = s.load(second, bytes, { ...order, ...inOrder });
        if (writesBack) s.writeXSP(f.Rn, moved);
        s.writeX(f.Rt, value1);
        s.writeX(f.Rt2, value2);
      } else {
        const order = { release: true, aligned: true };
        const width = bytes === 8 ? 64 : 32;
        const low = [address, s.readX(f.Rt, width)] as const;
        const high = [second, s.readX(f.Rt2, width)] as const;
        const [before, after] = writesBack ? [high, low] : [low, high];
        s.store(...before, bytes, order);
        s.store(...after, bytes, { ...order, ...inOrder });
        if (writesBack) s.writeXSP(f.Rn, moved);
      }
    },
    syntax: [
      {
        mnemonic: mnemonic.toLowerCase(),
        operands: [
          register('Rt'),
          register('Rt2'),
          writesBack ? (load ? movedAfter : movedBefore)((f) => 2 * bytesOf(f)) : baseAddress,
        ],
      },
    ],
  }),
);

const pairs = (
  [
    { mnemonic: 'STLP', load: '0', opc2: '0101', order: { release: true } },
    { mnemonic: 'LDAP', load: '1', opc2: '0101', order: { acquire: true } },
    { mnemonic: 'LDAPP', load: '1', opc2: '0111', order: { acquirePC: true } },
  ] as const
).map(({ mnemonic, load, opc2, order }) =>
  row({
    name: mnemonic,
    feature: 'FEAT_LSCP',
    pattern: `1 1 011001 0 ${load} 0 Rt2 ${opc2} 10 Rn Rt`,
    encoding: `${mnemonic}_64_ldiappstilp`,
    meaning: (s, _k, f) => {
      const bytes: AccessBytes = 8;
      const access: Ordering & { readonly aligned: boolean } = { ...order, aligned: true };
      const address = s.readBase(f.Rn);
      const second = s.add(address, s.constant(64, bytes));
      if (load === '1') {
        const value1 = s.load(address, bytes, access);
        const value2 = s.load(second, bytes, access);
        s.writeX(f.Rt, value1);
        s.writeX(f.Rt2, value2);
      } else {
        s.store(address, s.readX(f.Rt, 64), bytes, access);
        s.store(second, s.readX(f.Rt2, 64), bytes, access);
      }
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [X('Rt'), X('Rt2'), baseAddress] }],
  }),
);

export const loadsStoresOrderedPair: readonly Row[] = [...orderedPairs, ...pairs];
