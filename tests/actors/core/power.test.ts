import { describe, expect, it } from 'vitest';
import type { Message, Port } from '../../../actors/actor.ts';
import { powerMessages } from '../../../actors/power/messages.ts';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';
import { coreMachine } from './core-machine.ts';

const { CPU_ON, CPU_OFF, CPU_SUSPEND, CPU_RESUMED, Boot, Booted, PsciResponse, SYSTEM_OFF } = powerMessages;
const end = `
end:    wfi
        b       end
`;
const psci = (id: string, ...args: readonly string[]): string =>
  [
    `ldr x0, =${id}`,
    ...args.map(
      (arg, n) =>
        `${arg.startsWith('=') ? 'ldr' : arg.startsWith('&') ? 'adr' : 'mov'} x${n + 1}, ${arg.replace('&', '')}`,
    ),
    'hvc #0',
  ].join('\n');

/** A controller that starts core 1 and says so, or has nothing to say. */
const controller = ({ code, source, payload }: Message, port: Port): void => {
  if (code === CPU_ON.code) {
    const [tag = 0, , , ...boot] = payload;
    port.send(1, Boot.code, boot);
    port.send(source, PsciResponse.code, [tag, 0], 700);
  } else if (code === CPU_SUSPEND.code) port.send(source, PsciResponse.code, [payload[0] ?? 0, 0]);
};

describe('PSCI', () => {
  it('CPU_ON goes to the power controller and returns its answer; the other core starts where it says', () => {
    const machine = coreMachine(
      `${psci('0xc4000003', '#1', '&second', '=0x123456789a')}
       mov x5, #1
       ${end}
second: mov x6, x0
       mov x7, #1
       wfi`,
      { cores: 2, peer: controller },
    );
    expect(machine.run(1_000_000).end).toBe('deadlock');
    const [first, second] = machine.cores;
    const entry = machine.address('second');
    expect(machine.sent.map(({ atTicks, from, code }) => [atTicks, from, code])).toEqual([
      [4, 0, CPU_ON.code],
      [1004, 1, Booted.code],
    ]);
    expect(machine.sent[0]?.payload.slice(1)).toEqual([1, 0, entry, 0, 0x3456_789a, 0x12]);
    expect([first?.pe.readX(0), first?.pe.readX(5)]).toEqual([0n, 1n]);
    // The call takes its one instruction when the answer has come.
    expect(first?.nowTicks()).toBe(504 + 1200 + 3);
    expect([second?.pe.readX(6), second?.pe.readX(7)]).toEqual([0x12_3456_789an, 1n]);
    expect(second?.state()).toBe('asleep');
    expect(second?.nowTicks()).toBe(1004 + 3);
  });

  it('CPU_OFF stops the core, which may be started again', () => {
    const machine = coreMachine(
      `cbnz x0, again
       ${psci('0x84000002')}
       mov x5, #1
again: mov x6, x0
       wfi`,
      { cores: 1 },
    );
    expect(machine.run(1_000_000).end).toBe('deadlock');
    const core = machine.cores[0];
    expect(machine.sent.map(({ code }) => code)).toEqual([CPU_OFF.code]);
    expect(core?.state()).toBe('off');
    machine.portOf(machine.ids.power).send(0, Boot.code, [machine.address('again'), 0, 9, 0], 5000);
    machine.run(1_000_000);
    expect([core?.pe.readX(5), core?.pe.readX(6)]).toEqual([0n, 9n]);
    expect(core?.state()).toBe('asleep');
  });

  it('CPU_SUSPEND waits until an interrupt is pending, and returns SUCCESS', () => {
    const machine = coreMachine(
      `mov x1, #0xff
       msr icc_pmr_el1, x1
       mov x1, #1
       msr icc_igrpen1_el1, x1
       ${psci('0xc4000001', '#0', '#0', '#0')}
       mov x5, #1
       ${end}`,
      { peer: controller },
    );
    machine.portOf(1).send(0, streamMessages.Set.code, [40, 0x80, 1, 0], 20_000);
    machine.run(20_000);
    expect(machine.cores[0]?.state()).toBe('suspended');
    machine.run(20_502);
    expect(machine.cores[0]?.state()).toBe('on');
    expect([machine.cores[0]?.pe.readX(0), machine.cores[0]?.pe.readX(5)]).toEqual([0n, 1n]);
    expect(machine.sent.filter(({ to }) => to === machine.ids.power).map(({ code }) => code)).toEqual([
      CPU_SUSPEND.code,
      CPU_RESUMED.code,
    ]);
  });

  it('SYSTEM_OFF is the last thing that a core does', () => {
    const machine = coreMachine(`${psci('0x84000008')}\n mov x5, #1\n ${end}`);
    expect(machine.run(1_000_000).end).toBe('deadlock');
    expect(machine.sent.map(({ code }) => code)).toEqual([SYSTEM_OFF.code]);
    expect(machine.cores[0]?.pe.readX(5)).toBe(0n);
    expect(machine.cores[0]?.isRunnable()).toBe(false);
  });
});
