// Semihosting for AArch64 (Arm "Semihosting for AArch32 and AArch64"): HLT #0xF000 with the operation in W0 and a parameter, often
// the address of a block of 64-bit fields, in X1; the result returns in X0. The console, the command line, simulated time and
// the end of the run are here; files are not: only ":tt", the console, can be opened.

import { exit, type Exit } from '../arch/exits.ts';
import type { Pe, ResidentSoftware } from '../arch/pe.ts';

export interface SemihostingHost {
  /** Bytes for the console. */
  write(bytes: Uint8Array): void;
  /** Ends the run. */
  exit(code: number): void;
  /** Simulated time in ticks of 1 ns. */
  now(): number;
  readonly commandLine: string;
}

const operation = {
  SYS_OPEN: 0x01,
  SYS_CLOSE: 0x02,
  SYS_WRITEC: 0x03,
  SYS_WRITE0: 0x04,
  SYS_WRITE: 0x05,
  SYS_READ: 0x06,
  SYS_READC: 0x07,
  SYS_ISERROR: 0x08,
  SYS_ISTTY: 0x09,
  SYS_FLEN: 0x0c,
  SYS_CLOCK: 0x10,
  SYS_TIME: 0x11,
  SYS_ERRNO: 0x13,
  SYS_GET_CMDLINE: 0x15,
  SYS_EXIT: 0x18,
  SYS_EXIT_EXTENDED: 0x20,
  SYS_ELAPSED: 0x30,
  SYS_TICKFREQ: 0x31,
} as const;

const ADP_Stopped_ApplicationExit = 0x2_0026n;
/** The exit code of an end that was not an application's own. */
const abnormalExit = 1;

const errno = { EBADF: 9, EFAULT: 14, ENOENT: 2, ENOSYS: 38 } as const;

/** Handles of the console by open mode: input for modes 0-3, output for 4-7, the error stream for 8-11. */
const handles = { input: 1n, output: 2n, error: 3n } as const;
const isConsole = (handle: bigint): boolean => handle >= handles.input && handle <= handles.error;

const ticksPerSecond = 1_000_000_000n;
const ticksPerCentisecond = 10_000_000n;
/** A string of SYS_WRITE0 that does not end within this many bytes is an error of the guest, not of the host. */
const stringLimitBytes = 1 << 20;
/** What SYS_WRITE reads from the guest at a time. */
const chunkBytes = 1 << 16;

export function createSemihosting(host: SemihostingHost): ResidentSoftware {
  let lastError = 0;

  return (pe: Pe): Exit => {
    const parameter = pe.readX(1);
    const done = (value: bigint | number): Exit => {
      pe.writeX(0, BigInt.asUintN(64, BigInt(value)));
      return exit.none;
    };
    const failed = (code: number): Exit => {
      lastError = code;
      return done(-1);
    };
    const block = (fields: 1 | 2 | 3): Block | undefined => readBlock(pe, parameter, fields);
    const ticks = (): bigint => BigInt(host.now());

    switch (Number(pe.readX(0) & 0xffff_ffffn)) {
      case operation.SYS_OPEN: {
        const fields = block(3);
        return fields === undefined ? failed(errno.EFAULT) : open(fields);
      }
      case operation.SYS_CLOSE: {
        const handle = block(1)?.[0];
        return handle !== undefined && isConsole(handle) ? done(0) : failed(errno.EBADF);
      }
      case operation.SYS_WRITEC: {
        const character = pe.readMemory(parameter, 1);
        if (character !== undefined) host.write(character);
        return exit.none;
      }
      case operation.SYS_WRITE0: {
        const text = readString(pe, parameter);
        if (text === undefined) return failed(errno.EFAULT);
        host.write(text);
        return exit.none;
      }
      case operation.SYS_WRITE: {
        const fields = block(3);
        if (fields === undefined) return failed(errno.EFAULT);
        return done(write(...fields));
      }
      case operation.SYS_READ: {
        // The console has no input: the number of bytes not read is all of them, which means the end of the file.
        const [handle, , length] = block(3) ?? [0n, 0n, 0n];
        return isConsole(handle) ? done(length) : failed(errno.EBADF);
      }
      case operation.SYS_READC:
        return done(-1);
      case operation.SYS_ISERROR: {
        const status = block(1)?.[0];
        return done(status === undefined || BigInt.asIntN(64, status) < 0n ? 1 : 0);
      }
      case operation.SYS_ISTTY: {
        const handle = block(1)?.[0];
        return handle !== undefined && isConsole(handle) ? done(1) : failed(errno.EBADF);
      }
      case operation.SYS_FLEN: {
        const handle = block(1)?.[0];
        return handle !== undefined && isConsole(handle) ? done(0) : failed(errno.EBADF);
      }
      case operation.SYS_CLOCK:
        return done(ticks() / ticksPerCentisecond);
      case operation.SYS_TIME:
        return done(ticks() / ticksPerSecond);
      case operation.SYS_ELAPSED:
        return pe.writeMemory(parameter, doubleword(ticks())) ? done(0) : failed(errno.EFAULT);
      case operation.SYS_TICKFREQ:
        return done(ticksPerSecond);
      case operation.SYS_ERRNO:
        return done(lastError);
      case operation.SYS_GET_CMDLINE: {
        const fields = block(2);
        return fields === undefined ? failed(errno.EFAULT) : commandLine(fields[0], fields[1]);
      }
      case operation.SYS_EXIT:
      case operation.SYS_EXIT_EXTENDED: {
        const [reason, code] = block(2) ?? [0n, 0n, 0n];
        host.exit(reason === ADP_Stopped_ApplicationExit ? Number(BigInt.asUintN(8, code)) : abnormalExit);
        return exit.stopped;
      }
      default:
        return failed(errno.ENOSYS);
    }

    function open([nameAddress, mode, nameLength]: Block): Exit {
      const name = pe.readMemory(nameAddress, 4);
      const isConsoleName = nameLength === 3n && name !== undefined && String.fromCharCode(...name) === ':tt\0';
      if (!isConsoleName) return failed(errno.ENOENT);
      return done(mode < 4n ? handles.input : mode < 8n ? handles.output : handles.error);
    }

    /** The number of bytes that were not written. */
    function write(handle: bigint, address: bigint, length: bigint): bigint {
      if (!isConsole(handle)) {
        lastError = errno.EBADF;
        return length;
      }
      let left = length;
      while (left > 0n) {
        const size = left < BigInt(chunkBytes) ? Number(left) : chunkBytes;
        const bytes = pe.readMemory(address + (length - left), size);
        if (bytes === undefined) break;
        host.write(bytes);
        left -= BigInt(size);
      }
      return left;
    }

    /** The text with its terminating zero goes to the buffer, its length without it to the second field. */
    function commandLine(buffer: bigint, sizeBytes: bigint): Exit {
      const text = new TextEncoder().encode(`${host.commandLine}\0`);
      if (BigInt(text.length) > sizeBytes) return failed(errno.EFAULT);
      const isWritten =
        pe.writeMemory(buffer, text) && pe.writeMemory(parameter + 8n, doubleword(BigInt(text.length - 1)));
      return isWritten ? done(0) : failed(errno.EFAULT);
    }
  };
}

/** A parameter block; fields that the operation does not have are 0. */
type Block = readonly [bigint, bigint, bigint];

function readBlock(pe: Pe, address: bigint, fields: 1 | 2 | 3): Block | undefined {
  const bytes = pe.readMemory(address, fields * 8);
  if (bytes === undefined) return undefined;
  const [first = 0n, second = 0n, third = 0n] = new BigUint64Array(bytes.buffer, bytes.byteOffset, fields);
  return [first, second, third];
}

const doubleword = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);

/** The bytes up to a zero. */
function readString(pe: Pe, address: bigint): Uint8Array | undefined {
  const parts: number[] = [];
  for (let offset = 0; offset < stringLimitBytes; offset++) {
    const byte = pe.readMemory(address + BigInt(offset), 1)?.[0];
    if (byte === undefined) return undefined;
    if (byte === 0) return Uint8Array.from(parts);
    parts.push(byte);
  }
  return undefined;
}
