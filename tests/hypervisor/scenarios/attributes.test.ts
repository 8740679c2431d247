import { describe, expect, it } from 'vitest';
import { EC } from '../../../src/arch/exceptions.ts';
import { vmState } from '../../../src/hypervisor/state.ts';
import { kernel, note, notesIpa, psci } from '../kernels.ts';
import { runSystem, type TestVm } from '../system.ts';

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
const permissionFault = 3n;
const gicdIpa = 0x0800_0000;
const UARTFR = 0x18;
const emptyFifos = 0x90n;

const reader = (name: string, core: number, ...access: string[]): TestVm => ({
  name,
  cores: [core],
  windows: [{ ipa: uart, pa: uart, bytes: 0x1000, readOnly: true }],
  source: kernel(
    // A translation fault, whose IPA stays in HPFAR_EL2.
    `ldr x9, =${gicdIpa}`,
    'ldr w9, [x9, #4]',
    'bl stage1',
    `mov x1, #${va}`,
    `ldr w0, [x1, #${UARTFR}]`,
    note(),
    ...access,
    note('x1'),
    psci.systemOff,
    translated(uart),
  ),
});

describe('attributes of both stages', () => {
  it('scenario 8: Normal and writable at stage 1, Device and read-only at stage 2: Device, and a write is a permission fault', () => {
    const system = runSystem(
      [
        { name: 'mvm', kind: 'mvm', cores: [0], source: kernel('b .') },
        reader('unaligned', 1, `ldur w2, [x1, #1]`),
        reader('writer', 2, `str w0, [x1, #${UARTFR}]`),
      ],
      { cores: 3, maxTicks: 400_000 },
    );
    const fault = (core: number) => {
      const syndrome = system.register(core, 'ESR_EL2');
      return { exceptionClass: Number(syndrome >> 26n), status: syndrome & 0x3fn };
    };
    // The read is the UART's answer.
    for (const name of ['unaligned', 'writer']) expect(system.words(name, notesIpa, 2)).toEqual([emptyFifos, 0n]);
    // Normal memory has no unaligned accesses that fault.
    expect(fault(1)).toEqual({ exceptionClass: EC.dataAbort, status: alignmentFault });
    expect(system.vm('unaligned').state).toBe(vmState.inactive);
    const { exceptionClass, status } = fault(2);
    expect([exceptionClass, status >> 2n]).toEqual([EC.dataAbort, permissionFault]);
    // HPFAR_EL2 is that of an earlier fault: the IPA is the answer of AT S1E1R for FAR_EL2.
    expect(system.register(2, 'FAR_EL2')).toBe(BigInt(va + UARTFR));
    expect((system.register(2, 'HPFAR_EL2') >> 4n) << 12n).toBe(BigInt(gicdIpa));
    const at = `0x${(uart + UARTFR).toString(16)}`;
    expect(system.vm('writer').stopReason).toContain(`a write to IPA ${at}, which it may only read`);
  });

  it('of Normal memory at both stages are Normal: an unaligned access passes', () => {
    const { words } = runSystem([
      {
        name: 'mvm',
        kind: 'mvm',
        cores: [0],
        source: kernel(
          'bl stage1',
          `mov x1, #${va}`,
          'ldur w2, [x1, #1]',
          note('x1'),
          psci.systemOff,
          translated(notesIpa),
        ),
      },
    ]);
    expect(words('mvm', notesIpa)).toEqual([BigInt(va)]);
  });

  it('do not let the management VM write to the store', () => {
    const { vm } = runSystem(
      [
        {
          name: 'mvm',
          kind: 'mvm',
          cores: [0],
          source: kernel(
            'bl stage1',
            `mov x1, #${va}`,
            'ldr x0, [x1]',
            'str x0, [x1]',
            psci.systemOff,
            translated(storeIpa),
          ),
        },
      ],
      { storeIpa },
    );
    expect(vm('mvm').stopReason).toContain(`a write to IPA 0x${storeIpa.toString(16)}, which it may only read`);
  });
});
