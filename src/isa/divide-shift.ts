// Data-processing (2 source), division and variable shifts: Arm DDI 0487, C4.1 "Data Processing -- Register".

import { row, type Row } from './encoding.ts';
import type { Semantics, Value } from './semantics.ts';
import { R } from './syntax/registers.ts';

const operations = [
  { mnemonic: 'UDIV', alias: undefined, opcode: '000010' },
  { mnemonic: 'SDIV', alias: undefined, opcode: '000011' },
  { mnemonic: 'LSLV', alias: 'lsl', opcode: '001000' },
  { mnemonic: 'LSRV', alias: 'lsr', opcode: '001001' },
  { mnemonic: 'ASRV', alias: 'asr', opcode: '001010' },
  { mnemonic: 'RORV', alias: 'ror', opcode: '001011' },
] as const;

function operate(s: Semantics, mnemonic: (typeof operations)[number]['mnemonic'], n: Value, m: Value): Value {
  switch (mnemonic) {
    case 'UDIV':
      return s.udiv(n, m);
    case 'SDIV':
      return s.sdiv(n, m);
    case 'LSLV':
      return s.lsl(n, m);
    case 'LSRV':
      return s.lsr(n, m);
    case 'ASRV':
      return s.asr(n, m);
    case 'RORV':
      return s.ror(n, m);
  }
}

const registers = [R('Rd'), R('Rn'), R('Rm')];

export const divideShift: readonly Row[] = operations.map(({ mnemonic, alias, opcode }) =>
  row({
    name: mnemonic,
    pattern: `sf 0 0 11010110 Rm ${opcode} Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_dp_2src`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      s.writeX(f.Rd, operate(s, mnemonic, s.readX(f.Rn, width), s.readX(f.Rm, width)));
    },
    syntax: [
      ...(alias === undefined ? [] : [{ mnemonic: alias, operands: registers }]),
      { mnemonic: mnemonic.toLowerCase(), operands: registers },
    ],
  }),
);
