// Two machines side by side: what differs between them, and the smallest program that shows it.

import { pe as record } from '../../src/arch/state-layout.ts';
import { systemRegisters } from '../../src/arch/system-registers.ts';
import { disassemble } from '../../src/isa/disassembler.ts';
import type { FuzzMachine, Program } from './fuzz-machine.ts';

const NOP = 0xd503_201f;
const pageBytes = 0x1000;

/** The name of the register at a byte offset of the record. */
function nameAt(offset: number): string {
  if (offset < record.xzr) return `X${offset >>> 3}`;
  if (offset >= record.systemRegisters) {
    const slot = (offset - record.systemRegisters) >>> 3;
    return systemRegisters.find((row) => row.slot === slot)?.name ?? `system register slot ${slot}`;
  }
  if (offset >= record.vector) return `V${(offset - record.vector) >>> 4}`;
  const names = Object.entries(record).filter(([, at]) => at <= offset);
  return names.sort(([, a], [, b]) => b - a)[0]?.[0] ?? `record + ${offset}`;
}

/** In words; empty where the machines agree. */
export function differences(a: FuzzMachine, b: FuzzMachine): string[] {
  const [left, right] = [a.outcome(), b.outcome()];
  const found: string[] = [];
  if (left.ticks !== right.ticks) found.push(`${left.ticks} and ${right.ticks} instructions`);
  if (!left.record.equals(right.record)) {
    for (let at = 0; at < left.record.length; at += 8) {
      const [x, y] = [left.record.readBigUInt64LE(at), right.record.readBigUInt64LE(at)];
      if (x !== y) found.push(`${nameAt(at)}: 0x${x.toString(16)} and 0x${y.toString(16)}`);
    }
  }
  const line = left.log.findIndex((text, n) => text !== right.log[n]);
  if (line >= 0) found.push(`"${left.log[line]!}" and "${right.log[line] ?? ''}"`);
  else if (right.log.length > left.log.length) found.push(`"" and "${right.log[left.log.length]!}"`);
  if (left.exceptionsTaken.join() !== right.exceptionsTaken.join()) {
    found.push(`exceptions taken: ${left.exceptionsTaken.join()} and ${right.exceptionsTaken.join()}`);
  }
  if (left.monitor.pa !== right.monitor.pa || left.monitor.sizeBytes !== right.monitor.sizeBytes)
    found.push(`monitor: ${JSON.stringify(left.monitor)} and ${JSON.stringify(right.monitor)}`);
  for (let page = 0; page < a.ram.length / pageBytes; page += 1) {
    if (a.isTouched(page) !== b.isTouched(page)) found.push(`page ${page} of RAM is marked as written in one only`);
    if (!a.isTouched(page) && !b.isTouched(page)) continue;
    const [x, y] = [a, b].map(({ ram }) => Buffer.from(ram.subarray(page * pageBytes, (page + 1) * pageBytes)));
    if (!x!.equals(y!)) found.push(`page ${page} of RAM`);
  }
  return found;
}

/** Whether a program of so many instructions shows the difference. */
type Shows = (program: Program, instructions: number) => boolean;

/** The fewest instructions and words with which a program still shows a difference. */
export function shrink(
  program: Program,
  instructions: number,
  shows: Shows,
): { program: Program; instructions: number } {
  let fewest = instructions;
  for (let step = 1 << Math.floor(Math.log2(instructions)); step >= 1; step >>>= 1) {
    while (fewest - step > 0 && shows(program, fewest - step)) fewest -= step;
  }
  let { words } = program;
  for (let n = 0; n < words.length; n += 1) {
    if (words[n] === NOP) continue;
    const without = words.map((word, at) => (at === n ? NOP : word));
    if (shows({ ...program, words: without }, fewest)) words = without;
  }
  return { program: { ...program, words }, instructions: fewest };
}

/** A program as a reader wants it. */
export function describeProgram({ start, words }: Program, instructions: number): string {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const lines = words.map((word, n) => {
    const address = start.pc + BigInt(4 * n);
    return `  ${hex(address)}: ${word.toString(16).padStart(8, '0')}  ${disassemble(word, address)}`;
  });
  const levels = `EL2 ${start.levels.hasEl2}, EL3 ${start.levels.hasEl3}`;
  return [
    `${instructions} instructions, ${levels}, SPSR ${hex(start.spsr)}, handler ${start.handler}, lines ${start.lines.join()}`,
    `registers ${JSON.stringify(start.registers, (_key, value: unknown) => (typeof value === 'bigint' ? hex(value) : value))}`,
    `X ${start.x.map(hex).join(' ')}, SP ${start.sp.map(hex).join(' ')}, IRQ every ${start.interruptEvery}`,
    ...lines.filter((line) => !/ nop$/.test(line)),
  ].join('\n');
}
