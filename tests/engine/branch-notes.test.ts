import { describe, expect, it, vi } from 'vitest';
import { pe as record, ramBase, softTlbEntries } from '../../src/arch/state-layout.ts';
import { NotedBranches } from '../../src/engine/branch-notes.ts';
import type { EngineMode, EngineOptions } from '../../src/engine/engine.ts';
import { runtimeTables } from '../../src/engine/runtime-tables.ts';
import { el0Machine, type Mapping } from './el0-machine.ts';
import { flatMachine } from './flat-machine.ts';

type Tier = readonly [mode: EngineMode, options: Pick<EngineOptions, 'hotRuns' | 'regionRounds'>];
/** What has been stepped eight times is followed; the last one never makes regions. */
const tiers: readonly Tier[] = [
  ['step', {}],
  ['translate', {}],
  ['region', {}],
  ['tiered', { hotRuns: 12, regionRounds: 20 }],
  ['tiered', { hotRuns: 12, regionRounds: 1_000_000 }],
];

/** What a program leaves in the PE, again and again. */
function states(program: string, [mode, options]: Tier): string[] {
  const machine = flatMachine(mode, program, options);
  return Array.from({ length: 90 }, (_, n) => {
    machine.run(0, n % 3 === 0 ? 1 + (n % 50) : 400);
    return machine.state(0);
  });
}

describe('the stepper', () => {
  const program = `
        mov     x5, #3
        adr     x6, f
        adr     x7, g
loop:   add     x1, x1, #1
        tst     x1, #3
often:  b.ne    on
on:     tst     x1, #31
rare:   b.eq    on2
on2:    cmp     x1, #0
never:  b.eq    loop
        csel    x8, x7, x6, eq
call:   blr     x6
        tst     x1, #1
        csel    x8, x6, x7, eq
either: blr     x8
        b       loop
f:      ret
g:      ret`;
  it('notes which way conditional branches go, and where indirect calls lead, once it has run them eight times', () => {
    const machine = flatMachine('step', program);
    const at = (label: string): bigint => BigInt(machine.address(label));
    const notes = new NotedBranches(machine.views, runtimeTables(0));
    machine.run(0, 3 + 16 * 4);
    expect(notes.usualTarget(at('call'))).toBeUndefined();
    machine.run(0, 16 * 60);
    expect(notes.directionOf(at('never'))).toMatchObject({ taken: 0, isSteady: true });
    expect(notes.directionOf(at('never')).notTaken).toBeGreaterThan(50);
    expect(notes.usualTarget(at('call'))).toBe(at('f'));
    expect(notes.usualTarget(at('either'))).toBeUndefined();
  });
});

describe('a branch that is followed to where it has always led', () => {
  const program = `
        adr     x9, slot
        adr     x10, f
        adr     x11, g
        ldr     w14, patch
        mov     x12, x10
next:   str     x10, [x9]
        mov     x1, #0
loop:   bl      stub
        add     x1, x1, #1
        blr     x12
        add     x2, x2, x1
        tbnz    x1, #0, loop
        cmp     x1, #40
        b.ne    loop
        add     x13, x13, #1
        tbnz    x13, #0, elsewhere
        str     w14, [x10]              // f is written over
        mov     x12, x10
        b       next
elsewhere: str  x11, [x9]               // the veneer leads elsewhere
        mov     x12, x11
        mov     x1, #0
        b       loop
patch:  add     x3, x3, #16
        .align  12
stub:   adr     x16, slot
        ldr     x17, [x16]
        br      x17
        .align  12
f:      add     x3, x3, #1
        ret
        .align  12
g:      add     x4, x4, #1
        mul     x3, x3, x4
        ret
        .align  12
slot:   .quad   0
end:    nop`;
  const expected = states(program, ['step', {}]);

  it.each(tiers.slice(1))('leads elsewhere when it does, and to what has been written there (%s, %o)', (...tier) => {
    expect(states(program, tier)).toEqual(expected);
  });

  const page = (va: number, pa: number, guarded = false): Mapping => ({
    va,
    pa: ramBase + pa,
    sizeBytes: 0x1000,
    executable: true,
    guarded,
  });
  const [code, callee] = [page(0x10_0000, 0x10_0000), page(0x10_5000, 0x20_0000)];
  const ways = {
    'BLR X16': { there: 0xd63f_0200, back: 0xd65f_03c0, btype: 2n }, // RET
    'BR X16': { there: 0xd61f_0200, back: 0x17ff_ec00, btype: 1n }, // B to the second instruction
    'BR X5': { there: 0xd61f_00a0, back: 0x17ff_ec00, btype: 1n },
  } as const;

  it.each(
    tiers.flatMap(([mode, options]) =>
      (['BLR X16', 'BR X16', 'BR X5'] as const).map((way) => ({ mode, options, way })),
    ),
  )(
    'goes to what is there when the page is mapped elsewhere, and not on where that is guarded ($mode, $options, $way)',
    ({ mode, options, way }) => {
      const { there, back, btype } = ways[way];
      const others = [page(0x10_6000, 0x30_0000), page(0x10_7000, 0x30_0000, true)] as const;
      const machine = el0Machine(mode, [code, callee, ...others], options);
      const { engine, pe, views } = machine;
      const write = (at: Mapping, ...words: readonly number[]): void => {
        views.words.set(words, at.pa >>> 2);
      };
      write(code, there, 0x9100_0421, 0x17ff_fffe); // ADD X1, X1, #1; B to the first
      write(callee, 0x9100_0442, back); // ADD X2, X2, #1
      write(others[0], 0x9101_9042, back); // ADD X2, X2, #100
      const sums = (): bigint[] => {
        machine.enterEl0();
        views.doublewords[(pe.base + record.pc) >>> 3] = BigInt(code.va);
        for (const n of [5, 16]) pe.writeX(n, BigInt(callee.va));
        for (let left = 5 * 80; left > 0 && pe.currentEl() === 0; left -= 50) engine.run(pe, 50);
        return [pe.readX(1), pe.readX(2)];
      };
      expect(sums()).toEqual([80n, 80n]);
      // The descriptor of the callee's page becomes that of another one, and the PE, which has been reset, has no other.
      const table = (ramBase + 0x80_3000) >>> 3;
      views.doublewords[table + 0x105] = views.doublewords[table + 0x106] ?? 0n;
      expect(sums()).toEqual([80n, 8000n]);
      views.doublewords[table + 0x105] = views.doublewords[table + 0x107] ?? 0n;
      expect(sums()).toEqual([0n, 0n]);
      expect(pe.readRegister('ESR_EL1') >> 26n).toBe(0x0dn);
      expect((pe.readRegister('SPSR_EL1') >> 10n) & 3n).toBe(btype);
    },
  );
});

describe('an indirect branch that has led nearly always to one place', () => {
  // A function that returns to one place but for every 64th time, and is called through a pointer that changes as seldom.
  const program = `
        adr     x9, f
        adr     x10, g
loop:   add     x1, x1, #1
        and     x2, x1, #63
        cmp     x2, #0
        csel    x11, x10, x9, eq
        cbz     x2, seldom
        bl      h
often:  blr     x11
        b       loop
seldom: bl      h
        blr     x11
        eor     x3, x3, x30
        b       loop
f:      add     x3, x3, #1
        ret
g:      add     x3, x3, x3, lsl #1
        ret
        .align  12
h:      add     x4, x4, #1
        eor     x3, x3, x4
        ret`;
  const expected = states(program, ['step', {}]);

  it.each(tiers.slice(1))('leads where the register says, every time (%s, %o)', (...tier) => {
    expect(states(program, tier)).toEqual(expected);
  });
});

describe('code whose page shares its place in the soft TLB with that of other code', () => {
  const page = (va: number, pa: number): Mapping => ({
    va,
    pa: ramBase + pa,
    sizeBytes: 0x1000,
    executable: true,
  });

  it.each(tiers.slice(1))('is looked up once, not each time that one calls the other (%s, %o)', (mode, options) => {
    const [code, callee] = [page(0x10_0000, 0x10_0000), page(0x10_0000 + softTlbEntries * 0x1000, 0x20_0000)];
    const machine = el0Machine(mode, [code, callee], options);
    const { engine, pe, views } = machine;
    views.words.set([0xd63f_00a0, 0x9100_0421, 0x17ff_fffe], code.pa >>> 2); // BLR X5; ADD X1, X1, #1; B to the first
    views.words.set([0x9100_0442, 0xd65f_03c0], callee.pa >>> 2); // ADD X2, X2, #1; RET
    const asked = vi.spyOn(pe, 'translateFetch').mock.calls;
    const rounds = (count: number): void => {
      for (let left = 5 * count; left > 0; left -= 500) engine.run(pe, 500);
    };
    machine.enterEl0();
    views.doublewords[(pe.base + record.pc) >>> 3] = BigInt(code.va);
    pe.writeX(5, BigInt(callee.va));
    rounds(1000);
    const before = asked.length;
    rounds(10_000);
    expect(pe.readX(2)).toBe(11_000n);
    expect(asked.length - before).toBeLessThan(100);
  });
});
