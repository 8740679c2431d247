// What a program may know of a file: struct stat, statx and statfs (fs/stat.c, fs/statfs.c). Numbers of inodes and dates follow from the
// run alone: what comes from the host is as old as the machine.

import { fail } from '../errno.ts';
import { fileOf } from '../files/descriptors.ts';
import { deviceOf, type FileKind, type Inode } from '../files/inode.ts';
import { freeFrames } from '../frames.ts';
import { nameBytes, pageBytes } from '../limits.ts';
import { fields } from '../records.ts';
import { uid } from '../sigframe.ts';
import { writeUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';
import { flagsAt, inodeAt, inodeOfPath } from './paths.ts';

const typeBits: Readonly<Record<FileKind, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  pipe: 0o010000,
  character: 0o020000,
  /** Neither kind: anon_inode. */
  anonymous: 0,
  socket: 0o140000,
  other: 0o140000,
};
/** Standard streams look like pipes: they are no terminals. */
const modeOf = ({ kind, character, mode }: Inode): number =>
  (character?.startsWith('std') === true ? typeBits.pipe : typeBits[kind]) | mode;

/** Major and minor numbers of the devices of drivers/char/mem.c. */
const minors: Readonly<Record<string, number>> = { null: 3, zero: 5, full: 7, random: 9 };
const memoryMajor = 1;
const minorOf = ({ character }: Inode): number | undefined => minors[character ?? ''];

const blockBytes = 512;
const directoryBytes = 4096;
const sizeOf = (inode: Inode): number => (inode.kind === 'directory' ? directoryBytes : inode.sizeBytes);
const blocksOf = (inode: Inode): number => Math.ceil(sizeOf(inode) / pageBytes) * (pageBytes / blockBytes);
const second = 1_000_000_000n;

function statOf(inode: Inode): Uint8Array {
  const minor = minorOf(inode);
  const record = fields(128)
    .i64(0, inode.device)
    .i64(8, inode.number)
    .u32(16, modeOf(inode))
    .u32(20, inode.links)
    .u32(24, uid)
    .u32(28, uid)
    .i64(32, minor === undefined ? 0 : memoryMajor * 256 + minor)
    .i64(48, sizeOf(inode))
    .u32(56, pageBytes)
    .i64(64, blocksOf(inode));
  for (const at of [72, 88, 104]) record.i64(at, inode.changedAt / second).i64(at + 8, inode.changedAt % second);
  return record.bytes;
}

/** STATX_BASIC_STATS. */
const basicStats = 0x7ff;

function statxOf(inode: Inode): Uint8Array {
  const minor = minorOf(inode);
  const record = fields(256)
    .u32(0, basicStats)
    .u32(4, pageBytes)
    .u32(16, inode.links)
    .u32(20, uid)
    .u32(24, uid)
    .u16(28, modeOf(inode))
    .i64(32, inode.number)
    .i64(40, sizeOf(inode))
    .i64(48, blocksOf(inode))
    .u32(128, minor === undefined ? 0 : memoryMajor)
    .u32(132, minor ?? 0)
    .u32(140, inode.device);
  for (const at of [64, 96, 112])
    record.i64(at, inode.changedAt / second).u32(at + 8, Number(inode.changedAt % second));
  return record.bytes;
}

/** f_type: tmpfs, and procfs. */
const magic = { memory: 0x0102_1994, process: 0x9fa0 } as const;

function statfsOf({ core: { state, platform } }: Call, { device }: Inode): Uint8Array {
  const isProcess = device === deviceOf.process;
  const [blocks, free] = isProcess ? [0, 0] : [platform.ramBytes / pageBytes, freeFrames(state.frames)];
  return fields(120)
    .i64(0, isProcess ? magic.process : magic.memory)
    .i64(8, pageBytes)
    .i64(16, blocks)
    .i64(24, free)
    .i64(32, free)
    .u32(56, device)
    .i64(64, nameBytes)
    .i64(72, pageBytes).bytes;
}

/** Writes what is known of an inode to an address. */
function tell(call: Call, inode: Inode | number | undefined, n: number, record: (inode: Inode) => Uint8Array): Result {
  if (inode === undefined) return fail('EBADF');
  if (typeof inode === 'number') return inode;
  return writeUser(call.core, call.space, unsigned(call, n), record(inode)) ? 0 : fail('EFAULT');
}

const inodeOfDescriptor = (call: Call): Inode | undefined => fileOf(call.process, int(call, 0))?.inode;

export const statCalls: Family = {
  fstat: (call) => tell(call, inodeOfDescriptor(call), 1, statOf),
  newfstatat: (call) => tell(call, inodeAt(call, 0, flagsAt(call, 3)), 2, statOf),
  statx: (call) => tell(call, inodeAt(call, 0, flagsAt(call, 2)), 4, statxOf),
  statfs: (call) => tell(call, inodeOfPath(call, 0), 1, (inode) => statfsOf(call, inode)),
  fstatfs: (call) => tell(call, inodeOfDescriptor(call), 1, (inode) => statfsOf(call, inode)),
};
