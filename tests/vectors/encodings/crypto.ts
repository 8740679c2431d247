// The Cryptographic Extension, in the order of the Arm ARM's encoding index.

import { type Encoding, encoding } from '../pattern.ts';

const aes = [
  ['AESE', '00100'],
  ['AESD', '00101'],
  ['AESMC', '00110'],
  ['AESIMC', '00111'],
] as const;

const threeRegisterSha = [
  ['SHA1C_QSV', '000', 'FEAT_SHA1'],
  ['SHA1P_QSV', '001', 'FEAT_SHA1'],
  ['SHA1M_QSV', '010', 'FEAT_SHA1'],
  ['SHA1SU0_VVV', '011', 'FEAT_SHA1'],
  ['SHA256H_QQV', '100', 'FEAT_SHA256'],
  ['SHA256H2_QQV', '101', 'FEAT_SHA256'],
  ['SHA256SU1_VVV', '110', 'FEAT_SHA256'],
] as const;

const twoRegisterSha = [
  ['SHA1H_SS', '00000', 'FEAT_SHA1'],
  ['SHA1SU1_VV', '00001', 'FEAT_SHA1'],
  ['SHA256SU0_VV', '00010', 'FEAT_SHA256'],
] as const;

const threeRegisterSha512 = [
  ['SHA512H_QQV', '00', 'FEAT_SHA512'],
  ['SHA512H2_QQV', '01', 'FEAT_SHA512'],
  ['SHA512SU1_VVV2', '10', 'FEAT_SHA512'],
  ['RAX1_VVV2', '11', 'FEAT_SHA3'],
] as const;

export const CRYPTO: readonly Encoding[] = [
  ...aes.map(([name, opcode]) =>
    encoding('data', `${name}_B_cryptoaes`, `01001110 00 10100 ${opcode} 10 Rn:5 Rd:5`, { feature: 'FEAT_AES' }),
  ),
  ...threeRegisterSha.map(([name, opcode, feature]) =>
    encoding('data', `${name}_cryptosha3`, `01011110 00 0 Rm:5 0 ${opcode} 00 Rn:5 Rd:5`, { feature }),
  ),
  ...twoRegisterSha.map(([name, opcode, feature]) =>
    encoding('data', `${name}_cryptosha2`, `01011110 00 10100 ${opcode} 10 Rn:5 Rd:5`, { feature }),
  ),
  ...threeRegisterSha512.map(([name, opcode, feature]) =>
    encoding('data', `${name}_cryptosha512_3`, `11001110011 Rm:5 1 0 00 ${opcode} Rn:5 Rd:5`, { feature }),
  ),
  encoding('data', 'SHA512SU0_VV2_cryptosha512_2', '11001110110000001000 00 Rn:5 Rd:5', { feature: 'FEAT_SHA512' }),
  encoding('data', 'EOR3_VVV16_crypto4', '110011100 00 Rm:5 0 Ra:5 Rn:5 Rd:5', { feature: 'FEAT_SHA3' }),
  encoding('data', 'BCAX_VVV16_crypto4', '110011100 01 Rm:5 0 Ra:5 Rn:5 Rd:5', { feature: 'FEAT_SHA3' }),
  encoding('data', 'XAR_VVV2_crypto3_imm6', '110011101 00 Rm:5 imm6:6 Rn:5 Rd:5', { feature: 'FEAT_SHA3' }),
  encoding('data', 'PMULL_asimddiff_L(64)', '0 Q:1 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5', { feature: 'FEAT_PMULL' }),
];
