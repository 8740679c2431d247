import { describe, expect, it } from 'vitest';
import { EC } from '../../../src/arch/exceptions.ts';
import { diskBytes } from '../../../src/board/devices.ts';
import { vmTransport } from '../../../src/board/memory-map.ts';
import { exitCauses, vmState } from '../../../src/hypervisor/state.ts';
import { hvc, kernel, note, notesIpa, pause, psci } from '../kernels.ts';
import { gic, pageBytes, runSystem, type TestVm } from '../system.ts';

const outside = 0x9000_0000;
const idleMvm: TestVm = { name: 'mvm', kind: 'mvm', cores: [0], source: kernel(psci.systemOff) };

describe('memory of virtual machines', () => {
  it('scenario 6: equal IPAs of two VMs are different PAs, and no walk of one yields a page of the other', () => {
    const source = (value: number): string =>
      kernel(`mov x0, #${value}`, note(), pause(20_000), 'ldr x1, [x20, #-8]', note('x1'), psci.systemOff);
    const { run, vm, words, memory } = runSystem([
      idleMvm,
      { name: 'first', cores: [1], source: source(0x1111) },
      { name: 'second', cores: [1], source: source(0x2222) },
    ]);
    expect(run.end).toBe('stopped');
    expect(words('first', notesIpa, 2)).toEqual([0x1111n, 0x1111n]);
    expect(words('second', notesIpa, 2)).toEqual([0x2222n, 0x2222n]);
    // Every page that the tables of a VM lead to, by a walk of the tables as they are in memory; the first one has 64 entries, for 36 bits.
    const leaves = (table: number, level: number): number[] =>
      Array.from({ length: level === 1 ? 64 : 512 }, (_, n) => memory.doublewords[table / 8 + n]!).flatMap((entry) => {
        if ((entry & 1n) === 0n) return [];
        const address = Number(entry & 0xffff_ffff_f000n);
        if (level < 3 && (entry & 2n) !== 0n) return leaves(address, level + 1);
        return Array.from({ length: 512 ** (3 - level) }, (_, n) => address + n * pageBytes);
      });
    const pages = ['mvm', 'first', 'second'].map((name) => leaves(vm(name).stage2Root, 1));
    expect(pages.map((of) => of.length)).toEqual([512, 512, 512]);
    expect(new Set(pages.flat()).size).toBe(3 * 512);
  });

  it('scenario 9: a load from a trapped device fills the register that the syndrome names, and no other', () => {
    const at = 0x0a00_0000;
    const { base, spi } = vmTransport(0);
    const registers = Array.from({ length: 29 }, (_, n) => n + 2).filter((n) => n !== 20);
    const device = { name: 'disk', kind: 'virtioBlock' as const, ipa: at, bytes: 0x1000, intid: 48, arguments: [] };
    const disk = { name: 'disk', bytes: diskBytes(new Uint8Array(512)), readOnly: false };
    const { words, vm, state, register } = runSystem(
      [
        {
          name: 'mvm',
          kind: 'mvm',
          cores: [0],
          devices: [...gic, device],
          source: kernel(
            `ldr x1, =${at}`,
            ...registers.map((n) => `movn x${n}, #${n}, lsl #48`),
            'adr x0, next',
            'ldr w3, [x1]',
            'next: adr x30, .',
            'sub x0, x30, x0',
            note(),
            ...registers.filter((n) => n !== 30).map((n) => note(`x${n}`)),
            // Status: ACKNOWLEDGE; then the store of W31, which is WZR.
            'mov w2, #1',
            'str w2, [x1, #0x70]',
            'ldr w4, [x1, #0x70]',
            'str wzr, [x1, #0x70]',
            'ldr w5, [x1, #0x70]',
            note('x4'),
            note('x5'),
            'ldr w3, [x1]',
            'b .',
          ),
        },
      ],
      {
        maxTicks: 400_000,
        dmaEngines: 1,
        slots: [{ vm: 'mvm', deviceIpa: at, kind: 'virtioBlock', pa: base, intid: 32 + spi, stream: 0x100 }],
        backends: [{ kind: 'block', vm: 'mvm', disk, sectors: { first: 0, count: 1 } }],
      },
    );
    const seen = registers.filter((n) => n !== 30);
    const kept = seen.map((n) => (n === 3 ? 0x7472_6976n : BigInt.asUintN(64, ~(BigInt(n) << 48n))));
    expect(words('mvm', notesIpa, seen.length + 3)).toEqual([0n, ...kept, 1n, 0n]);
    // The last exit: a data abort with ISV, of four bytes, SRT 3.
    const syndrome = Number(register(0, 'ESR_EL2'));
    expect(syndrome >>> 26).toBe(EC.dataAbort);
    expect([(syndrome >>> 24) & 1, (syndrome >>> 22) & 3, (syndrome >>> 16) & 31]).toEqual([1, 2, 3]);
    const { exits } = state.vcpus[vm('mvm').vcpus[0] as number]!;
    expect(exits[exitCauses.indexOf('MMIO')]).toBe(6n);
  });

  const stray: readonly TestVm[] = [
    { ...idleMvm, source: kernel(pause(60_000), 'mov x0, #1', note(), psci.systemOff) },
    { name: 'stray', cores: [1], source: kernel(`ldr x1, =${outside}`, 'mov x0, #1', note(), 'ldr x2, [x1]', note()) },
  ];

  it('scenario 10: an access outside of memory and devices stops the VM that makes it, and no other', () => {
    const { run, vm, words, console } = runSystem(stray);
    expect([run.end, run.exitCode]).toEqual(['stopped', 0]);
    expect(vm('stray').state).toBe(vmState.inactive);
    expect(vm('stray').stopReason).toMatch(/^vCPU 0 at PC 0x80000\w+: a read of IPA 0x90000000/);
    expect(console).toContain('VM 1 (stray) is stopped');
    expect(words('stray', notesIpa, 2)).toEqual([1n, 0n]);
    expect(words('mvm', notesIpa)).toEqual([1n]);
  });

  it('scenario 10, as-is: it is a panic of the hypervisor that names IPA and ELR', () => {
    const { run, words, console } = runSystem(stray, { quirks: ['panic-on-guest-fault'] });
    expect([run.end, run.exitCode]).toEqual(['stopped', 1]);
    expect(console).toMatch(/panic on core 1: VM 1 \(stray\), vCPU 0 at PC 0x80000\w+: a read of IPA 0x90000000/);
    expect(words('mvm', notesIpa)).toEqual([0n]);
  });
});

describe('a virtual machine that has lost its vectors', () => {
  it('takes exceptions for ever at one place, and the others go on', () => {
    const { run, vm, words } = runSystem(
      [
        { ...idleMvm, source: kernel(pause(100_000), 'mov x0, #1', note(), 'b .') },
        { name: 'lost', cores: [1], source: kernel(`ldr x0, =${notesIpa + 0x800}`, 'msr vbar_el1, x0', 'udf #0') },
        { name: 'neighbour', cores: [1], source: kernel('1: add x0, x0, #1', 'str x0, [x20]', 'b 1b') },
      ],
      { tickTicks: 20_000, maxTicks: 250_000 },
    );
    expect(run.end).toBe('max-time');
    expect(vm('lost').state).toBe(vmState.active);
    expect(words('mvm', notesIpa)).toEqual([1n]);
    expect(words('neighbour', notesIpa)[0]).toBeGreaterThan(10_000n);
  });
});

describe('stage 1 on top of stage 2', () => {
  // 39-bit VAs: VA 0x1000 leads to the page `old`, RAM is one block.
  const translated = (mair: number, page: string): string => `
    .align 12
    level1: .quad level2 + 3, 0, 0x80000701
    .align 12
    level2: .quad level3 + 3
    .align 12
    level3: .quad 0, ${page}
    .align 12
    stage1:
    ldr x9, =${mair}
    msr mair_el1, x9
    ldr x9, =0x200803519
    msr tcr_el1, x9
    adr x9, level1
    mov x10, #5
    orr x9, x9, x10, lsl #48
    msr ttbr0_el1, x9
    isb
    mrs x9, sctlr_el1
    orr x9, x9, #1
    msr sctlr_el1, x9
    isb
    ret`;
  const normal = 0xff;
  /** A page that is Normal, accessed, and not global. */
  const ownPage = (label: string): string => `${label} + 0xf03`;

  it('scenario 7: equal ASIDs and VAs of two VMs on a core never meet, and TLBI of one keeps the entries of the other', () => {
    const pages = (old: number): string =>
      ['.align 12', `old: .quad ${old}`, '.align 12', `new: .quad ${old + 1}`].join('\n');
    const [slice, slices] = [20_000, 5];
    const invalidator = kernel(
      'bl stage1',
      'mov x1, #0x1000',
      'mov x5, #0',
      'again: tlbi vmalle1',
      'dsb nsh',
      'isb',
      'ldr x2, [x1]',
      'cmp x2, #0x100',
      'cinc x5, x5, ne',
      'str x5, [x20]',
      'str x2, [x20, #8]',
      pause(4_000),
      'b again',
      translated(normal, ownPage('old')),
      pages(0x100),
    );
    const keeper = kernel(
      'bl stage1',
      'mov x1, #0x1000',
      'ldr x0, [x1]',
      note(),
      // The table changes, the TLB is not told: what it holds stays.
      `adr x2, new`,
      'mov x3, #0xf03',
      'orr x2, x2, x3',
      'adr x3, level3',
      'str x2, [x3, #8]',
      'dsb sy',
      pause(slice * slices),
      'ldr x0, [x1]',
      note(),
      'tlbi vmalle1',
      'dsb nsh',
      'isb',
      'ldr x0, [x1]',
      note(),
      'b .',
      translated(normal, ownPage('old')),
      pages(0x200),
    );
    const { words, vm, state } = runSystem(
      [
        // What the hypervisor does when a VM goes is TLBI VMALLS12E1IS for its VMID.
        { ...idleMvm, source: kernel(pause(4 * slice), hvc(1, 16, 3), note(), 'b .') },
        { name: 'invalidator', cores: [1], source: invalidator },
        { name: 'keeper', cores: [1], source: keeper },
        { name: 'removed', cores: [1], source: keeper },
      ],
      { tickTicks: slice, maxTicks: 1_000_000 },
    );
    expect(words('mvm', notesIpa)).toEqual([0n]);
    expect(state.vms[3]!.isConfigured).toBe(0);
    expect(words('keeper', notesIpa, 3)).toEqual([0x200n, 0x200n, 0x201n]);
    expect(words('invalidator', notesIpa, 2)).toEqual([0n, 0x100n]);
    const { switches } = state.vcpus[vm('keeper').vcpus[0] as number]!;
    expect(switches).toBeGreaterThan(slices);
  });
});
