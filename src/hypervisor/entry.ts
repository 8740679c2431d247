// Entries to the hypervisor (section 6 of the ancestor's description): which exception it is, who deals with it, and who runs afterwards.

import { type Activity, type EntryEnd, vectorGroup, work } from '../arch/resident.ts';
import { EC, vector } from '../arch/exceptions.ts';
import { enterHypervisor, leaveHypervisor } from './accounting.ts';
import { activeVcpu, hasQuirk, type Rhyper, vcpuOf, vmAt } from './context.ts';
import { hypercall } from './hvc/call.ts';
import { handlePingIpi } from './hvc/ping.ts';
import { handleInterrupts, handleIntInjectIpi, injectInterrupt } from './interrupts.ts';
import { isHeld, release } from './hold.ts';
import { takeIpi } from './ipi.ts';
import { handleVmmIpi, stop } from './lifecycle.ts';
import { giveUpRequests, handleMediatedIpi } from './mediated/service.ts';
import { abortedAccess, emulate } from './mmio.ts';
import { costs } from './options.ts';
import { callPsci, handlePowerIpi } from './psci.ts';
import { schedule, tick } from './scheduler.ts';
import { pendSError, receiveErrors, strayError } from './serror.ts';
import { type ExitCause, exitCauses, type InterruptKind, type Vcpu } from './state.ts';
import { deviceOfInterrupt } from './slots.ts';
import { hearOwnFaults, smmuInterrupt } from './smmu/faults.ts';
import { armTimer, isPatienceOver, isSliceOver } from './timer.ts';
import { emulateSystemRegister } from './system-registers.ts';
import { handleIntcIpi } from './vgic/delivery.ts';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function count(vcpu: Vcpu | undefined, cause: ExitCause): void {
  if (!vcpu) return;
  const at = exitCauses.indexOf(cause);
  vcpu.exits[at] = (vcpu.exits[at] as bigint) + 1n;
}

/** A guest has done what it may not. It is stopped; in the ancestor, everything is. */
function* contain(rhyper: Rhyper, vcpu: Vcpu, reason: string): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  const pc = hex(rhyper.system.read('ELR_EL2'));
  const sentence = `vCPU ${vcpu.id} at PC ${pc}: ${reason}`;
  if (hasQuirk(rhyper, 'panic-on-guest-fault')) {
    rhyper.port.log(`panic on core ${rhyper.index}: VM ${vm.id} (${vm.name}), ${sentence}`);
    rhyper.port.stop(1);
    return;
  }
  yield* stop(rhyper, vm, sentence);
}

const faultTranslation = 1;
const faultAccessFlag = 2;
const stage2FaultClasses: ReadonlySet<number> = new Set([faultTranslation, faultAccessFlag, 3]);

function* dataAbort(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const esr = rhyper.system.read('ESR_EL2');
  const faultClass = Number(esr & 0x3fn) >> 2;
  if (!stage2FaultClasses.has(faultClass)) {
    count(vcpu, 'stage-2 fault');
    yield* contain(rhyper, vcpu, `a data abort with ESR_EL2 ${hex(esr)}`);
    return;
  }
  const access = abortedAccess(rhyper);
  count(vcpu, 'MMIO');
  const refusal = yield* emulate(rhyper, vcpu, access);
  if (refusal !== undefined) yield* contain(rhyper, vcpu, refusal);
}

function* synchronous(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const esr = rhyper.system.read('ESR_EL2');
  const exceptionClass = Number((esr >> 26n) & 0x3fn);
  if (isHeld(rhyper) && (exceptionClass === EC.dataAbort || exceptionClass === EC.instructionAbort)) {
    // The instruction is executed again.
    count(vcpu, 'stage-2 fault');
    return;
  }
  switch (exceptionClass) {
    case EC.dataAbort:
      yield* dataAbort(rhyper, vcpu);
      break;
    case EC.HVC:
      count(vcpu, 'HVC');
      yield* hypercall(rhyper, vcpu);
      break;
    case EC.SMC:
      // A trapped SMC leaves ELR_EL2 at the instruction.
      count(vcpu, 'SMC');
      rhyper.system.write('ELR_EL2', rhyper.system.read('ELR_EL2') + 4n);
      yield* callPsci(rhyper, vcpu);
      break;
    case EC.systemRegister:
      count(vcpu, 'system register');
      if (!(yield* emulateSystemRegister(rhyper, vcpu, esr)))
        yield* contain(rhyper, vcpu, `an access to a System register that it has not (ESR_EL2 ${hex(esr)})`);
      break;
    case EC.WFx:
      count(vcpu, 'WFx');
      rhyper.system.write('ELR_EL2', rhyper.system.read('ELR_EL2') + 4n);
      yield* schedule(rhyper);
      break;
    case EC.instructionAbort:
      count(vcpu, 'stage-2 fault');
      yield* contain(rhyper, vcpu, `an instruction fetch from IPA ${hex(fetchIpa(rhyper))}, where it has no memory`);
      break;
    default:
      count(vcpu, 'other');
      yield* contain(rhyper, vcpu, `an exception of class 0x${exceptionClass.toString(16)} (ESR_EL2 ${hex(esr)})`);
  }
}

const fetchIpa = ({ system }: Rhyper): bigint =>
  ((system.read('HPFAR_EL2') >> 4n) << 12n) | (system.read('FAR_EL2') & 0xfffn);

/** Handles every message that waits for this core. */
export function* serveIpis(rhyper: Rhyper): Activity {
  yield* release(rhyper);
  for (let ipi = takeIpi(rhyper); ipi; ipi = takeIpi(rhyper)) {
    yield* work(costs.ipi);
    const { vm, a = 0, b = 0, low = 0n, high = 0n } = ipi;
    switch (ipi.kind) {
      case 'VMM':
        yield* handleVmmIpi(rhyper, vm, a, b);
        break;
      case 'Power':
        yield* handlePowerIpi(rhyper, vm, a, b, low, high);
        break;
      case 'Intc':
        yield* handleIntcIpi(rhyper, ipi);
        break;
      case 'IntInject':
        yield* handleIntInjectIpi(rhyper, ipi);
        break;
      case 'MediatedDev':
        yield* handleMediatedIpi(rhyper, ipi);
        break;
      case 'Hvc':
        yield* handlePingIpi(rhyper, ipi);
        break;
      default:
        rhyper.port.log(`core ${rhyper.index}: nobody handles a message ${ipi.kind}`);
    }
  }
}

/**
 * The interrupt of a transport that acts for a VM's device is, for vCPU 0 of the VM, the device's; the SMMU's is the hypervisor's own.
 * Undefined where it is neither.
 */
function* deviceInterrupt(rhyper: Rhyper, intid: number): Activity<InterruptKind | undefined> {
  if (yield* smmuInterrupt(rhyper, intid)) return 'SMMU';
  const found = deviceOfInterrupt(rhyper, intid);
  const vcpu = found && vcpuOf(rhyper, found.vm, 0);
  if (!vcpu) return undefined;
  if (activeVcpu(rhyper)?.vm !== found.vm.id) rhyper.core.foreignInterrupts += 1;
  yield* injectInterrupt(rhyper, vcpu, found.device.intid);
  return 'transport';
}

/** What the hypervisor's own timer was set for. */
function* timerExpired(rhyper: Rhyper): Activity {
  if (isSliceOver(rhyper)) yield* tick(rhyper);
  if (isPatienceOver(rhyper)) yield* giveUpRequests(rhyper);
  armTimer(rhyper);
}

/** Who runs now: the active vCPU, another one of the queue, or nobody. */
function* end(rhyper: Rhyper): Activity<EntryEnd> {
  yield* hearOwnFaults(rhyper);
  if (rhyper.core.active === 0 && rhyper.core.queueLength > 0) yield* schedule(rhyper);
  if (rhyper.core.active === 0) {
    receiveErrors(rhyper);
    return 'sleep';
  }
  yield* work(costs.exit);
  return 'return';
}

export function* enter(rhyper: Rhyper, vectorOffset: number): Activity<EntryEnd> {
  enterHypervisor(rhyper);
  yield* work(costs.entry);
  const vcpu = activeVcpu(rhyper);
  const kind = vectorOffset & 0x180;
  if (kind === vector.IRQ || kind === vector.FIQ) {
    // Group 0 of a GICv3 is signalled as FIQ: the SGI of messages (vgic/gic-v3.ts).
    count(vcpu, kind === vector.IRQ ? 'IRQ' : 'FIQ');
    yield* handleInterrupts(rhyper, {
      ipi: () => serveIpis(rhyper),
      tick: () => timerExpired(rhyper),
      device: (intid) => deviceInterrupt(rhyper, intid),
    });
  } else if (vcpu && vectorOffset >= vectorGroup.lowerEl) {
    if (kind === vector.synchronous) yield* synchronous(rhyper, vcpu);
    else {
      count(vcpu, 'SError');
      yield* pendSError(rhyper, vcpu);
    }
  } else if (!vcpu && kind === vector.SError) strayError(rhyper);
  else {
    rhyper.port.log(`panic on core ${rhyper.index}: exception at vector 0x${vectorOffset.toString(16)} of EL2 itself`);
    rhyper.port.stop(1);
  }
  // A core whose VM takes its interrupts itself may not have heard the SGI of a message.
  yield* serveIpis(rhyper);
  const result = yield* end(rhyper);
  leaveHypervisor(rhyper);
  return result;
}

/** The end of a core's start. */
export function* begin(rhyper: Rhyper): Activity<EntryEnd> {
  const result = yield* end(rhyper);
  leaveHypervisor(rhyper);
  return result;
}
