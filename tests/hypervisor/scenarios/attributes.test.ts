import { describe, expect, it } from 'vitest';
import { EC } from '../../../src/arch/exceptions.ts';
import { vmState } from '../../../src/hypervisor/state.ts';
import { kernel, note, notesIpa, psci } from '../kernels.ts';
import { runSystem } from '../system.ts';

const storeIpa = 0x2000_0000;
const uart = 0x0900_0000;
const va = 0x1000;

/** Stage 1: Normal Write-Back memory that may be written, at a VA that leads to `ipa`; RAM as one block. */
const translated = (ipa: number): string => `
  .align 12
  level1: .quad level2 + 3, 0, 0x80000701
  .align 12
  level2: .quad level3 + 3
  .align 12
  level3: .quad 0, ${ipa} + 0x703
  .align 12
  stage1:
  ldr x9, =0xff
  msr mair_el1, x9
  ldr x9, =0x200803519
  msr tcr_el1, x9
  adr x9, level1
  msr ttbr0_el1, x9
  isb
  mrs x9, sctlr_el1
  orr x9, x9, #1
  msr sctlr_el1, x9
  isb
  ret`;

const alignmentFault = 0x21n;

describe('attributes of both stages', () => {
  it('scenario 8: Normal at stage 1 and Device at stage 2 are Device: stage 2 lets no unaligned access pass', () => {
    const access = (ipa: number): { noted: bigint; exceptionClass: number; status: bigint } => {
      const { words, register } = runSystem([
        {
          name: 'mvm',
          kind: 'mvm',
          cores: [0],
          windows: [{ ipa: uart, pa: uart, bytes: 0x1000 }],
          source: kernel(
            'bl stage1',
            `mov x1, #${va}`,
            'ldur w2, [x1, #1]',
            note('x1'),
            psci.systemOff,
            translated(ipa),
          ),
        },
      ]);
      const syndrome = register(0, 'ESR_EL2');
      return {
        noted: words('mvm', notesIpa)[0]!,
        exceptionClass: Number(syndrome >> 26n),
        status: syndrome & 0x3fn,
      };
    };
    expect(access(uart)).toEqual({ noted: 0n, exceptionClass: EC.dataAbort, status: alignmentFault });
    // The same access to RAM: the next exit is that of SMC.
    expect(access(notesIpa)).toEqual({ noted: BigInt(va), exceptionClass: EC.SMC, status: 0n });
  });

  it('scenario 8: what stage 1 lets be written and stage 2 does not is a permission fault at EL2; AT finds its IPA', () => {
    const offset = 0x28;
    const system = runSystem(
      [
        {
          name: 'mvm',
          kind: 'mvm',
          cores: [0],
          source: kernel(
            'bl stage1',
            `mov x1, #${va}`,
            `ldr x0, [x1, #${offset}]`,
            note(),
            `str x1, [x1, #${offset}]`,
            note('x1'),
            psci.systemOff,
            translated(storeIpa),
          ),
        },
      ],
      { storeIpa },
    );
    expect(system.words('mvm', notesIpa, 2)).toEqual([0n, 0n]);
    const syndrome = system.register(0, 'ESR_EL2');
    expect(Number(syndrome >> 26n)).toBe(EC.dataAbort);
    expect((syndrome & 0x3fn) >> 2n).toBe(3n);
    expect(system.register(0, 'FAR_EL2')).toBe(BigInt(va + offset));
    expect(system.vm('mvm').state).toBe(vmState.inactive);
    expect(system.vm('mvm').stopReason).toContain(`a write to IPA 0x${(storeIpa + offset).toString(16)}`);
  });
});
