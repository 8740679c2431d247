// The hypercall interface (section 4 of the ancestor's description): HVC #0, arguments in X0 to X6, X7 = function << 8 | event, one result
// in X0, all ones for an error. A VM that is not the manager may ask about itself and nobody else.

import { type Activity, work } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vmAt, writeVcpuX } from '../context.ts';
import { costs } from '../options.ts';
import { schedule } from '../scheduler.ts';
import type { Vcpu } from '../state.ts';
import { configurationCalls } from './configuration.ts';
import { fileCalls } from './file-calls.ts';
import { interVmCalls } from './inter-vm.ts';
import { managementCalls } from './management.ts';
import { mediatedCalls } from './mediated.ts';
import { pingCalls } from './ping.ts';
import type { HypercallResult, HypercallRow } from './hypercall.ts';

const rows: readonly HypercallRow[] = [
  ...managementCalls,
  ...interVmCalls,
  ...mediatedCalls,
  ...configurationCalls,
  ...fileCalls,
  ...pingCalls,
];
const rowOf = new Map(rows.map((row) => [(row.fid << 8) | row.event, row]));

const failure = 0xffff_ffff_ffff_ffffn;
const argumentCount = 7;
const instructionBytes = 4n;

export function* hypercall(rhyper: Rhyper, vcpu: Vcpu): Activity {
  yield* work(costs.hypercall);
  const caller = vmAt(rhyper, vcpu.vm);
  const number = Number(rhyper.pe.readX(7) & 0xffffn);
  const args = Array.from({ length: argumentCount }, (_, n) => rhyper.pe.readX(n));
  const row = rowOf.get(number);
  let result: HypercallResult;
  if (!row) {
    rhyper.port.log(`VM ${caller.id}: there is no hypercall 0x${number.toString(16)}`);
  } else if (row.manager && caller.isManager === 0 && !hasQuirk(rhyper, 'no-privilege-check')) {
    rhyper.port.log(`VM ${caller.id}: ${row.name} is for the management VM`);
  } else {
    result = yield* row.handle(rhyper, { caller, vcpu, args });
  }
  if (result === 'again') {
    rhyper.system.write('ELR_EL2', rhyper.system.read('ELR_EL2') - instructionBytes);
    yield* schedule(rhyper);
    return;
  }
  writeVcpuX(rhyper, vcpu, 0, result ?? failure);
}
