import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { affinityState, createPsci, psci, type PowerInterface } from '../../src/firmware/psci.ts';
import { codeAddress, onePe, type TestPe } from '../arch/fixture.ts';

interface FakePower extends PowerInterface {
  readonly calls: string[];
  reply: number | undefined;
}

function fakePower(): FakePower {
  const calls: string[] = [];
  const power: FakePower = {
    calls,
    reply: undefined,
    cpuOn(affinity, entryPoint, contextId) {
      calls.push(`cpuOn ${affinity.toString(16)} ${entryPoint.toString(16)} ${contextId.toString(16)}`);
      return power.reply;
    },
    affinityInfo(affinity) {
      calls.push(`affinityInfo ${affinity.toString(16)}`);
      return power.reply;
    },
    cpuOff: () => calls.push('cpuOff'),
    suspend: () => calls.push('suspend'),
    systemOff: () => calls.push('systemOff'),
    systemReset: () => calls.push('systemReset'),
  };
  return power;
}

/** The board with EL2 and firmware that answers SMC. */
function board(): { test: TestPe; power: FakePower } {
  const power = fakePower();
  const test = onePe({ hasEl3: false, firmware: { conduit: 'smc', call: createPsci(power) } });
  return { test, power };
}

function call(test: TestPe, ...registers: readonly (bigint | number)[]): bigint {
  registers.forEach((value, n) => test.pe.writeX(n, BigInt(value)));
  expect(test.pe.smc(0)).toBe(exit.none);
  return BigInt.asIntN(64, test.pe.readX(0));
}

const SMC64 = 0x4000_0000;

describe('PSCI', () => {
  it('is version 1.1, SMCCC version 1.1, and needs no migration', () => {
    const { test } = board();
    expect(call(test, 0x8400_0000)).toBe(0x1_0001n);
    expect(call(test, 0x8000_0000)).toBe(0x1_0001n);
    expect(call(test, 0x8400_0006)).toBe(2n);
    expect(test.pc).toBe(codeAddress);
  });

  it('answers NOT_SUPPORTED to everything else, and to forms that do not exist', () => {
    const { test, power } = board();
    for (const id of [0, 0x8400_0005, 0x8400_0000 + SMC64, 0x8400_0008 + SMC64, 0x8400_00ff, 0xffff_ffff]) {
      expect(call(test, id)).toBe(-1n);
    }
    expect(power.calls).toEqual([]);
  });

  it.each([
    { id: 0x8400_0000, answer: 0n },
    { id: 0x8400_0003, answer: 0n },
    { id: 0x8400_0003 + SMC64, answer: 0n },
    { id: 0x8000_0000, answer: 0n },
    { id: 0x8400_0005, answer: -1n },
    { id: 0x8400_000e, answer: -1n },
    { id: 0x8400_0002 + SMC64, answer: -1n },
  ])('PSCI_FEATURES of $id is $answer', ({ id, answer }) => {
    expect(call(board().test, 0x8400_000a, id)).toBe(answer);
  });

  it('CPU_ON waits for the power controller, and runs again', () => {
    const { test, power } = board();
    [0xc400_0003n, 0x1_0000_0203n, 0x4000_0000n, 0xffff_0000_0000_0001n].forEach((value, n) =>
      test.pe.writeX(n, value),
    );
    expect(test.pe.smc(0)).toBe(exit.bus);
    expect(test.pc).toBe(codeAddress);
    expect(test.pe.readX(0)).toBe(0xc400_0003n);
    power.reply = psci.ALREADY_ON;
    expect(test.pe.smc(0)).toBe(exit.none);
    expect(BigInt.asIntN(64, test.pe.readX(0))).toBe(-4n);
    expect(power.calls).toEqual(Array(2).fill('cpuOn 100000203 40000000 ffff000000000001'));
  });

  it('CPU_ON of the 32-bit form takes 32-bit arguments', () => {
    const { test, power } = board();
    power.reply = psci.SUCCESS;
    expect(call(test, 0x8400_0003, 0xaaaa_0000_0000_0001n, 0xbbbb_0000_4000_0000n, 0xcccc_0000_0000_0007n)).toBe(0n);
    expect(power.calls).toEqual(['cpuOn 1 40000000 7']);
  });

  it('CPU_ON refuses targets that are no affinity, and entry points that are not aligned', () => {
    const { test, power } = board();
    expect(call(test, 0xc400_0003n, 0x8000_0001n, 0x4000_0000n)).toBe(-2n);
    expect(call(test, 0xc400_0003n, 1, 0x4000_0002n)).toBe(-9n);
    expect(power.calls).toEqual([]);
  });

  it('AFFINITY_INFO asks for level 0, and calls every higher level on', () => {
    const { test, power } = board();
    power.reply = affinityState.OFF;
    expect(call(test, 0xc400_0004n, 3, 0)).toBe(1n);
    expect(call(test, 0xc400_0004n, 3, 1)).toBe(0n);
    expect(call(test, 0xc400_0004n, 3, 4)).toBe(-2n);
    expect(power.calls).toEqual(['affinityInfo 3']);
  });

  it.each([
    { name: 'cpuOff', id: 0x8400_0002 },
    { name: 'systemOff', id: 0x8400_0008 },
    { name: 'systemReset', id: 0x8400_0009 },
  ])('$name stops the PE after the call', ({ name, id }) => {
    const { test, power } = board();
    test.pe.writeX(0, BigInt(id));
    expect(test.pe.smc(0)).toBe(exit.stopped);
    expect(test.pc).toBe(codeAddress + 4n);
    expect(power.calls).toEqual([name]);
  });

  it('CPU_SUSPEND succeeds, and waits unless an interrupt is pending', () => {
    const { test, power } = board();
    test.pe.writeX(0, 0x8400_0001n);
    expect(test.pe.smc(0)).toBe(exit.stopped);
    expect(test.pe.readX(0)).toBe(0n);
    expect(test.pc).toBe(codeAddress + 4n);
    test.pe.setLine('irq', true);
    expect(call(test, 0x8400_0001)).toBe(0n);
    expect(power.calls).toEqual(['suspend']);
  });
});

describe('the conduit', () => {
  it('SMC is UNDEFINED at EL0, and HCR_EL2.TSC comes before the firmware', () => {
    const { test } = board();
    test.enter(0);
    expect(test.pe.smc(0)).toBe(exit.redirect);
    expect(test.syndrome(1).EC).toBe(0);
    test.reset(2).setRegister('HCR_EL2', 1n << 19n);
    test.enter(1).pe.smc(0);
    expect(test.syndrome(2).EC).toBe(0x17);
  });

  it('HVC serves where there is neither EL2 nor EL3, and SMC is UNDEFINED there', () => {
    const firmware = { conduit: 'hvc', call: createPsci(fakePower()) } as const;
    const test = onePe({ hasEl2: false, hasEl3: false, firmware });
    test.pe.writeX(0, 0x8400_0000n);
    expect(test.pe.hvc(0)).toBe(exit.none);
    expect(test.pe.readX(0)).toBe(0x1_0001n);
    expect(test.pe.smc(0)).toBe(exit.redirect);
    expect(test.syndrome(1).EC).toBe(0);
  });
});
