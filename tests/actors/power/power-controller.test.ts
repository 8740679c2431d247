import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affinityInfo, powerMessages, psciStatus } from '../../../actors/power/messages.ts';
import { PowerController } from '../../../actors/power/power-controller.ts';
import { FakePort } from '../uart/bench.ts';

const affinities = [0x000, 0x001, 0x002, 0x100, 0x101];
const cores = affinities.map((_, pe) => 100 + pe);

function make(): {
  controller: PowerController;
  port: FakePort;
  events: string[];
  say: (pe: number, code: number, payload?: readonly number[]) => void;
  ask: (pe: number, code: number, payload: readonly number[]) => number;
} {
  const port = new FakePort();
  const events: string[] = [];
  const controller = new PowerController(port, {
    cores,
    affinities,
    bootCores: [0],
    sink: { systemOff: () => events.push('off'), systemReset: () => events.push('reset') },
  });
  const say = (pe: number, code: number, payload: readonly number[] = []): void =>
    controller.receive({ code, source: cores[pe]!, target: 7, sequence: 0, dueTicks: 0, payload });
  return {
    controller,
    port,
    events,
    say,
    ask: (pe, code, payload) => {
      const before = port.sent.length;
      say(pe, code, [77, ...payload]);
      const [tag, status = -1] = port.sent
        .slice(before)
        .find(({ code: c }) => c === powerMessages.PsciResponse.code)!.payload;
      expect(tag).toBe(77);
      return status | 0;
    },
  };
}

const on = (mpidr: number): number[] => [mpidr, 0, 0x4000_0000, 1, 0xabc, 2];

describe('the power controller', () => {
  it('boots the target of CPU_ON with its entry point and context', () => {
    const { ask, port } = make();
    expect(ask(0, powerMessages.CPU_ON.code, on(0x101))).toBe(psciStatus.SUCCESS);
    expect(port.sent.find(({ code }) => code === powerMessages.Boot.code)).toEqual({
      target: cores[4],
      code: powerMessages.Boot.code,
      payload: [0x4000_0000, 1, 0xabc, 2],
    });
  });

  it('tells ON_PENDING until the core has booted, and ALREADY_ON afterwards', () => {
    const { ask, say } = make();
    const state = (): number => ask(0, powerMessages.AFFINITY_INFO.code, [1, 0, 0]);
    expect(state()).toBe(affinityInfo.OFF);
    ask(0, powerMessages.CPU_ON.code, on(1));
    expect([state(), ask(0, powerMessages.CPU_ON.code, on(1))]).toEqual([
      affinityInfo.ON_PENDING,
      psciStatus.ON_PENDING,
    ]);
    say(1, powerMessages.Booted.code);
    expect([state(), ask(0, powerMessages.CPU_ON.code, on(1))]).toEqual([affinityInfo.ON, psciStatus.ALREADY_ON]);
    expect(ask(1, powerMessages.CPU_ON.code, on(0))).toBe(psciStatus.ALREADY_ON);
  });

  it('lets one of two that start the same core at the same time succeed', () => {
    const { ask, say, port } = make();
    ask(0, powerMessages.CPU_ON.code, on(1));
    say(1, powerMessages.Booted.code);
    expect([ask(0, powerMessages.CPU_ON.code, on(2)), ask(1, powerMessages.CPU_ON.code, on(2))]).toEqual([
      psciStatus.SUCCESS,
      psciStatus.ON_PENDING,
    ]);
    expect(port.sent.filter(({ code, target }) => code === powerMessages.Boot.code && target === cores[2]).length).toBe(
      1,
    );
  });

  it('starts a core again that has called CPU_OFF', () => {
    const { ask, say } = make();
    ask(0, powerMessages.CPU_ON.code, on(1));
    say(1, powerMessages.Booted.code);
    say(1, powerMessages.CPU_OFF.code);
    expect(ask(0, powerMessages.AFFINITY_INFO.code, [1, 0, 0])).toBe(affinityInfo.OFF);
    expect(ask(0, powerMessages.CPU_ON.code, on(1))).toBe(psciStatus.SUCCESS);
  });

  it('refuses a target that does not exist, and an affinity level above 3', () => {
    const { ask } = make();
    for (const target of [5, 0x8000_0001]) {
      expect(ask(0, powerMessages.CPU_ON.code, on(target))).toBe(psciStatus.INVALID_PARAMETERS);
    }
    expect(ask(0, powerMessages.CPU_ON.code, [1, 1, 0, 0, 0, 0])).toBe(psciStatus.INVALID_PARAMETERS);
    expect(ask(0, powerMessages.AFFINITY_INFO.code, [9, 0, 0])).toBe(psciStatus.INVALID_PARAMETERS);
    expect(ask(0, powerMessages.AFFINITY_INFO.code, [0, 0, 4])).toBe(psciStatus.INVALID_PARAMETERS);
    expect(ask(0, powerMessages.AFFINITY_INFO.code, [0x500, 0, 1])).toBe(psciStatus.INVALID_PARAMETERS);
  });

  it('calls a cluster on when one of its cores is', () => {
    const { ask, say } = make();
    const cluster = (mpidr: number): number => ask(0, powerMessages.AFFINITY_INFO.code, [mpidr, 0, 1]);
    expect([cluster(0), cluster(0x100)]).toEqual([affinityInfo.ON, affinityInfo.OFF]);
    ask(0, powerMessages.CPU_ON.code, on(0x101));
    expect(cluster(0x100)).toBe(affinityInfo.ON_PENDING);
    say(4, powerMessages.Booted.code);
    expect(cluster(0x1ff)).toBe(affinityInfo.ON);
  });

  it('a suspended core is on', () => {
    const { ask, say, controller } = make();
    expect(ask(0, powerMessages.CPU_SUSPEND.code, [0, 0, 0, 0, 0])).toBe(psciStatus.SUCCESS);
    expect(controller.stateOf(0)).toBe('suspended');
    ask(0, powerMessages.AFFINITY_INFO.code, [0, 0, 0]);
    say(0, powerMessages.CPU_RESUMED.code);
    expect(controller.stateOf(0)).toBe('on');
  });

  it('ends and resets the machine', () => {
    const { say, events } = make();
    say(0, powerMessages.SYSTEM_RESET.code);
    say(0, powerMessages.SYSTEM_OFF.code);
    expect(events).toEqual(['reset', 'off']);
  });

  it('of any number of CPU_ON for one core exactly one succeeds each time it is off', () => {
    const step = fc.tuple(fc.nat(3), fc.nat(4));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { ask, say, controller, port } = make();
        let successes = 0;
        for (const [kind, pe] of steps) {
          const state = controller.stateOf(pe);
          if (kind <= 1) {
            const status = ask(0, powerMessages.CPU_ON.code, on(affinities[pe]!));
            expect(status === psciStatus.SUCCESS).toBe(state === 'off');
            if (status === psciStatus.SUCCESS) successes++;
          } else if (kind === 2 && state === 'onPending') say(pe, powerMessages.Booted.code);
          else if (kind === 3 && state === 'on' && pe !== 0) say(pe, powerMessages.CPU_OFF.code);
        }
        expect(port.sent.filter(({ code }) => code === powerMessages.Boot.code).length).toBe(successes);
      }),
      { numRuns: 200, seed: 13 },
    );
  });

  it('survives save and restore', () => {
    const { ask, controller } = make();
    ask(0, powerMessages.CPU_ON.code, on(1));
    const copy = make();
    copy.controller.restore(structuredClone(controller.save()));
    expect(copy.controller.save()).toEqual(controller.save());
    expect(copy.controller.stateOf(1)).toBe('onPending');
  });
});
