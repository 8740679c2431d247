// Scenario 30: what a message between cores owes to a barrier, and calls that the ancestor has no body for. The GIC of the ancestor is a
// GICv2, whose SGI is sent by a store to GICD_SGIR: the ring of messages is then a litmus test of two locations.

import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { allQuirks } from '../../../src/hypervisor/options.ts';
import { exitCauses, vmState } from '../../../src/hypervisor/state.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { hvc, kernel, note, notesIpa, pause, psci, sharedIpa } from '../kernels.ts';
import { kernelIpa, runSystem, type System, type TestVm } from '../system.ts';

/** P0 writes a message and rings; P1 has taken the interrupt, which synchronizes its context, and reads the message. */
const ring = (barrier: string): string => `AArch64 message-ring
{ 0:X1=slot; 0:X3=sgir; 1:X1=slot; 1:X3=sgir; }
 P0          | P1          ;
 MOV W0,#1   | LDR W2,[X3] ;
 STR W0,[X1] | CBZ W2,end  ;
 ${barrier.padEnd(11)} | ISB         ;
 MOV W2,#1   | LDR W4,[X1] ;
 STR W2,[X3] | end:        ;
exists (1:X2=1 /\\ 1:X4=0)
`;

const observed = (barrier: string, model: keyof typeof builtInModels): string =>
  runLitmus(litmusProgram(parseLitmus(ring(barrier), 'ring.litmus')), builtInModels[model]).observation;

describe('scenario 30: a message and its interrupt', () => {
  it('with a DSB between them the receiver never sees a stale slot', () => {
    expect(observed('DSB SY', 'arm')).toBe('Never');
    expect(observed('DSB ISHST', 'arm')).toBe('Never');
  });

  it('without one it may, on an Arm machine; a stronger machine does not show the mistake', () => {
    expect(observed('NOP', 'arm')).toBe('Sometimes');
    expect(observed('ISB', 'arm')).toBe('Sometimes');
    expect(observed('DSB ISHLD', 'arm')).toBe('Sometimes');
    expect(observed('NOP', 'tso')).toBe('Never');
    expect(observed('NOP', 'sc')).toBe('Never');
  });
});

const guest: TestVm = { name: 'guest', cores: [1], source: kernel('b .') };
const manager = (...parts: readonly string[]): TestVm => ({
  name: 'mvm',
  kind: 'mvm',
  cores: [0],
  source: kernel(pause(20_000), ...parts, psci.systemOff),
});

describe('scenario 30: HVC VMM/3, SHUTDOWN_VM', () => {
  const shutDown = manager(hvc(1, 3, 1), note(), hvc(1, 3, 0), note(), hvc(1, 3, 7), note(), hvc(1, 1, 1), note());
  const failure = 0xffff_ffff_ffff_ffffn;

  it('turns a VM off; for the management VM and for no VM it is an error', () => {
    const { vm, words } = runSystem([shutDown, guest], { maxTicks: 4_000_000 });
    expect(words('mvm', notesIpa, 4)).toEqual([0n, failure, failure, BigInt(vmState.inactive)]);
    expect(vm('guest').state).toBe(vmState.inactive);
  });

  it('as-is, is a panic of the hypervisor', () => {
    const { console, vm } = runSystem([shutDown, guest], { maxTicks: 4_000_000, quirks: ['panic-on-shutdown'] });
    expect(console).toContain('panic on core 0: VMM SHUTDOWN_VM is not implemented\n');
    expect(vm('guest').state).toBe(vmState.active);
  });
});

describe('scenario 30: a file call', () => {
  const unilib = 0x12;
  const call = { init: 0, open: 1, append: 7 } as const;
  const [messagePage, filePage, buffer] = [0x2_0000, 0x2_1000, 0x2_2000].map((offset) => kernelIpa + offset) as [
    number,
    number,
    number,
  ];
  const page = { vmId: 32, bufferBytes: 40, bufferIpa: 56, flag: 72, value: 80 } as const;
  const put = (at: number, value: number): string => `ldr x9, =${at}\nldr x10, =${value}\nstr x10, [x9]`;
  const counting = (at: number): string => `ldr x11, =${at}\n4: add x12, x12, #1\nstr x12, [x11]\nb 4b`;
  const [answer, thinking] = [0x1234_5678, 300_000];
  const serving: TestVm = {
    name: 'mvm',
    kind: 'mvm',
    cores: [0],
    source: kernel(
      hvc(2, 0, notesIpa, messagePage),
      put(filePage + page.vmId, 1),
      put(filePage + page.bufferBytes, 0x1000),
      put(filePage + page.bufferIpa, buffer),
      hvc(unilib, call.append, filePage),
      note(),
      `ldr x9, =${messagePage}`,
      '1: ldr x0, [x9, #8]',
      'cbz x0, 1b',
      note(),
      pause(thinking),
      put(filePage + page.value, answer),
      `ldr x9, =${filePage + page.flag}`,
      'mov x10, #1',
      'stlr x10, [x9]',
      note('x10'),
      'b .',
    ),
  };
  /** Of the two vCPUs the first one calls, or does not; the other one counts, as the bystander does. */
  const run = (maxTicks: number, ...asks: string[]): System =>
    runSystem(
      [
        serving,
        {
          name: 'caller',
          cores: [1, 3],
          source: kernel(
            psci.cpuOn(1, 'second', 0),
            pause(100_000),
            ...asks,
            'b .',
            'second:',
            counting(sharedIpa),
            'path: .ascii "file"',
          ),
        },
        { name: 'bystander', cores: [2], source: kernel(counting(notesIpa)) },
      ],
      { cores: 4, maxTicks },
    );
  const asks = [hvc(unilib, call.init), note(), hvc(unilib, call.open, 'path', 4, 0), note()];
  const during = 350_000;

  it('blocks the core of its caller, and no other one', () => {
    const [asking, quiet] = [run(during, ...asks), run(during)];
    // The call is with the management VM.
    expect(asking.words('mvm', notesIpa, 3)).toEqual([0n, BigInt(call.open), 0n]);
    expect(asking.words('caller', notesIpa, 2)).toEqual([0n, 0n]);
    const [blocked, free] = [asking, quiet].map((system) => system.run.cores[1]!.instructions) as [number, number];
    expect(blocked).toBeLessThan(free - 100_000);
    for (const [name, at] of [
      ['bystander', notesIpa],
      ['caller', sharedIpa],
    ] as const) {
      expect(quiet.words(name, at)[0]).toBeGreaterThan(50_000n);
      expect(asking.words(name, at)).toEqual(quiet.words(name, at));
    }
  });

  it('returns what the management VM has written', () => {
    const system = run(1_000_000, ...asks);
    expect(system.words('mvm', notesIpa, 3)).toEqual([0n, BigInt(call.open), 1n]);
    expect(system.words('caller', notesIpa, 2)).toEqual([0n, BigInt(answer)]);
    expect(new TextDecoder().decode(new Uint8Array(new BigUint64Array(system.words('mvm', buffer)).buffer, 0, 4))).toBe(
      'file',
    );
  });
});

describe('scenario 30, as-is: an SError interrupt in a guest', () => {
  it('is taken at EL1', () => {
    const source = kernel(
      'adr x9, error',
      'sub x9, x9, #0x380',
      'msr vbar_el1, x9',
      'msr daifclr, #4',
      'b .',
      '.align 11',
      '.zero 0x380',
      'error: mrs x0, esr_el1',
      note(),
      'b .',
    );
    const system = runSystem([manager('b .'), { name: 'guest', cores: [1], source }], {
      quirks: allQuirks,
      errors: [{ core: 1, atTicks: 150_000 }],
      maxTicks: 300_000,
    });
    expect(system.words('guest', notesIpa)).toEqual([0xbe00_0000n]);
    const vcpu = system.state.vcpus[system.vm('guest').vcpus[0] as number]!;
    expect(vcpu.exits[exitCauses.indexOf('SError')]).toBe(0n);
  });
});
