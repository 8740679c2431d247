// The service of everything that is not computing or memory: exceptions, system registers, barriers, hints.

import { exit, type Exit } from '../arch/exits.ts';
import { pe as record } from '../arch/state-layout.ts';
import { registerAt } from '../arch/system-registers.ts';
import type { MemoryViews } from '../memory/memory-views.ts';
import { InternalError } from '../report/assert.ts';
import type { ServiceCompany } from './memory-services.ts';
import { systemImmediateShift, systemOperation } from './services.ts';

/** Reading a register of the GIC CPU interface sends messages, and has a result. */
const isGicRegister = (key: number): boolean => registerAt(key)?.storage === 'gic';

/** The instruction is not over after these. */
const goesOn: ReadonlySet<number> = new Set([
  systemOperation.readSystemRegister,
  systemOperation.exceptionLink,
  systemOperation.branchTarget,
]);
/** A lock is often given up within a microsecond: as long as it takes to come out of translated code and into it again. */
const looksOfWfe = 256;
/** CRn of the TLB maintenance instructions. */
const tlbiCRn = 8;

export function systemService(
  { doublewords }: MemoryViews,
  { peOf, isConcurrent, yields, isOnlyPe, mustStop, isAlone, fence }: ServiceCompany,
): (cpu: number, descriptor: number) => Exit {
  function serve(cpu: number, descriptor: number): Exit {
    const immediate = descriptor >>> systemImmediateShift;
    const operation = descriptor & ((1 << systemImmediateShift) - 1);
    const isRead = goesOn.has(operation);
    if (operation === systemOperation.readSystemRegister && !isAlone() && isGicRegister(immediate)) return exit.step;
    const code = performSystemOperation(cpu, operation, immediate);
    return code === exit.none && !isRead && mustStop() ? redirectToNext(cpu) : code;
  }

  function performSystemOperation(cpu: number, operation: number, immediate: number): Exit {
    const pe = peOf(cpu);
    switch (operation) {
      case systemOperation.undefined:
        return pe.undefinedInstruction();
      case systemOperation.svc:
        return pe.svc(immediate);
      case systemOperation.hvc:
        return pe.hvc(immediate);
      case systemOperation.smc:
        return pe.smc(immediate);
      case systemOperation.brk:
        return pe.brk(immediate);
      case systemOperation.hlt:
        return pe.hlt(immediate);
      case systemOperation.eret:
        return pe.eret();
      case systemOperation.readSystemRegister:
        return pe.readSystemRegister(immediate);
      case systemOperation.writeSystemRegister:
        return pe.writeSystemRegister(immediate);
      case systemOperation.writePstateField:
        return pe.msrImmediate(immediate >>> 8, (immediate >>> 4) & 15, immediate & 15);
      case systemOperation.systemInstruction: {
        const code = pe.systemInstruction(immediate);
        // After a TLBI the next instruction is fetched anew, so that a trace and the stepper agree on where it comes from.
        return code === exit.none && ((immediate >>> 7) & 15) === tlbiCRn ? redirectToNext(cpu) : code;
      }
      case systemOperation.systemInstructionWithResult:
        return pe.systemInstructionWithResult(immediate);
      case systemOperation.dsb:
        if (isConcurrent) fence(cpu);
        return pe.dsb();
      case systemOperation.isb:
        return pe.isb();
      case systemOperation.wfi:
        return pe.wfi();
      case systemOperation.wfe:
        return pe.wfe(isConcurrent && isOnlyPe() ? looksOfWfe : 1);
      case systemOperation.sev:
        return pe.sev();
      case systemOperation.sevl:
        return pe.sevl();
      case systemOperation.clearExclusive:
        return pe.clrex();
      case systemOperation.yield:
        if (!yields) return exit.none;
        redirectToNext(cpu);
        return exit.yield;
      case systemOperation.exceptionLink:
        return pe.exceptionLink();
      case systemOperation.eretTo:
        return pe.eretTo();
      case systemOperation.branchTarget:
        return pe.checkBranchTarget();
      case systemOperation.pointerTrap:
        return pe.pointerTrap();
      case systemOperation.fpTrap:
        return pe.fpAccessTrap();
      case systemOperation.spAlignment:
        return pe.spAlignment();
      default:
        throw new InternalError(`system operation ${operation}`);
    }
  }

  function redirectToNext(cpu: number): Exit {
    const pc = (cpu + record.pc) >>> 3;
    doublewords[pc] = (doublewords[pc] as bigint) + 4n;
    return exit.redirect;
  }

  return serve;
}
