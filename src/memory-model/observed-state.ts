// The registers of a thread under the eyes of an observer: the state of the trace reading, each read and write of which is told.

import type { FlagName } from '../isa/semantics.ts';
import type { TraceState } from '../engine/trace-state.ts';
import type { RegisterObserver } from './program.ts';

/** `state`, whose registers and flags are read and written through `observer`; PC and control dependencies stay its own. */
export function observedState(state: TraceState, observer: RegisterObserver): TraceState {
  return {
    readX: (n) => observer.read(`X${n}`, state.readX(n)),
    writeX: (n, value) => state.writeX(n, observer.write(`X${n}`, value)),
    readSP: () => observer.read('SP', state.readSP()),
    writeSP: (value) => state.writeSP(observer.write('SP', value)),
    readV: (n) => observer.read(`V${n}`, state.readV(n)),
    writeV: (n, value) => state.writeV(n, observer.write(`V${n}`, value)),
    readFlag: (name: FlagName) => observer.read(name, state.readFlag(name)),
    writeFlag: (name, value) => state.writeFlag(name, observer.write(name, value)),
    get pc() {
      return state.pc;
    },
    set pc(value) {
      state.pc = value;
    },
    get control() {
      return state.control;
    },
    set control(value) {
      state.control = value;
    },
    checksSPAlignment: state.checksSPAlignment,
    trapsFP: state.trapsFP,
    pointerControl: state.pointerControl,
  };
}
