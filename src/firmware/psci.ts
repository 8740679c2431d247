// PSCI 1.1 (DEN 0022) as resident firmware: what answers SMC, or HVC where there is neither EL2 nor EL3. It sees the registers of
// the calling PE, answers in X0, and asks the power controller for everything that concerns another PE or the whole machine.
//
// CPU_SUSPEND always enters a standby state: a powerdown state may be left by the return of the call as well (DEN 0022, the
// caller must expect it). Not offered: MIGRATE, statistics, OS-initiated mode, SYSTEM_SUSPEND, SYSTEM_RESET2.

import { exit, type Exit } from '../arch/exits.ts';
import type { Pe, ResidentSoftware } from '../arch/pe.ts';

/** Return codes. */
export const psci = {
  SUCCESS: 0,
  NOT_SUPPORTED: -1,
  INVALID_PARAMETERS: -2,
  DENIED: -3,
  ALREADY_ON: -4,
  ON_PENDING: -5,
  INTERNAL_FAILURE: -6,
  INVALID_ADDRESS: -9,
} as const;

/** Results of AFFINITY_INFO. */
export const affinityState = { ON: 0, OFF: 1, ON_PENDING: 2 } as const;

/**
 * The way to the power controller. `undefined` means "not yet": the call runs again, with the same arguments, when the answer
 * is there, and then receives it.
 */
export interface PowerInterface {
  /** Starts the PE with this affinity at the entry point with X0 = contextId; a return code. */
  cpuOn(affinity: bigint, entryPoint: bigint, contextId: bigint): number | undefined;
  /** The state of one PE, or INVALID_PARAMETERS. */
  affinityInfo(affinity: bigint): number | undefined;
  /** Turns the calling PE off. */
  cpuOff(): void;
  /** The calling PE waits until an interrupt is pending. */
  suspend(): void;
  systemOff(): void;
  systemReset(): void;
}

/** Function identifiers, without bit 30, which marks the 64-bit form. */
const functionId = {
  PSCI_VERSION: 0x8400_0000,
  CPU_SUSPEND: 0x8400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0x8400_0003,
  AFFINITY_INFO: 0x8400_0004,
  MIGRATE_INFO_TYPE: 0x8400_0006,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  PSCI_FEATURES: 0x8400_000a,
  SMCCC_VERSION: 0x8000_0000,
  SMCCC_ARCH_FEATURES: 0x8000_0001,
} as const;

const smc64 = 0x4000_0000;
const has64BitForm: ReadonlySet<number> = new Set([
  functionId.CPU_SUSPEND,
  functionId.CPU_ON,
  functionId.AFFINITY_INFO,
]);
const offered: ReadonlySet<number> = new Set(Object.values(functionId));

const psciVersion = 0x1_0001;
const smcccVersion = 0x1_0001;
/** No Trusted OS that would have to migrate. */
const migrationNotRequired = 2;
/** Aff3, Aff2, Aff1, Aff0 of MPIDR_EL1; the other bits of a target must be 0. */
const affinityFields = 0xff_00ff_ffffn;

/** The function without the mark of its form, or undefined where this form does not exist. */
function functionOf(id: number): number | undefined {
  const base = (id & ~smc64) >>> 0;
  if (!offered.has(base)) return undefined;
  return (id & smc64) === 0 || has64BitForm.has(base) ? base : undefined;
}

/** Makes the firmware of one PE. */
export function createPsci(power: PowerInterface): ResidentSoftware {
  return (pe: Pe): Exit => {
    const id = Number(pe.readX(0) & 0xffff_ffffn);
    const is64Bit = (id & smc64) !== 0;
    const argument = (n: number): bigint => (is64Bit ? pe.readX(n) : pe.readX(n) & 0xffff_ffffn);
    const answer = (value: number | undefined): Exit => {
      if (value === undefined) return exit.bus;
      pe.writeX(0, BigInt.asUintN(64, BigInt(value)));
      return exit.none;
    };

    switch (functionOf(id)) {
      case functionId.PSCI_VERSION:
        return answer(psciVersion);
      case functionId.SMCCC_VERSION:
        return answer(smcccVersion);
      case functionId.SMCCC_ARCH_FEATURES:
        return answer(supports(argument(1), functionId.SMCCC_VERSION));
      case functionId.PSCI_FEATURES:
        return answer(supports(argument(1), functionId.PSCI_VERSION));
      case functionId.MIGRATE_INFO_TYPE:
        return answer(migrationNotRequired);
      case functionId.CPU_ON:
        return answer(cpuOn(power, argument(1), argument(2), argument(3)));
      case functionId.AFFINITY_INFO:
        return answer(affinityInfo(power, argument(1), argument(2)));
      case functionId.CPU_SUSPEND:
        answer(psci.SUCCESS);
        if (pe.wakeUpPending()) return exit.none;
        power.suspend();
        return exit.stopped;
      case functionId.CPU_OFF:
        power.cpuOff();
        return exit.stopped;
      case functionId.SYSTEM_OFF:
        power.systemOff();
        return exit.stopped;
      case functionId.SYSTEM_RESET:
        power.systemReset();
        return exit.stopped;
      default:
        return answer(psci.NOT_SUPPORTED);
    }
  };
}

/** SMCCC_ARCH_FEATURES and PSCI_FEATURES: each knows SMCCC_VERSION, and its own half of the functions. */
function supports(queried: bigint, ownFirst: number): number {
  const base = functionOf(Number(queried & 0xffff_ffffn));
  if (base === undefined) return psci.NOT_SUPPORTED;
  const isOwn = base === functionId.SMCCC_VERSION || base >>> 24 === ownFirst >>> 24;
  return isOwn ? psci.SUCCESS : psci.NOT_SUPPORTED;
}

function cpuOn(power: PowerInterface, target: bigint, entryPoint: bigint, contextId: bigint): number | undefined {
  if ((target & ~affinityFields) !== 0n) return psci.INVALID_PARAMETERS;
  if ((entryPoint & 3n) !== 0n) return psci.INVALID_ADDRESS;
  return power.cpuOn(target, entryPoint, contextId);
}

/** Everything above affinity level 0 is always on. */
function affinityInfo(power: PowerInterface, target: bigint, lowestLevel: bigint): number | undefined {
  if ((target & ~affinityFields) !== 0n || lowestLevel > 3n) return psci.INVALID_PARAMETERS;
  return lowestLevel === 0n ? power.affinityInfo(target) : affinityState.ON;
}
