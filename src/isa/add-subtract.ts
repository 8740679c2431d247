// Add and subtract (immediate, shifted register, extended register, with carry): Arm DDI 0487, C4.1 "Data Processing".

import { row, type Row } from './encoding.ts';
import { addition, subtraction, widen } from './pseudocode.ts';

const immediate = (['ADD', 'ADDS', 'SUB', 'SUBS'] as const).map((mnemonic, op) => {
  const bits = op.toString(2).padStart(2, '0').split('').join(' ') as '0 0' | '0 1' | '1 0' | '1 1';
  return row({
    name: `${mnemonic} (immediate)`,
    pattern: `sf ${bits} 100010 sh imm12 Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}${op & 1 ? 'S' : ''}_addsub_imm`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const imm = s.lsl(widen(s, f.imm12, width), s.constant(width, k.sh ? 12 : 0));
      const operand1 = s.readXSP(f.Rn, width);
      const { result, flags } = op & 2 ? subtraction(s, operand1, imm) : addition(s, operand1, imm);
      if (op & 1) {
        s.writeFlags(flags);
        s.writeX(f.Rd, result);
      } else {
        s.writeXSP(f.Rd, result);
      }
    },
  });
});

export const addSubtract: readonly Row[] = [...immediate];
