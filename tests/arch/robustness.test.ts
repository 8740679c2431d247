import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accessKind } from '../../src/arch/pe.ts';
import { systemKeys } from '../../src/arch/system-key.ts';
import { systemInstructions } from '../../src/arch/system-instructions.ts';
import { systemRegisters } from '../../src/arch/system-registers.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import { onePe, type TestPe } from './fixture.ts';

const key = fc.oneof(
  fc.nat(systemKeys - 1),
  fc.constantFrom(...systemRegisters.map((row) => row.key), ...systemInstructions.map((row) => row.key)),
);
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat(0xffff).map((n) => 0x4000_0000n + BigInt(n)),
);
const step = fc.record({
  kind: fc.constantFrom(
    'mrs',
    'msr',
    'sys',
    'read',
    'write',
    'exclusive',
    'fetch',
    'eret',
    'svc',
    'smc',
    'hvc',
    'wait',
    'interrupt',
  ),
  key,
  value,
  size: fc.constantFrom(1, 2, 4, 8, 16),
  flags: fc.nat(15),
});

it('no sequence of system accesses, memory accesses, exceptions and interrupts breaks the PE', () => {
  const machine = fc.record({ hasEl2: fc.boolean(), hasEl3: fc.boolean() });
  fc.assert(
    fc.property(machine, fc.array(step, { minLength: 20, maxLength: 120 }), ({ hasEl2, hasEl3 }, steps) => {
      const test = onePe({ hasEl2, hasEl3 });
      for (const one of steps) {
        run(test, one);
        test.pe.busResponse(one.flags !== 3, 1, 2);
        test.core.ticks++;
        // A PE is never at a level that does not exist, in an illegal state, or with a field outside PSTATE.
        const el = test.pe.currentEl();
        expect(el < 3 || hasEl3).toBe(true);
        expect(el !== 2 || hasEl2).toBe(true);
        expect(test.pstate & ~0x00c0_03cd).toBe(0);
        expect(test.word(record.jumpTag)).toBe(el);
      }
    }),
    { numRuns: 300, seed: 6 },
  );
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(test: TestPe, { kind, key: at, value: operand, size, flags }: Step): void {
  const { pe } = test;
  test.setScratch(0, operand);
  switch (kind) {
    case 'mrs':
      pe.readSystemRegister(at);
      break;
    case 'msr':
      pe.writeSystemRegister(at);
      break;
    case 'sys':
      pe.systemInstruction(at);
      break;
    case 'read':
      pe.accessMemory(accessKind.read, size, flags);
      break;
    case 'write':
      pe.accessMemory(accessKind.write, size, flags);
      break;
    case 'exclusive':
      pe.loadExclusive(size, 1);
      pe.storeExclusive(size, 1);
      break;
    case 'fetch':
      test.pc = operand;
      pe.translateFetch();
      break;
    case 'eret':
      pe.eret();
      break;
    case 'svc':
      pe.svc(flags);
      break;
    case 'smc':
      pe.smc(flags);
      break;
    case 'hvc':
      pe.hvc(flags);
      break;
    case 'wait':
      pe.wfe();
      break;
    case 'interrupt': {
      pe.setLine('irq', flags % 2 === 1);
      const pending = pe.pendingInterrupt();
      if (pending !== undefined) pe.takeInterrupt(pending);
    }
  }
}
