// The power controller: knows which cores are on, starts them, and ends or resets the machine (Arm DEN 0022). It decides the
// races between cores: whoever's message arrives first. Power states below "off" (retention, cluster states) cost nothing here
// and are accepted as standby.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { coreLifecycle, type CoreEvent, type CoreState } from '../core/lifecycle.ts';
import { assert } from '../../src/report/assert.ts';
import { affinityInfo, powerMessages, psciStatus } from './messages.ts';

/** What becomes of the machine; given by whoever runs it. */
export interface MachineSink {
  systemOff(): void;
  systemReset(): void;
}

export interface PowerControllerOptions {
  /** The cores by PE number. */
  readonly cores: readonly ActorId[];
  /** MPIDR_EL1 affinities by PE number, packed as Aff3.Aff2.Aff1.Aff0. */
  readonly affinities: readonly number[];
  /** PE numbers of the cores that run from reset; the others are off. */
  readonly bootCores: readonly number[];
  readonly sink: MachineSink;
}

interface SavedPowerController {
  readonly version: 1;
  readonly states: readonly CoreState[];
}

/** The affinity fields of MPIDR_EL1: Aff3 in the high word, Aff2 to Aff0 in the low one. */
const affinityLowMask = 0x00ff_ffff;
const affinityHighMask = 0xff;

export class PowerController implements Actor {
  private readonly port: Port;
  private readonly options: PowerControllerOptions;
  private readonly peOfCore: ReadonlyMap<ActorId, number>;
  private readonly peOfAffinity: ReadonlyMap<number, number>;
  private states: CoreState[];

  constructor(port: Port, options: PowerControllerOptions) {
    this.port = port;
    this.options = options;
    this.peOfCore = new Map(options.cores.map((core, pe) => [core, pe]));
    this.peOfAffinity = new Map(options.affinities.map((affinity, pe) => [affinity >>> 0, pe]));
    this.states = options.cores.map((_, pe) => (options.bootCores.includes(pe) ? 'on' : 'off'));
  }

  receive(message: Message): void {
    const { code, source, payload } = message;
    const [tag = 0, first = 0, second = 0] = payload;
    const pe = this.peOfCore.get(source);
    assert(pe !== undefined, 'only cores speak to the power controller');
    switch (code) {
      case powerMessages.CPU_ON.code:
        this.respond(source, tag, this.cpuOn(first, second, payload.slice(3, 7)));
        break;
      case powerMessages.CPU_OFF.code:
        this.advance(pe, 'CPU_OFF');
        break;
      case powerMessages.AFFINITY_INFO.code:
        this.respond(source, tag, this.affinityInfo(first, second, payload[3] ?? 0));
        break;
      case powerMessages.CPU_SUSPEND.code:
        this.advance(pe, 'SUSPEND');
        this.respond(source, tag, psciStatus.SUCCESS);
        break;
      case powerMessages.CPU_RESUMED.code:
        this.advance(pe, 'WAKE');
        break;
      case powerMessages.Booted.code:
        this.advance(pe, 'BOOTED');
        break;
      case powerMessages.SYSTEM_OFF.code:
        this.options.sink.systemOff();
        break;
      case powerMessages.SYSTEM_RESET.code:
        this.options.sink.systemReset();
        break;
    }
  }

  timer(): void {}

  /** The state of a core, by PE number. */
  stateOf(pe: number): CoreState | undefined {
    return this.states[pe];
  }

  private cpuOn(targetLow: number, targetHigh: number, bootFields: readonly number[]): number {
    const pe = this.peAt(targetLow, targetHigh);
    if (pe === undefined) return psciStatus.INVALID_PARAMETERS;
    const state = this.states[pe];
    if (state === 'onPending') return psciStatus.ON_PENDING;
    if (state !== 'off') return psciStatus.ALREADY_ON;
    this.advance(pe, 'CPU_ON');
    this.port.send(this.options.cores[pe]!, powerMessages.Boot.code, bootFields);
    return psciStatus.SUCCESS;
  }

  /** A level above 0 is on when any of its cores is, and pending when any is pending and none is on. */
  private affinityInfo(targetLow: number, targetHigh: number, level: number): number {
    if (level > 3) return psciStatus.INVALID_PARAMETERS;
    if (level === 0 && this.peAt(targetLow, targetHigh) === undefined) return psciStatus.INVALID_PARAMETERS;
    const target = packAffinity(targetLow, targetHigh);
    const inside = this.states.filter((_, pe) => sameAffinityFrom(this.options.affinities[pe]!, target, level));
    if (inside.length === 0) return psciStatus.INVALID_PARAMETERS;
    if (inside.some((state) => state !== 'off' && state !== 'onPending')) return affinityInfo.ON;
    return inside.includes('onPending') ? affinityInfo.ON_PENDING : affinityInfo.OFF;
  }

  private peAt(targetLow: number, targetHigh: number): number | undefined {
    // Bits outside the affinity fields are RES0 in the argument.
    if ((targetLow & ~affinityLowMask) !== 0 || (targetHigh & ~affinityHighMask) !== 0) return undefined;
    return this.peOfAffinity.get(packAffinity(targetLow, targetHigh));
  }

  private advance(pe: number, event: CoreEvent): void {
    const next = coreLifecycle.next(this.states[pe]!, event);
    assert(next !== undefined, `core ${pe} cannot take ${event} while it is ${this.states[pe]!}`);
    this.states[pe] = next;
  }

  private respond(core: ActorId, tag: number, status: number): void {
    this.port.send(core, powerMessages.PsciResponse.code, [tag, status >>> 0]);
  }

  save(): SavedPowerController {
    return { version: 1, states: [...this.states] };
  }

  restore(saved: SavedPowerController): void {
    this.states = [...saved.states];
  }
}

const packAffinity = (low: number, high: number): number =>
  (((high & affinityHighMask) << 24) | (low & affinityLowMask)) >>> 0;

const sameAffinityFrom = (a: number, b: number, level: number): boolean => a >>> (8 * level) === b >>> (8 * level);
