import { describe, expect, test } from 'vitest';
import { concrete, traceOperations, traceValue } from '../../src/engine/trace-values.ts';
import { wordsOver } from '../../src/isa/floating-point/words.ts';
import { computePac } from '../../src/isa/pointer-authentication/qarma.ts';

describe('ComputePAC', () => {
  test('gives the published test vector of QARMA-64 with five rounds and sigma2', () => {
    const word = (bits: bigint) => traceValue(64, bits);
    const pac = computePac(
      wordsOver(traceOperations),
      word(0xfb62_3599_da6e_8127n),
      word(0x477d_469d_ec0b_8762n),
      word(0x84be_85ce_9804_e94bn),
      word(0xec28_02d4_e0a4_88e9n),
    );
    expect(concrete(pac).bits.toString(16)).toBe('c003b93999b33765');
  });
});
