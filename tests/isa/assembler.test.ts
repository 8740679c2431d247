import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import { UserError } from '../../src/report/user-error.ts';
import { names } from './register-names.ts';

const corpus = (file: string): string => readFileSync(new URL(`./corpus/${file}`, import.meta.url), 'utf8');
/** What GNU as and ld made of a source of the corpus. */
const expectedBytes = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(corpus(`${name}.hex`).replace(/\s/g, ''), 'hex'));

const base = 0x4000_0000;
const wordsOf = (bytes: Uint8Array): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, n) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * n, true),
  );
const words = (source: string, at = 0): number[] => wordsOf(assemble(source, { base: at, names }).bytes);
/** The instructions that a source becomes, as the disassembler prints them. */
const listing = (source: string, at = 0): string[] =>
  words(source, at).map((word, n) => disassemble(word, at + 4 * n, names));
const bytes = (source: string): number[] => [...assemble(source).bytes];

describe('the assembler makes what GNU as and ld make', () => {
  test('of one instruction per line', () => {
    const lines = corpus('instructions.s')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('//'));
    const expected = wordsOf(expectedBytes('instructions'));
    expect(lines.length).toBe(expected.length);
    const show = (word: number, n: number): string => `${lines[n]!} = ${word.toString(16)}`;
    const ours = lines.map((line, n) => words(line, base + 4 * n)[0]!);
    expect(ours.map(show)).toEqual(expected.map(show));
  });

  test.each(['instructions', 'program', 'sections'])('of %s.s', (name) => {
    const image = assemble(corpus(`${name}.s`), { base, file: `${name}.s` });
    expect(Buffer.from(image.bytes).toString('hex')).toBe(Buffer.from(expectedBytes(name)).toString('hex'));
  });
});

describe('labels and symbols', () => {
  test('a label has the address of the next byte, from the base', () => {
    const { symbols, base: from } = assemble('nop\nhere: there: nop\n.set five, 5\nsix = five + 1', { base: 0x80000 });
    expect(symbols).toEqual(
      new Map([
        ['here', 0x80004n],
        ['there', 0x80004n],
        ['five', 5n],
        ['six', 6n],
      ]),
    );
    expect(from).toBe(0x80000n);
  });

  test('numeric labels are found forwards and backwards', () => {
    expect(listing('1: b 1f\n1: b 1b\nb 1b\nb 2f\n2: nop')).toEqual(['b 0x4', 'b 0x4', 'b 0x4', 'b 0x10', 'nop']);
  });

  test('an assigned symbol may be used before, and changes where it is assigned again', () => {
    expect(bytes('.byte late, n\nlate = 7\n.set n, 1\n.byte n\n.set n, n + 1\n.byte n')).toEqual([7, 2, 1, 2]);
  });

  test('sizes may depend on labels that come later', () => {
    expect(bytes('.space end - start\nstart: .byte 1, 2, 3\nend:')).toEqual([0, 0, 0, 1, 2, 3]);
  });

  test('symbols keep their case, mnemonics and registers have none', () => {
    expect(listing('NOP\nA: nop\na: B A\nb a')).toEqual(['nop', 'nop', 'b 0x4', 'b 0x8']);
  });

  test('a base in the upper half of the address space', () => {
    const at = 0xffff_8000_0000_0000n;
    const { bytes: image } = assemble('adr x0, .\nldr x1, =here\nhere: b here', { base: at });
    expect(disassemble(wordsOf(image)[2]!, at + 8n)).toBe('b 0xffff800000000008');
    expect(new DataView(image.buffer).getBigUint64(16, true)).toBe(at + 8n);
  });
});

describe('literal pools', () => {
  test('stand at the end of the section, words before doublewords, equal ones once', () => {
    expect(listing('ldr x0, =1\nldr w1, =2\nldr x2, =1\nldr x3, =1 + 0')).toEqual([
      'ldr x0, 0x18',
      'ldr w1, 0x10',
      'ldr x2, 0x18',
      'ldr x3, 0x20',
      ...['udf #2', 'udf #0', 'udf #1', 'udf #0', 'udf #1', 'udf #0'],
    ]);
  });

  test('.ltorg places what is open', () => {
    expect(listing('ldr w0, =0x14000000\nb 1f\n.ltorg\n1: ldr w1, =0x14000001')).toEqual([
      'ldr w0, 0x8',
      'b 0xc',
      'b 0x8',
      'ldr w1, 0x10',
      'b 0x14',
    ]);
  });

  test('a literal of the place is another one in each place', () => {
    expect(words('ldr w0, =.\nldr w1, =.')).toEqual([0x18000040, 0x18000041, 0, 4]);
  });
});

describe('text', () => {
  test('comments, several statements of a line, continuation over lines by block comments', () => {
    expect(listing('# whole line\nnop; nop // rest ; nop\n  # another\nnop /* a\nb */ ; /**/ yield')).toEqual([
      'nop',
      'nop',
      'nop',
      'yield',
    ]);
  });

  test('comment marks inside strings are text', () => {
    expect(Buffer.from(bytes('.ascii "/* // # ;"')).toString()).toBe('/* // # ;');
  });

  test('strings are UTF-8, with escapes of bytes', () => {
    expect(bytes('.asciz "é\\xff\\0\\n"')).toEqual([0xc3, 0xa9, 0xff, 0, 10, 0]);
  });

  test('system registers are written in their generic form where no names are given', () => {
    expect(assemble('mrs x0, S3_0_C0_C0_0').bytes).toEqual(assemble('mrs x0, midr_el1', { names }).bytes);
    expect(() => assemble('mrs x0, midr_el1')).toThrow(UserError);
  });

  test('an empty source is an empty image', () => {
    expect(assemble('\n// nothing\n')).toEqual({ bytes: new Uint8Array(0), symbols: new Map(), base: 0n });
  });
});

describe('refusals', () => {
  const cases = [...corpus('refusals.txt').matchAll(/^([^ #\n].*)\n {2}(.*)(?:\n {2}hint: (.*))?$/gm)];

  test('the golden file has many', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.map(([, source = '', message = '', hint]) => ({ source, message, hint })))(
    '$source',
    ({ source, message, hint }) => {
      const refusal = ((): unknown => {
        try {
          return assemble(source, { file: 't.s' });
        } catch (error) {
          return error;
        }
      })();
      expect(refusal).toBeInstanceOf(UserError);
      expect(refusal).toMatchObject({ message, hint });
    },
  );

  test('name the line', () => {
    expect(() => assemble('nop\n\n  nop\n  bad x0', { file: 'boot.s' })).toThrow('boot.s:4:3: no instruction "bad"');
  });

  test('an expression that is too long for the stack', () => {
    expect(() => assemble(`.byte ${'('.repeat(100_000)}`)).toThrow('more than 500 operators');
    expect(() => assemble(`.byte 0${'+0'.repeat(100_000)}`)).toThrow('more than 500 operators');
    expect(bytes(`.byte 1${'+1'.repeat(100)}`)).toEqual([101]);
  });
});
