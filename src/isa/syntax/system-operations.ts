// Names of the System instructions that SYS encodes: Arm DDI 0487, C5.3 to C5.5 (IC, DC, AT, TLBI), and the prediction restrictions.

export type SystemMnemonic = 'ic' | 'dc' | 'at' | 'tlbi' | 'cfp' | 'dvp' | 'cpp';

export interface SystemOperation {
  readonly mnemonic: SystemMnemonic;
  readonly name: string;
  /** op1:CRn:CRm:op2. */
  readonly key: number;
  /** Whether it takes a register; an operation that takes none has Rt = 31. */
  readonly register: boolean;
}

export const operationKey = (op1: number, CRn: number, CRm: number, op2: number): number =>
  (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

/** By CRn, then `op1 CRm`, then op2. A `!` follows the name of an operation that takes no register. */
const tables: readonly (readonly [SystemMnemonic, CRn: number, Readonly<Record<string, Readonly<Record<number, string>>>>])[] = [
  ['ic', 7, { '0 1': { 0: 'ialluis!' }, '0 5': { 0: 'iallu!' }, '3 5': { 1: 'ivau' } }],
  ['dc', 7, {
    '0 6': { 1: 'ivac', 2: 'isw', 3: 'igvac', 4: 'igsw', 5: 'igdvac', 6: 'igdsw' },
    '0 10': { 2: 'csw', 4: 'cgsw', 6: 'cgdsw' },
    '0 14': { 2: 'cisw', 4: 'cigsw', 6: 'cigdsw' },
    '3 4': { 1: 'zva', 3: 'gva', 4: 'gzva' },
    '3 10': { 1: 'cvac', 3: 'cgvac', 5: 'cgdvac' },
    '3 11': { 1: 'cvau' },
    '3 12': { 1: 'cvap', 3: 'cgvap', 5: 'cgdvap' },
    '3 13': { 1: 'cvadp', 3: 'cgvadp', 5: 'cgdvadp' },
    '3 14': { 1: 'civac', 3: 'cigvac', 5: 'cigdvac' },
    '6 14': { 1: 'cipapa', 5: 'cigdpapa' },
  }],
  ['at', 7, {
    '0 8': { 0: 's1e1r', 1: 's1e1w', 2: 's1e0r', 3: 's1e0w' },
    '0 9': { 0: 's1e1rp', 1: 's1e1wp' },
    '4 8': { 0: 's1e2r', 1: 's1e2w', 4: 's12e1r', 5: 's12e1w', 6: 's12e0r', 7: 's12e0w' },
    '6 8': { 0: 's1e3r', 1: 's1e3w' },
  }],
  ['tlbi', 8, {
    '0 1': { 0: 'vmalle1os!', 1: 'vae1os', 2: 'aside1os', 3: 'vaae1os', 5: 'vale1os', 7: 'vaale1os' },
    '0 2': { 1: 'rvae1is', 3: 'rvaae1is', 5: 'rvale1is', 7: 'rvaale1is' },
    '0 3': { 0: 'vmalle1is!', 1: 'vae1is', 2: 'aside1is', 3: 'vaae1is', 5: 'vale1is', 7: 'vaale1is' },
    '0 5': { 1: 'rvae1os', 3: 'rvaae1os', 5: 'rvale1os', 7: 'rvaale1os' },
    '0 6': { 1: 'rvae1', 3: 'rvaae1', 5: 'rvale1', 7: 'rvaale1' },
    '0 7': { 0: 'vmalle1!', 1: 'vae1', 2: 'aside1', 3: 'vaae1', 5: 'vale1', 7: 'vaale1' },
    '4 0': { 1: 'ipas2e1is', 2: 'ripas2e1is', 5: 'ipas2le1is', 6: 'ripas2le1is' },
    '4 1': { 0: 'alle2os!', 1: 'vae2os', 4: 'alle1os!', 5: 'vale2os', 6: 'vmalls12e1os!' },
    '4 2': { 1: 'rvae2is', 5: 'rvale2is' },
    '4 3': { 0: 'alle2is!', 1: 'vae2is', 4: 'alle1is!', 5: 'vale2is', 6: 'vmalls12e1is!' },
    '4 4': {
      0: 'ipas2e1os', 1: 'ipas2e1', 2: 'ripas2e1', 3: 'ripas2e1os', 4: 'ipas2le1os', 5: 'ipas2le1', 6: 'ripas2le1', 7: 'ripas2le1os',
    },
    '4 5': { 1: 'rvae2os', 5: 'rvale2os' },
    '4 6': { 1: 'rvae2', 5: 'rvale2' },
    '4 7': { 0: 'alle2!', 1: 'vae2', 4: 'alle1!', 5: 'vale2', 6: 'vmalls12e1!' },
    '6 1': { 0: 'alle3os!', 1: 'vae3os', 4: 'paallos!', 5: 'vale3os' },
    '6 2': { 1: 'rvae3is', 5: 'rvale3is' },
    '6 3': { 0: 'alle3is!', 1: 'vae3is', 5: 'vale3is' },
    '6 4': { 3: 'rpaos', 7: 'rpalos' },
    '6 5': { 1: 'rvae3os', 5: 'rvale3os' },
    '6 6': { 1: 'rvae3', 5: 'rvale3' },
    '6 7': { 0: 'alle3!', 1: 'vae3', 4: 'paall!', 5: 'vale3' },
  }],
  ['cfp', 7, { '3 3': { 4: 'rctx' } }],
  ['dvp', 7, { '3 3': { 5: 'rctx' } }],
  ['cpp', 7, { '3 3': { 7: 'rctx' } }],
]; // prettier-ignore

export const systemOperations: readonly SystemOperation[] = tables.flatMap(([mnemonic, CRn, groups]) =>
  Object.entries(groups).flatMap(([group, names]) => {
    const [op1 = 0, CRm = 0] = group.split(' ').map(Number);
    return Object.entries(names).map(([op2, name]) => ({
      mnemonic,
      name: name.replace('!', ''),
      key: operationKey(op1, CRn, CRm, Number(op2)),
      register: !name.endsWith('!'),
    }));
  }),
);
