// Loads and Stores of one or two registers, general-purpose and SIMD&FP: literal, pairs, unscaled, pre- and
// post-indexed, unprivileged, register offset, unsigned offset. In the order of the Arm ARM's encoding index.

import { type Addressing, type Encoding, type Fields, encoding } from '../pattern.ts';

/** One row of the "size V opc" tables that the single-register classes share. */
interface Transfer {
  /** The mnemonic after LD or ST and the class letters: '', B, SB, H, SH, SW. */
  readonly tail: string;
  readonly load: boolean;
  /** The register part of the encoding name: 32, 64, or B, H, S, D, Q. */
  readonly register: string;
  readonly size: string;
  readonly opc: string;
  readonly bytes: number;
}

const GENERAL: readonly Transfer[] = [
  { tail: 'B', load: false, register: '32', size: '00', opc: '00', bytes: 1 },
  { tail: 'B', load: true, register: '32', size: '00', opc: '01', bytes: 1 },
  { tail: 'SB', load: true, register: '64', size: '00', opc: '10', bytes: 1 },
  { tail: 'SB', load: true, register: '32', size: '00', opc: '11', bytes: 1 },
  { tail: 'H', load: false, register: '32', size: '01', opc: '00', bytes: 2 },
  { tail: 'H', load: true, register: '32', size: '01', opc: '01', bytes: 2 },
  { tail: 'SH', load: true, register: '64', size: '01', opc: '10', bytes: 2 },
  { tail: 'SH', load: true, register: '32', size: '01', opc: '11', bytes: 2 },
  { tail: '', load: false, register: '32', size: '10', opc: '00', bytes: 4 },
  { tail: '', load: true, register: '32', size: '10', opc: '01', bytes: 4 },
  { tail: 'SW', load: true, register: '64', size: '10', opc: '10', bytes: 4 },
  { tail: '', load: false, register: '64', size: '11', opc: '00', bytes: 8 },
  { tail: '', load: true, register: '64', size: '11', opc: '01', bytes: 8 },
];

const SIMD: readonly Transfer[] = [
  { tail: '', load: false, register: 'B', size: '00', opc: '00', bytes: 1 },
  { tail: '', load: true, register: 'B', size: '00', opc: '01', bytes: 1 },
  { tail: '', load: false, register: 'Q', size: '00', opc: '10', bytes: 16 },
  { tail: '', load: true, register: 'Q', size: '00', opc: '11', bytes: 16 },
  { tail: '', load: false, register: 'H', size: '01', opc: '00', bytes: 2 },
  { tail: '', load: true, register: 'H', size: '01', opc: '01', bytes: 2 },
  { tail: '', load: false, register: 'S', size: '10', opc: '00', bytes: 4 },
  { tail: '', load: true, register: 'S', size: '10', opc: '01', bytes: 4 },
  { tail: '', load: false, register: 'D', size: '11', opc: '00', bytes: 8 },
  { tail: '', load: true, register: 'D', size: '11', opc: '01', bytes: 8 },
];

const signedImmediate = (field: string, scale: number, post = false): Addressing => ({
  kind: 'immediate',
  field,
  scale,
  signed: true,
  post,
});

/** Write-back with a base that is also a data register is CONSTRAINED UNPREDICTABLE. */
const baseIsNotTransferred =
  (...registers: string[]) =>
  (f: Fields) =>
    f('Rn') === 31 || registers.every((register) => f(register) !== f('Rn'));

const both =
  (...conditions: ((f: Fields) => boolean)[]) =>
  (f: Fields) =>
    conditions.every((condition) => condition(f));

const always = () => true;

/** The classes of one general group or SIMD&FP group: `v` is the V bit. */
function single(transfers: readonly Transfer[], v: '0' | '1'): Encoding[] {
  const stem = (t: Transfer) => (t.load ? 'LD' : 'ST');
  const head = (t: Transfer) => `${t.size} 111 ${v}`;
  const unscaled = transfers.map((t) =>
    encoding(
      'memory',
      `${stem(t)}UR${t.tail}_${t.register}_ldst_unscaled`,
      `${head(t)} 00 ${t.opc} 0 imm9:9 00 Rn:5 Rt:5`,
      { access: { bytes: t.bytes, alignment: 1, addressing: signedImmediate('imm9', 1) } },
    ),
  );
  const indexed = (['post', 'pre'] as const).flatMap((when) =>
    transfers.map((t) =>
      encoding(
        'memory',
        `${stem(t)}R${t.tail}_${t.register}_ldst_imm${when}`,
        `${head(t)} 00 ${t.opc} 0 imm9:9 ${when === 'post' ? '01' : '11'} Rn:5 Rt:5`,
        {
          legal: v === '0' ? baseIsNotTransferred('Rt') : always,
          access: { bytes: t.bytes, alignment: 1, addressing: signedImmediate('imm9', 1, when === 'post') },
        },
      ),
    ),
  );
  const registerOffset = transfers.flatMap((t) => {
    const shift = Math.log2(t.bytes);
    const name = `${stem(t)}R${t.tail}_${t.register}`;
    const row = (suffix: string, option: string, legal: (f: Fields) => boolean) =>
      encoding('memory', `${name}${suffix}_ldst_regoff`, `${head(t)} 00 ${t.opc} 1 Rm:5 ${option} S:1 10 Rn:5 Rt:5`, {
        legal,
        access: { bytes: t.bytes, alignment: 1, addressing: { kind: 'register', shift } },
      });
    if (t.bytes > 1) return [row('', 'option:x1x', always)];
    // Byte accesses name their LSL form apart: 32B and 32BL, B and BL.
    const b = v === '0' ? 'B' : '';
    return [row(b, 'option:x1x', (f) => f('option') !== 3), row(`${b}L`, 'option:011', always)];
  });
  const unsignedOffset = transfers.map((t) =>
    encoding('memory', `${stem(t)}R${t.tail}_${t.register}_ldst_pos`, `${head(t)} 01 ${t.opc} imm12:12 Rn:5 Rt:5`, {
      access: {
        bytes: t.bytes,
        alignment: 1,
        addressing: { kind: 'immediate', field: 'imm12', scale: t.bytes, signed: false, post: false },
      },
    }),
  );
  return [...unscaled, ...indexed, ...registerOffset, ...unsignedOffset];
}

function unprivileged(): Encoding[] {
  return GENERAL.map((t) =>
    encoding(
      'memory',
      `${t.load ? 'LD' : 'ST'}TR${t.tail}_${t.register}_ldst_unpriv`,
      `${t.size} 111 0 00 ${t.opc} 0 imm9:9 10 Rn:5 Rt:5`,
      { access: { bytes: t.bytes, alignment: 1, addressing: signedImmediate('imm9', 1) } },
    ),
  );
}

/** Rt is the prefetch operation. */
function prefetch(): Encoding[] {
  const access = (addressing: Addressing) => ({ access: { bytes: 8, alignment: 1, addressing } });
  return [
    encoding('memory', 'PRFM_P_loadlit', '11 011 0 00 imm19:19 Rt:5', access({ kind: 'literal' })),
    encoding(
      'memory',
      'PRFUM_P_ldst_unscaled',
      '11 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5',
      access(signedImmediate('imm9', 1)),
    ),
    encoding(
      'memory',
      'PRFM_P_ldst_regoff',
      '11 111 0 00 10 1 Rm:5 option:x1x S:1 10 Rn:5 Rt:5',
      access({ kind: 'register', shift: 3 }),
    ),
    encoding(
      'memory',
      'PRFM_P_ldst_pos',
      '11 111 0 01 10 imm12:12 Rn:5 Rt:5',
      access({ kind: 'immediate', field: 'imm12', scale: 8, signed: false, post: false }),
    ),
  ];
}

function literal(rows: readonly (readonly [name: string, opc: string, v: string, bytes: number])[]): Encoding[] {
  return rows.map(([name, opc, v, bytes]) =>
    encoding('memory', `${name}_loadlit`, `${opc} 011 ${v} 00 imm19:19 Rt:5`, {
      access: { bytes, alignment: 1, addressing: { kind: 'literal' } },
    }),
  );
}

type PairRow = readonly [register: string, opc: string, bytesEach: number];

const PAIR_MODES = [
  ['ldstnapair_offs', '000', false, false],
  ['ldstpair_post', '001', true, true],
  ['ldstpair_off', '010', false, false],
  ['ldstpair_pre', '011', true, false],
] as const;

function pairs(rows: readonly PairRow[], v: '0' | '1'): Encoding[] {
  return PAIR_MODES.flatMap(([iclass, mode, writesBack, post]) =>
    rows.flatMap(([register, opc, bytesEach]) =>
      (['ST', 'LD'] as const).map((stem) => {
        const loads = stem === 'LD';
        const name = `${stem}${iclass.startsWith('ldstna') ? 'NP' : 'P'}_${register}_${iclass}`;
        return encoding('memory', name, `${opc} 101 ${v} ${mode} ${loads ? '1' : '0'} imm7:7 Rt2:5 Rn:5 Rt:5`, {
          legal: both(
            // Two loads into one register are CONSTRAINED UNPREDICTABLE.
            loads ? (f) => f('Rt') !== f('Rt2') : always,
            writesBack && v === '0' ? baseIsNotTransferred('Rt', 'Rt2') : always,
          ),
          access: { bytes: 2 * bytesEach, alignment: 1, addressing: signedImmediate('imm7', bytesEach, post) },
        });
      }),
    ),
  );
}

function signedWordPairs(): Encoding[] {
  return PAIR_MODES.filter(([iclass]) => !iclass.startsWith('ldstna')).map(([iclass, mode, writesBack, post]) =>
    encoding('memory', `LDPSW_64_${iclass}`, `01 101 0 ${mode} 1 imm7:7 Rt2:5 Rn:5 Rt:5`, {
      legal: both((f) => f('Rt') !== f('Rt2'), writesBack ? baseIsNotTransferred('Rt', 'Rt2') : always),
      access: { bytes: 8, alignment: 1, addressing: signedImmediate('imm7', 4, post) },
    }),
  );
}

export const LOADS_STORES: readonly Encoding[] = [
  ...literal([
    ['LDR_32', '00', '0', 4],
    ['LDR_64', '01', '0', 8],
    ['LDRSW_64', '10', '0', 4],
  ]),
  ...pairs(
    [
      ['32', '00', 4],
      ['64', '10', 8],
    ],
    '0',
  ),
  ...signedWordPairs(),
  ...single(GENERAL, '0'),
  ...unprivileged(),
  ...prefetch(),
];

export const SIMD_LOADS_STORES: readonly Encoding[] = [
  ...literal([
    ['LDR_S', '00', '1', 4],
    ['LDR_D', '01', '1', 8],
    ['LDR_Q', '10', '1', 16],
  ]),
  ...pairs(
    [
      ['S', '00', 4],
      ['D', '01', 8],
      ['Q', '10', 16],
    ],
    '1',
  ),
  ...single(SIMD, '1'),
];
