// The virtual GIC under guests that run: programs assembled here, on the real machine.

import { describe, expect, it } from 'vitest';
import type { RhyperOptions } from '../../../src/hypervisor/options.ts';
import { exitCauses, type Vcpu } from '../../../src/hypervisor/state.ts';
import { gic, gicdIpa, gicrIpa, kernelIpa, runSystem, type System, type TestVm } from '../system.ts';

const resultIpa = kernelIpa + 0x1000;

/** Turns the GIC and the CPU interface on, for this vCPU's SGIs and PPIs too; interrupts stay masked in PSTATE. */
const gicOn = (vcpu = 0): string => `
    ldr x1, =${gicdIpa}
    mov w2, #0x12
    str w2, [x1]
    ldr x1, =${gicrIpa + vcpu * 0x2_0000}
    str wzr, [x1, #0x14]
    add x1, x1, #0x10, lsl #12
    ldr w2, =0xa0a0a0a0
    str w2, [x1, #0x400]
    ldr x3, =0x418
    str w2, [x1, x3]
    ldr w2, =0x0800ffff
    str w2, [x1, #0x100]
    mov x2, #0xf8
    msr icc_pmr_el1, x2
    mov x2, #1
    msr icc_igrpen1_el1, x2
    isb`;

/** Every interrupt is acknowledged; \`handle\` finds its INTID in X0, and X20 at the results. */
const vectors = (handle: string): string => `
    .balign 2048
vectors:
    .skip 0x280
    mrs x0, icc_iar1_el1
    ${handle}
    msr icc_eoir1_el1, x0
    eret`;

const start = `
    adr x0, vectors
    msr vbar_el1, x0
    ldr x20, =${resultIpa}`;

const off = `
    ldr x0, =0x84000008
    smc #0`;

/** Takes the interrupt of its virtual timer five times; the INTIDs are the results, then how often more ended it. */
const timerProgram = `
${start}
${gicOn()}
    ldr x2, =20000
    msr cntv_tval_el0, x2
    mov x2, #1
    msr cntv_ctl_el0, x2
    msr daifclr, #2
wait:
    cmp x21, #5
    b.lt wait
    msr daifset, #2
${off}
${vectors(`
    str x0, [x20], #8
    add x21, x21, #1
    ldr x2, =20000
    msr cntv_tval_el0, x2`)}`;

const exitsOf = (vcpu: Vcpu, cause: (typeof exitCauses)[number]): number =>
  Number(vcpu.exits[exitCauses.indexOf(cause)]);
const vcpuOf = ({ state, vm }: System, name: string, id = 0): Vcpu => state.vcpus[vm(name).vcpus[id]!]!;

const timer = (options: Partial<RhyperOptions> = {}, others: readonly TestVm[] = []): System =>
  runSystem([{ name: 'timed', kind: 'mvm', source: timerProgram, cores: [0] }, ...others], { ...options, seed: 5 });

describe('a guest', () => {
  it('takes its virtual timer’s interrupt from a list register, and ends it without an exit', () => {
    const system = timer();
    expect(system.run.end).toBe('stopped');
    expect(system.words('timed', resultIpa, 6)).toEqual([27n, 27n, 27n, 27n, 27n, 0n]);
    const vcpu = vcpuOf(system, 'timed');
    expect([vcpu.injectedInterrupts, exitsOf(vcpu, 'IRQ'), exitsOf(vcpu, 'system register')]).toEqual([5, 5, 0]);
  });

  it('takes it by HCR_EL2.VI, with an exit for each access of its CPU interface', () => {
    const system = timer({ injection: 'hcr-bits' });
    expect(system.words('timed', resultIpa, 6)).toEqual([27n, 27n, 27n, 27n, 27n, 0n]);
    // PMR and IGRPEN1; IAR1 and EOIR1 of each.
    expect(exitsOf(vcpuOf(system, 'timed'), 'system register')).toBe(2 + 2 * 5);
  });

  it('finds its timer’s interrupt after another VM had the core, and none of the other’s (scenarios 12 and 24)', () => {
    const neighbour = { name: 'neighbour', source: timerProgram, cores: [0] };
    const long = timerProgram.replace('cmp x21, #5', 'cmp x21, #40');
    const system = runSystem([{ name: 'timed', kind: 'mvm', source: long, cores: [0] }, neighbour], {
      tickTicks: 50_000,
    });
    expect(system.run.end).toBe('stopped');
    expect(system.words('neighbour', resultIpa, 6)).toEqual([27n, 27n, 27n, 27n, 27n, 0n]);
    expect(system.words('timed', resultIpa, 41)).toEqual([...Array<bigint>(40).fill(27n), 0n]);
    expect([vcpuOf(system, 'timed').injectedInterrupts, vcpuOf(system, 'neighbour').injectedInterrupts]).toEqual([
      40, 5,
    ]);
    const [core, idle] = system.state.cores;
    expect(core!.ticks).toBeGreaterThan(10);
    expect(vcpuOf(system, 'neighbour').switches).toBeGreaterThan(5);
    // The timer of the one that does not run is not the other’s.
    expect([core!.foreignInterrupts, idle!.ticks, idle!.foreignInterrupts]).toEqual([0, 0, 0]);
  });

  it('sends an SGI to its other vCPU on another core (scenario 16)', () => {
    const source = `
${start}
    mrs x19, mpidr_el1
${gicOn(0)}
    ldr x0, =0xc4000003
    mov x1, #1
    adr x2, second
    mov x3, #0
    smc #0
ready:
    ldr x0, [x20, #8]
    cbz x0, ready
    ldr x0, =0x03000002
    msr icc_sgi1r_el1, x0
sent:
    ldr x0, [x20]
    cbz x0, sent
${off}
second:
${start}
${gicOn(1)}
    mov x0, #1
    str x0, [x20, #8]
    msr daifclr, #2
    b .
${vectors('str x0, [x20]')}`;
    const system = runSystem([{ name: 'pair', kind: 'mvm', source, cores: [0, 1] }]);
    expect(system.run.end).toBe('stopped');
    expect(system.words('pair', resultIpa)).toEqual([3n]);
    expect([vcpuOf(system, 'pair', 0).injectedInterrupts, vcpuOf(system, 'pair', 1).injectedInterrupts]).toEqual([
      0, 1,
    ]);
    expect(system.state.cores[0]!.ipisSent[0]).toBeGreaterThan(0n);
  });

  it.each([
    ['in the order of list registers and then of what they have spilled', [], [40, 41, 42, 43, 44, 45]],
    ['as-is with the newcomers first (scenario 17)', ['lr-victim-ignores-newcomer'], [45, 41, 42, 43, 40, 44]],
  ] as const)('takes six interrupts once each by four list registers, %s', (_, quirks, order) => {
    const devices = order.map((_each, n) => ({
      name: `device ${n}`,
      kind: 'shyper' as const,
      ipa: 0x0b00_0000 + 0x1000 * n,
      bytes: 0x1000,
      intid: 40 + n,
      arguments: [],
    }));
    const raise = order.map((_each, n) => `mov w2, #${1 << (8 + n)}\n    str w2, [x1, #0x204]`).join('\n    ');
    const source = `
${start}
${gicOn()}
    ldr x1, =${gicdIpa}
    ldr w2, =0x80808080
    str w2, [x1, #0x428]
    str w2, [x1, #0x42c]
    mov w2, #0x3f00
    str w2, [x1, #0x104]
    ${raise}
    msr daifclr, #2
wait:
    cmp x21, #6
    b.lt wait
${off}
${vectors(`
    str x0, [x20], #8
    add x21, x21, #1`)}`;
    const vm = { name: 'overflowed', kind: 'mvm' as const, source, cores: [0], devices: [...gic, ...devices] };
    const system = runSystem([vm], { quirks });
    expect(system.run.end).toBe('stopped');
    expect([...system.words('overflowed', resultIpa, 6)].sort()).toEqual([...order].map(BigInt).sort());
    expect(system.words('overflowed', resultIpa, 6)).toEqual(order.map(BigInt));
    expect(vcpuOf(system, 'overflowed').injectedInterrupts).toBe(6);
  });

  it('takes a physical SPI on the core that it is routed to, as often as it comes (scenario 14)', () => {
    const source = `
${start}
${gicOn()}
    ldr x1, =${gicdIpa}
    mov w2, #0x80
    strb w2, [x1, #0x428]
    mov w2, #0x100
    str w2, [x1, #0x104]
    msr daifclr, #2
again:
    add x22, x22, #1
    str w2, [x1, #0x204]
taken:
    cmp x21, x22
    b.lt taken
    cmp x22, #3
    b.lt again
${off}
${vectors(`
    str x0, [x20], #8
    add x21, x21, #1`)}`;
    const system = runSystem([{ name: 'owner', kind: 'mvm', source, cores: [1], irqs: [27, 40] }]);
    expect(system.run.end).toBe('stopped');
    expect(system.words('owner', resultIpa, 4)).toEqual([40n, 40n, 40n, 0n]);
    expect(system.state.cores.map((core) => core.foreignInterrupts).slice(0, 2)).toEqual([0, 0]);
    expect(exitsOf(vcpuOf(system, 'owner'), 'IRQ')).toBeGreaterThanOrEqual(3);
  });

  it('with partial passthrough takes its interrupts without an exit (scenario 15)', () => {
    const devices = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));
    const vm = { name: 'direct', kind: 'mvm' as const, source: timerProgram, cores: [1], devices };
    const system = runSystem([vm]);
    expect(system.run.end).toBe('stopped');
    expect(system.words('direct', resultIpa, 6)).toEqual([27n, 27n, 27n, 27n, 27n, 0n]);
    // ICC_PMR_EL1 is trapped, with the registers by which SGIs leave the core.
    const vcpu = vcpuOf(system, 'direct');
    // ICC_PMR_EL1, once, which is common to both groups.
    expect([exitsOf(vcpu, 'IRQ'), exitsOf(vcpu, 'system register'), vcpu.injectedInterrupts]).toEqual([0, 1, 0]);
    // GICD_CTLR, GICR_WAKER, the priorities and the enables.
    expect(exitsOf(vcpu, 'MMIO')).toBe(5);
  });
});
