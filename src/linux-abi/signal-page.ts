// A page of code in every address space: where a handler returns to that has named no restorer, as it is in the vDSO of Linux. Unwinders
// know a signal frame by these two instructions.

import type { Core } from './kernel.ts';
import { pageBytes, stackTop } from './limits.ts';
import { insertMapping, PROT } from './mappings.ts';
import { setPage } from './page-tables.ts';
import { allocateFrame } from './frames.ts';
import { anonymous } from './address-space.ts';
import type { AddressSpace } from './state.ts';

/** Below the place where mappings end. */
export const signalPage = stackTop - 256 * 1024 * 1024;
/** The instruction before a return address is looked at, too: it must be there. */
export const sigreturnOffset = 4;

/** NOP; MOV X8, #139 (rt_sigreturn); SVC #0. */
const code = Uint32Array.of(0xd503_201f, 0xd280_1168, 0xd400_0001);

export function mapSignalPage(core: Core, space: AddressSpace): boolean {
  const pa = allocateFrame(core);
  if (pa === undefined) return false;
  core.port.ram.writeBytes(pa, new Uint8Array(code.buffer));
  insertMapping(space, anonymous(signalPage, signalPage + pageBytes, PROT.READ | PROT.EXEC, '[vdso]'));
  return setPage(core, space, signalPage, { pa, isAccessible: true, isWritable: false, isExecutable: true });
}
