// An exception whose handler's first instruction raises the exception that leads to it again goes on for ever: nothing that the guest
// can do ends it.

import type { Pe } from '../../src/arch/pe.ts';

/** An exception that leads to the same exception at the same place so many times leads nowhere else. */
const loopLimit = 64;

export interface ExceptionLoop {
  /** The engine has stopped for an exception; `isSamePlace`: its handler's first instruction has faulted into the same handler. */
  isEndless(isSamePlace: boolean): boolean;
  reset(): void;
}

export function makeExceptionLoop(): ExceptionLoop {
  let samePlace = 0;
  return {
    isEndless: (isSamePlace) => {
      samePlace = isSamePlace ? samePlace + 1 : 0;
      return samePlace >= loopLimit;
    },
    reset: () => {
      samePlace = 0;
    },
  };
}

export function loopSentence(index: number, pe: Pe, pc: bigint): string {
  const el = pe.currentEl();
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const esr = pe.readRegister(`ESR_EL${el}`);
  return (
    `core ${index} takes exceptions for ever: its EL${el} vector at ${hex(pc)} raises the exception that leads to it ` +
    `(ESR_EL${el} ${hex(esr)}, FAR_EL${el} ${hex(pe.readRegister(`FAR_EL${el}`))})`
  );
}
