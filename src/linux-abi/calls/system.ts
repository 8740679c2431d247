// The system as a whole: its name, its size, its limits, and its random numbers.

import { fail } from '../errno.ts';
import { freeFrames } from '../frames.ts';
import { openFiles, pageBytes, stackBytes, threads } from '../limits.ts';
import { fields, viewOf } from '../records.ts';
import type { Process } from '../state.ts';
import { readUser, writeUser } from '../user-memory.ts';
import { release, versionText } from '../version.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

const fieldBytes = 65;
const utsname = ['Linux', 'heddle', release, versionText, 'aarch64', '(none)'] as const;

function uname({ core, space, x }: Call): Result {
  const record = fields(fieldBytes * utsname.length);
  utsname.forEach((text, n) => record.text(n * fieldBytes, text));
  return writeUser(core, space, Number(x[0]), record.bytes) ? 0 : fail('EFAULT');
}

const secondTicks = 1_000_000_000;

function sysinfo({ core, space, x }: Call): Result {
  const { state, platform, port } = core;
  const record = fields(112)
    .i64(0, Math.floor(port.now() / secondTicks))
    .i64(32, platform.ramBytes)
    .i64(40, freeFrames(state.frames) * pageBytes)
    .u16(80, Math.min(state.threads.size, 0xffff))
    .u32(104, 1);
  return writeUser(core, space, Number(x[0]), record.bytes) ? 0 : fail('EFAULT');
}

const GRND = { all: 7 } as const;
/** A call returns no more at a time, so that no length makes the host allocate. */
const randomLimitBytes = 1 << 20;

function getrandom(call: Call): Result {
  if ((uint(call, 2) & ~GRND.all) !== 0) return fail('EINVAL');
  const bytes = call.core.port.randomBytes(Math.min(unsigned(call, 1), randomLimitBytes));
  return writeUser(call.core, call.space, unsigned(call, 0), bytes) ? bytes.length : fail('EFAULT');
}

const RLIMIT = { CORE: 4, STACK: 3, NPROC: 6, NOFILE: 7, count: 16 } as const;
const infinity = (1n << 64n) - 1n;
const defaults: ReadonlyMap<number, readonly [bigint, bigint]> = new Map([
  [RLIMIT.STACK, [BigInt(stackBytes), infinity]],
  [RLIMIT.CORE, [0n, infinity]],
  [RLIMIT.NPROC, [BigInt(threads), BigInt(threads)]],
  [RLIMIT.NOFILE, [BigInt(openFiles), BigInt(openFiles)]],
]);

const limitOf = ({ limits }: Process, resource: number): readonly [soft: bigint, hard: bigint] =>
  limits.get(resource) ?? defaults.get(resource) ?? [infinity, infinity];

function setLimit(process: Process, resource: number, soft: bigint, hard: bigint): Result {
  if (soft > hard) return fail('EINVAL');
  if (hard > limitOf(process, resource)[1]) return fail('EPERM');
  process.limits.set(resource, [soft, hard]);
  if (resource === RLIMIT.STACK) process.space.stackBytes = Number(soft);
  return 0;
}

function limits(call: Call, process: Process | undefined, resource: number, newAt: number, oldAt: number): Result {
  const { core, space } = call;
  if (!process) return fail('ESRCH');
  if (resource >= RLIMIT.count) return fail('EINVAL');
  const [soft, hard] = limitOf(process, resource);
  const wanted = newAt === 0 ? undefined : readUser(core, space, newAt, 16);
  if (newAt !== 0 && !wanted) return fail('EFAULT');
  if (wanted) {
    const view = viewOf(wanted);
    const result = setLimit(process, resource, view.getBigUint64(0, true), view.getBigUint64(8, true));
    if (result !== 0) return result;
  }
  if (oldAt !== 0 && !writeUser(core, space, oldAt, fields(16).i64(0, soft).i64(8, hard).bytes)) return fail('EFAULT');
  return 0;
}

export const systemCalls: Family = {
  uname,
  sysinfo,
  getrandom,
  prlimit64: (call) => {
    const pid = int(call, 0);
    const process = pid === 0 ? call.process : call.core.state.processes.get(pid);
    return limits(call, process, uint(call, 1), unsigned(call, 2), unsigned(call, 3));
  },
  getrlimit: (call) => limits(call, call.process, uint(call, 0), 0, unsigned(call, 1)),
  setrlimit: (call) => limits(call, call.process, uint(call, 0), unsigned(call, 1), 0),
  syslog: () => fail('EPERM'),
  sethostname: () => fail('EPERM'),
  setdomainname: () => fail('EPERM'),
  sync: () => 0,
};
