// A witness with a device of its own behind the SMMU: it copies by a list between random pages of its RAM, more of them than a TBU has
// translations for, and keeps the time of each list in a sum. Alone on its core it is equal to the bit, whatever other devices make
// the SMMU do.

import { dmaEngine } from '../../../src/board/memory-map.ts';
import { awaitDma, kernel } from '../kernels.ts';
import { kernelIpa, type TestVm } from '../system.ts';
import { data, dataIpa } from './witness.ts';

const listIpa = kernelIpa + 0x14_8000;
const firstPageIpa = kernelIpa + 0x15_0000;
/** 128 pages. */
const pageBits = 7;
/** So many that what the translations of one list take is more than a poll. */
const elements = 64;
const engine = dmaEngine(1);

/** The address of a page, by bits of X18. */
const randomPage = (register: string, lowestBit: number): string =>
  [
    `ubfx ${register}, x18, #${lowestBit}, #${pageBits}`,
    `ldr x2, =${firstPageIpa}`,
    `add ${register}, x2, ${register}, lsl #12`,
  ].join('\n');

const makeList = [
  'mov x18, #1',
  `ldr x5, =${listIpa}`,
  `mov x6, #${elements}`,
  '1: ldr x0, =6364136223846793005',
  'ldr x1, =1442695040888963407',
  'madd x18, x18, x0, x1',
  randomPage('x3', 32),
  randomPage('x4', 48),
  'str x18, [x3]',
  'stp x3, x4, [x5]',
  'add x1, x5, #32',
  'subs x6, x6, #1',
  'csel x1, xzr, x1, eq',
  'mov x0, #64',
  'stp x0, x1, [x5, #16]',
  'mov x5, x1',
  'b.ne 1b',
].join('\n');

const startList = [
  `ldr x9, =${engine.base}`,
  `ldr x0, =${listIpa}`,
  'str x0, [x9, #0x30]',
  'dsb sy',
  'mov w0, #3',
  'str w0, [x9, #8]',
].join('\n');

export const copier: TestVm = {
  name: 'copier',
  cores: [4],
  windows: [{ ipa: engine.base, pa: engine.base, bytes: engine.sizeBytes }],
  streams: [engine.streamId],
  source: kernel(
    `ldr x20, =${dataIpa}`,
    makeList,
    'mov x23, #0',
    'mov x29, #0',
    'mrs x22, cntvct_el0',
    'again:',
    startList,
    awaitDma,
    'mrs x1, cntvct_el0',
    'sub x1, x1, x22',
    'eor x29, x29, x1',
    'ror x29, x29, #7',
    'add x29, x29, x0',
    'add x23, x23, #1',
    `str x23, [x20, #${data.rounds}]`,
    `str x29, [x20, #${data.sum}]`,
    'b again',
  ),
};
