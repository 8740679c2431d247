// Loads and Stores that synchronize: exclusives, load-acquire and store-release, RCpc, and the atomics of FEAT_LSE.
// Without FEAT_LSE2 each of them takes an Alignment fault on an address that is not a multiple of its size.

import { type Access, type Encoding, type Fields, encoding } from '../pattern.ts';

const SIZES = [
  { suffix: 'B', register: '32', size: '00', bytes: 1 },
  { suffix: 'H', register: '32', size: '01', bytes: 2 },
  { suffix: '', register: '32', size: '10', bytes: 4 },
  { suffix: '', register: '64', size: '11', bytes: 8 },
] as const;

const base = (bytes: number, more: Partial<Access> = {}): Access => ({
  bytes,
  alignment: bytes,
  addressing: { kind: 'base' },
  ...more,
});

/** The status register may be neither the base nor a data register. */
const statusIsApart =
  (...registers: string[]) =>
  (f: Fields) =>
    registers.every((register) => f('Rs') !== f(register)) && (f('Rs') !== f('Rn') || f('Rn') === 31);

function exclusives(): Encoding[] {
  const operations = [
    ['STXR', 'SR', '0', '0'],
    ['STLXR', 'SR', '0', '1'],
    ['LDXR', 'LR', '1', '0'],
    ['LDAXR', 'LR', '1', '1'],
  ] as const;
  return SIZES.flatMap(({ suffix, register, size, bytes }) =>
    operations.map(([stem, letters, l, o0]) => {
      const name = `${stem}${suffix}_${letters}${register}_ldstexclr`;
      return l === '1'
        ? encoding('memory', name, `${size} 001000 0 1 0 11111 ${o0} 11111 Rn:5 Rt:5`, { access: base(bytes) })
        : encoding('memory', name, `${size} 001000 0 0 0 Rs:5 ${o0} 11111 Rn:5 Rt:5`, {
            legal: statusIsApart('Rt'),
            access: base(bytes, { storeExclusive: 'single' }),
          });
    }),
  );
}

function exclusivePairs(): Encoding[] {
  const operations = [
    ['STXP_SP', '0', '0'],
    ['STLXP_SP', '0', '1'],
    ['LDXP_LP', '1', '0'],
    ['LDAXP_LP', '1', '1'],
  ] as const;
  const widths = [
    ['32', '0', 8],
    ['64', '1', 16],
  ] as const;
  return widths.flatMap(([width, sz, bytes]) =>
    operations.map(([name, l, o0]) =>
      l === '1'
        ? encoding('memory', `${name}${width}_ldstexclp`, `1 ${sz} 001000 0 1 1 11111 ${o0} Rt2:5 Rn:5 Rt:5`, {
            legal: (f) => f('Rt') !== f('Rt2'),
            access: base(bytes),
          })
        : encoding('memory', `${name}${width}_ldstexclp`, `1 ${sz} 001000 0 0 1 Rs:5 ${o0} Rt2:5 Rn:5 Rt:5`, {
            legal: statusIsApart('Rt', 'Rt2'),
            access: base(bytes, { storeExclusive: 'pair' }),
          }),
    ),
  );
}

function ordered(): Encoding[] {
  const operations = [
    ['STLLR', 'SL', '0', '0', 'FEAT_LOR'],
    ['STLR', 'SL', '0', '1', 'Armv8.0'],
    ['LDLAR', 'LR', '1', '0', 'FEAT_LOR'],
    ['LDAR', 'LR', '1', '1', 'Armv8.0'],
  ] as const;
  return SIZES.flatMap(({ suffix, register, size, bytes }) =>
    operations.map(([stem, letters, l, o0, feature]) =>
      encoding(
        'memory',
        `${stem}${suffix}_${letters}${register}_ldstord`,
        `${size} 001000 1 ${l} 0 11111 ${o0} 11111 Rn:5 Rt:5`,
        { feature, access: base(bytes) },
      ),
    ),
  );
}

function acquirePc(): Encoding[] {
  const unscaled = [
    ['STLURB_32', '00', '00', 1],
    ['LDAPURB_32', '00', '01', 1],
    ['LDAPURSB_64', '00', '10', 1],
    ['LDAPURSB_32', '00', '11', 1],
    ['STLURH_32', '01', '00', 2],
    ['LDAPURH_32', '01', '01', 2],
    ['LDAPURSH_64', '01', '10', 2],
    ['LDAPURSH_32', '01', '11', 2],
    ['STLUR_32', '10', '00', 4],
    ['LDAPUR_32', '10', '01', 4],
    ['LDAPURSW_64', '10', '10', 4],
    ['STLUR_64', '11', '00', 8],
    ['LDAPUR_64', '11', '01', 8],
  ] as const;
  return [
    ...SIZES.map(({ suffix, register, size, bytes }) =>
      encoding(
        'memory',
        `LDAPR${suffix}_${register}L_memop`,
        `${size} 111 0 00 1 0 1 11111 1 100 00 Rn:5 Rt:5`,
        // The manual has a misaligned LDAPR fault; QEMU 7.2 lets it pass.
        { feature: 'FEAT_LRCPC', access: base(bytes, { alignedOnly: true }) },
      ),
    ),
    ...unscaled.map(([name, size, opc, bytes]) =>
      encoding('memory', `${name}_ldapstl_unscaled`, `${size} 011001 ${opc} 0 imm9:9 00 Rn:5 Rt:5`, {
        feature: 'FEAT_LRCPC2',
        access: base(bytes, {
          addressing: { kind: 'immediate', field: 'imm9', scale: 1, signed: true, post: false },
        }),
      }),
    ),
  ];
}

const feature = 'FEAT_LSE';

/** The manual's order of A and R; L is the release letter. */
const ORDERS = [
  ['', '0', '0'],
  ['L', '0', '1'],
  ['A', '1', '0'],
  ['AL', '1', '1'],
] as const;

function compareAndSwap(): Encoding[] {
  const single = SIZES.flatMap(({ suffix, register, size, bytes }) =>
    ORDERS.map(([order, acquire, release]) =>
      encoding(
        'memory',
        `CAS${order}${suffix}_C${register}_comswap`,
        `${size} 001000 1 ${acquire} 1 Rs:5 ${release} 11111 Rn:5 Rt:5`,
        { feature, access: base(bytes, { compares: 1 }) },
      ),
    ),
  );
  const widths = [
    ['32', '0', 8],
    ['64', '1', 16],
  ] as const;
  // An odd Rs or Rt is UNDEFINED.
  const pair = widths.flatMap(([width, sz, bytes]) =>
    ORDERS.map(([order, acquire, release]) =>
      encoding(
        'memory',
        `CASP${order}_CP${width}_comswappr`,
        `0 ${sz} 001000 0 ${acquire} 1 Rs:xxxx0 ${release} 11111 Rn:5 Rt:xxxx0`,
        { feature, access: base(bytes, { compares: 2 }) },
      ),
    ),
  );
  return [...single, ...pair];
}

function atomics(): Encoding[] {
  const operations = [
    ['LDADD', '0', '000'],
    ['LDCLR', '0', '001'],
    ['LDEOR', '0', '010'],
    ['LDSET', '0', '011'],
    ['LDSMAX', '0', '100'],
    ['LDSMIN', '0', '101'],
    ['LDUMAX', '0', '110'],
    ['LDUMIN', '0', '111'],
    ['SWP', '1', '000'],
  ] as const;
  return SIZES.flatMap(({ suffix, register, size, bytes }) =>
    ORDERS.flatMap(([order, acquire, release]) =>
      operations.map(([stem, o3, opc]) =>
        encoding(
          'memory',
          `${stem}${order}${suffix}_${register}_memop`,
          `${size} 111 0 00 ${acquire} ${release} 1 Rs:5 ${o3} ${opc} 00 Rn:5 Rt:5`,
          { feature, access: base(bytes) },
        ),
      ),
    ),
  );
}

export const EXCLUSIVES_AND_ORDERED: readonly Encoding[] = [
  ...exclusives(),
  ...exclusivePairs(),
  ...ordered(),
  ...acquirePc(),
];

export const ATOMICS: readonly Encoding[] = [...compareAndSwap(), ...atomics()];
