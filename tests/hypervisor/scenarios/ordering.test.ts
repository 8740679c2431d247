// Scenario 30: what a message between cores owes to a barrier, and calls that the ancestor has no body for. The GIC of the ancestor is a
// GICv2, whose SGI is sent by a store to GICD_SGIR: the ring of messages is then a litmus test of two locations.

import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { vmState } from '../../../src/hypervisor/state.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { hvc, kernel, note, notesIpa, pause, psci } from '../kernels.ts';
import { runSystem, type TestVm } from '../system.ts';

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

describe('scenario 30: SHUTDOWN_VM', () => {
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
