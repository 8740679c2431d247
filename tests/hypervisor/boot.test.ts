import { describe, expect, it } from 'vitest';
import { kernelIpa, runSystem } from './system.ts';

const off = `
    ldr x0, =0x84000008
    smc #0`;

describe('a system at power-on', () => {
  it('boots VM 0 on core 0 with the virtual MPIDR, and ends when it turns itself off', () => {
    const { run, console, words, vm, state } = runSystem([
      {
        name: 'mvm',
        kind: 'mvm',
        cores: [0],
        source: `
    adr x1, result
    mrs x2, mpidr_el1
    mrs x3, currentel
    stp x2, x3, [x1]
    ${off}
    .align 3
result: .quad 0, 0`,
      },
    ]);
    expect(console).toContain('Welcome to virt Rhyper Hypervisor!');
    expect([run.end, run.exitCode]).toEqual(['stopped', 0]);
    expect(state.coresReady).toBe(2);
    expect(vm('mvm').id).toBe(0);
    const found = words('mvm', kernelIpa, 16);
    expect(found.indexOf(0x8000_0000n)).toBeGreaterThan(0);
    expect(found[found.indexOf(0x8000_0000n) + 1]).toBe(4n);
  });
});
