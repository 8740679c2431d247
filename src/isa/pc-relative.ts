// PC-relative addressing: Arm DDI 0487, C4.1 "Data Processing -- Immediate".

import { row, type Row } from './encoding.ts';
import { signedOffset, widen } from './pseudocode.ts';
import { byteLabel, pageLabel } from './syntax/addresses.ts';
import { X } from './syntax/registers.ts';

const ADR = row({
  name: 'ADR',
  pattern: '0 immlo 10000 immhi Rd',
  encoding: 'ADR_only_pcreladdr',
  meaning: (s, _k, f) => {
    const imm = s.or(signedOffset(s, f.immhi, 19, 2), widen(s, f.immlo, 64));
    s.writeX(f.Rd, s.add(s.pc(), imm));
  },
  syntax: [{ mnemonic: 'adr', operands: [X('Rd'), byteLabel] }],
});

const ADRP = row({
  name: 'ADRP',
  pattern: '1 immlo 10000 immhi Rd',
  encoding: 'ADRP_only_pcreladdr',
  meaning: (s, _k, f) => {
    const imm = s.or(signedOffset(s, f.immhi, 19, 14), s.lsl(widen(s, f.immlo, 64), s.constant(64, 12)));
    const page = s.and(s.pc(), s.constant(64, ~0xfffn));
    s.writeX(f.Rd, s.add(page, imm));
  },
  syntax: [{ mnemonic: 'adrp', operands: [X('Rd'), pageLabel] }],
});

export const pcRelative: readonly Row[] = [ADR, ADRP];
