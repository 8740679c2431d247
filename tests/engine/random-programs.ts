// Random programs that never end: blocks of instructions with branches between them, that work on registers, on memory, and, where
// asked for, on their own text.

import fc from 'fast-check';

const blocks = 8;
/** X0 to X15 are the program's; X19 is the address of the data, X20 of the text, X30 the link register. */
const register = fc.nat(15);
const x = register.map((n) => `x${n}`);
const w = register.map((n) => `w${n}`);
const label = fc.nat(blocks - 1).map((n) => `b${n}`);
const line = (strings: TemplateStringsArray, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((values) => String.raw({ raw: strings }, ...values));
const number = (max: number): fc.Arbitrary<string> => fc.nat(max).map((n) => `#${n}`);

const arithmetic = fc.oneof(
  line`add ${x}, ${x}, ${x}`,
  line`sub ${w}, ${w}, ${w}`,
  line`adds ${x}, ${x}, ${number(4095)}`,
  line`subs ${w}, ${w}, ${number(3)}`,
  line`mul ${x}, ${x}, ${x}`,
  line`umulh ${x}, ${x}, ${x}`,
  line`udiv ${w}, ${w}, ${w}`,
  line`eor ${x}, ${x}, ${x}, ror ${number(63)}`,
  line`ands ${x}, ${x}, ${x}`,
  line`adc ${x}, ${x}, ${x}`,
  line`csel ${x}, ${x}, ${x}, ge`,
  line`csinc ${w}, ${w}, ${w}, cc`,
  line`ccmp ${x}, ${number(31)}, #5, ne`,
  line`movz ${x}, ${number(0xffff)}`,
  line`ubfx ${x}, ${x}, #7, #20`,
  line`rbit ${w}, ${w}`,
  line`crc32b ${w}, ${w}, ${w}`,
  line`adr ${x}, ${label}`,
);
/** X16 becomes an address in the data. */
const inData = 'and x16, x16, #0xf8\n add x16, x19, x16';
const memory = fc.oneof(
  line`mov x16, ${x}\n ${fc.constant(inData)}\n ldr ${x}, [x16]`,
  line`mov x16, ${x}\n ${fc.constant(inData)}\n str ${x}, [x16]`,
  line`mov x16, ${x}\n ${fc.constant(inData)}\n strb ${w}, [x16, #3]`,
  line`mov x16, ${x}\n ${fc.constant(inData)}\n str ${x}, [x16], #8`,
  line`mov x16, ${x}\n ${fc.constant(inData)}\n ldadd ${x}, ${x}, [x16]`,
  line`mov x16, ${x}\n ${fc.constant(inData)}\n ldxr ${x}, [x16]\n stxr w17, ${x}, [x16]`,
  line`stp ${x}, ${x}, [x19, #64]`,
  line`ldp x1, x2, [x19, #72]`,
);
/** V0 to V7 are the program's. */
const v = fc.nat(7).map((n) => `v${n}`);
const d = fc.nat(7).map((n) => `d${n}`);
const f = fc.nat(7).map((n) => `s${n}`);
const q = fc.nat(7).map((n) => `q${n}`);
const numbers = fc.oneof(
  line`fmov ${d}, ${fc.constantFrom('#1.5', '#-0.1875', '#31')}`,
  line`fmov ${x}, ${d}`,
  line`fmov ${f}, ${w}`,
  line`scvtf ${d}, ${w}`,
  line`ucvtf ${f}, ${x}`,
  line`fcvtzs ${x}, ${d}`,
  line`fcvt ${d}, ${f}`,
  line`fcvt ${f}, ${d}`,
  line`fadd ${d}, ${d}, ${d}`,
  line`fsub ${f}, ${f}, ${f}`,
  line`fmul ${d}, ${d}, ${d}`,
  line`fdiv ${d}, ${d}, ${d}`,
  line`fsqrt ${d}, ${d}`,
  line`fneg ${d}, ${d}`,
  line`fmadd ${d}, ${d}, ${d}, ${d}`,
  line`fnmsub ${f}, ${f}, ${f}, ${f}`,
  line`fcmp ${d}, ${d}`,
  line`fcsel ${d}, ${d}, ${d}, mi`,
  line`fadd ${v}.2d, ${v}.2d, ${v}.2d`,
  line`fmla ${v}.4s, ${v}.4s, ${v}.s[1]`,
  line`fmul ${v}.2s, ${v}.2s, ${v}.2s`,
  line`add ${v}.4s, ${v}.4s, ${v}.4s`,
  line`sqadd ${v}.8h, ${v}.8h, ${v}.8h`,
  line`dup ${v}.2d, ${x}`,
  line`ins ${v}.s[3], ${w}`,
  line`xtn2 ${v}.8h, ${v}.4s`,
  line`ldr ${d}, [x19, #24]`,
  line`str ${d}, [x19, #24]`,
  line`ldr ${q}, [x19, #32]`,
  line`str ${q}, [x19, #32]`,
  line`stp ${f}, ${f}, [x19, #48]`,
  line`ldp ${q}, ${q}, [x19, #16]`,
  fc.constant('ld2 {v1.4s, v2.4s}, [x19]'),
  fc.constant('st3 {v3.8b - v5.8b}, [x19]'),
  line`mov x16, ${x}\n and x16, x16, #0x1c00000\n msr fpcr, x16`,
  line`mov x16, ${x}\n and x16, x16, #0x1f\n msr fpsr, x16`,
  line`mrs ${x}, fpsr`,
  fc.constant('msr fpcr, xzr'),
  fc.constant('mov x16, #16\n msr fpsr, x16'),
);
const branch = fc.oneof(
  line`b.ne ${label}`,
  line`b.lt ${label}`,
  line`cbz ${w}, ${label}`,
  line`tbnz ${x}, ${number(63)}, ${label}`,
  line`b ${label}`,
  line`bl ${label}`,
  line`adr x17, ${label}\n br x17`,
  line`cbz x30, ${label}\n ret`,
);
const system = fc.oneof(
  fc.constant('mrs x18, nzcv'),
  fc.constant('isb'),
  fc.constant('dsb sy'),
  fc.constant('svc #1'),
  fc.constant('.word 0'),
  fc.constant('nop'),
);
/** Words that a program may put into its text: each leaves it running. */
const patches = ['add x1, x1, #1', 'sub x2, x2, #3', 'eor x3, x3, x1', 'nop', 'b.eq . + 8', '.word 0', 'svc #2'];
const patch = fc.nat(patches.length - 1).map((n) => `ldr w17, patch${n}`);
const slot = fc.nat(blocks - 1).map((n) => `adr x16, s${n}`);
const selfModification = fc.oneof(
  line`${patch}\n ${slot}\n str w17, [x16]`,
  line`${patch}\n ${slot}\n stp w17, w17, [x16]`,
  line`${patch}\n ${slot}\n swp w17, w18, [x16]`,
  line`${patch}\n ${slot}\n ldxr w18, [x16]\n stxr w18, w17, [x16]`,
  // Data beside the text.
  line`${slot}\n str ${w}, [x16, #12]`,
  line`${slot}\n ldr ${w}, [x16, #12]`,
);

/** The source of a program; `modifies`: it writes to its own text. Its data lie at `data`, and `end` follows them. */
export function programs(modifies: boolean): fc.Arbitrary<string> {
  const instruction = fc.oneof(
    { weight: 8, arbitrary: arithmetic },
    { weight: 4, arbitrary: memory },
    { weight: 6, arbitrary: numbers },
    { weight: 3, arbitrary: branch },
    { weight: 1, arbitrary: system },
    ...(modifies ? [{ weight: 4, arbitrary: selfModification }] : []),
  );
  const block = fc.array(instruction, { minLength: 1, maxLength: 14 });
  return fc.array(block, { minLength: blocks, maxLength: blocks }).map((all) => {
    const text = all.map(
      (body, n) => `b${n}:\n ${body.join('\n ')}\ns${n}: nop\n nop\n b b${(n + 3) % blocks}\n .word ${n}`,
    );
    const words = patches.map((source, n) => `patch${n}: ${source}`);
    return `
      adr x17, vectors
      msr vbar_el1, x17
      mov x17, #0x300000
      msr cpacr_el1, x17
      adr x19, data
      ${text.join('\n')}
      ${words.join('\n')}
      .align 11
vectors: .space 0x200
      mrs x17, elr_el1
      add x17, x17, #4
      msr elr_el1, x17
      eret
      .align 11
data: .space 0x200
end:`;
  });
}
