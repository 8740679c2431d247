import { describe, expect, it } from 'vitest';
import type { Message, Port } from '../../../actors/actor.ts';
import { busMessages, busResponse } from '../../../actors/bus/messages.ts';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';
import { type CoreMachine, coreMachine, type CoreMachineOptions } from './core-machine.ts';

const { ReadRequest, ReadResponse, WriteRequest, WriteResponse } = busMessages;

/** Vectors that leave ESR in X20 and count what has been taken in X21 (synchronous) and X22 (IRQ). */
const vectors = `
wait:   wfi
        b       wait
        .align  11
vectors: .space 0x200
        mrs     x20, esr_el1
        add     x21, x21, #1
        mrs     x23, elr_el1
        add     x23, x23, #4
        msr     elr_el1, x23
        eret
        .align  7
        mrs     x24, icc_iar1_el1
        add     x22, x22, #1
        msr     icc_eoir1_el1, x24
        eret
        .space  0x800
`;
const start = `
        adr     x9, vectors
        msr     vbar_el1, x9
        mov     x10, #0x09000000
`;

/** A device that answers with OKAY and a value of the address, after 200 ticks. */
const echo = ({ code, source, payload }: Message, port: Port): void => {
  const [offset = 0, , tag = 0] = payload;
  if (code === ReadRequest.code) {
    port.send(source, ReadResponse.code, [busResponse.OKAY, tag, 0x8000_0000 + offset, 0x1111_1111], 200);
  } else if (code === WriteRequest.code) port.send(source, WriteResponse.code, [busResponse.OKAY, tag], 200);
};
const run = (program: string, options: CoreMachineOptions = {}): CoreMachine => {
  const machine = coreMachine(start + program + vectors, { peer: echo, ...options });
  expect(machine.run(10_000_000).end).toBe('deadlock');
  return machine;
};
const x = (machine: CoreMachine, n: number): bigint => machine.cores[0]?.pe.readX(n) ?? -1n;

describe.each(['step', 'translate'] as const)('an access outside RAM (%s)', (mode) => {
  it('leaves the core as a request, and the instruction runs again with the answer', () => {
    const machine = run('ldr w1, [x10, #8]\n add x2, x1, #1\n', { mode });
    expect(machine.sent).toEqual([
      { atTicks: 3, from: 0, to: machine.ids.device, code: ReadRequest.code, payload: [8, 4, 0, 1] },
    ]);
    expect([x(machine, 1), x(machine, 2)]).toEqual([0x8000_0008n, 0x8000_0009n]);
    // Three instructions, the load after 500 + 700 ticks, the addition and WFI.
    expect(machine.cores[0]?.instructions()).toBe(6);
    expect(machine.cores[0]?.nowTicks()).toBe(3 + 1200 + 3);
  });

  it('of 64 bits travels whole, a narrow one with its size', () => {
    const machine = run(
      `mov x1, #0x5566
       movk x1, #0x1122, lsl #48
       str x1, [x10, #0x10]
       strb w1, [x10, #3]
       ldr x2, [x10, #0x18]
       ldrsh x3, [x10, #2]`,
      { mode },
    );
    expect(machine.sent.map(({ code, payload }) => [code, ...payload])).toEqual([
      [WriteRequest.code, 0x10, 8, 0, 0x5566, 0x1122_0000, 1],
      [WriteRequest.code, 3, 1, 0, 0x66, 0, 1],
      [ReadRequest.code, 0x18, 8, 0, 1],
      [ReadRequest.code, 2, 2, 0, 1],
    ]);
    expect([x(machine, 2), x(machine, 3)]).toEqual([0x1111_1111_8000_0018n, 2n]);
  });

  it('of a pair is two requests, each made once', () => {
    const machine = run('ldp x1, x2, [x10, #0x20]\n ldp x3, x4, [x10, #0x20]', { mode });
    expect(machine.sent.map(({ payload }) => payload[0])).toEqual([0x20, 0x28, 0x20, 0x28]);
    expect([x(machine, 1), x(machine, 2)]).toEqual([0x1111_1111_8000_0020n, 0x1111_1111_8000_0028n]);
  });

  it('where nothing answers is an external abort', () => {
    const machine = run('mov x1, #7\n mov x11, #0x0a000000\n ldr x1, [x11]\n str x1, [x11]', { mode });
    expect(machine.sent).toEqual([]);
    expect(x(machine, 1)).toBe(7n);
    expect(x(machine, 21)).toBe(2n);
    // Data Abort from the same level, ISV 0, WnR for the store, DFSC 0b010000.
    expect(x(machine, 20)).toBe(0x9600_0050n);
  });

  it.each([busResponse.SLVERR, busResponse.DECERR])('that is answered with error %d is an external abort', (error) => {
    const refuse = ({ code, source, payload }: Message, port: Port): void => {
      if (code === ReadRequest.code) port.send(source, ReadResponse.code, [error, payload[2] ?? 0, 9, 9]);
    };
    const machine = run('mov x1, #7\n ldr x1, [x10]', { mode, peer: refuse });
    expect([x(machine, 1), x(machine, 20), x(machine, 21)]).toEqual([7n, 0x9600_0010n, 1n]);
  });

  it('has its answer before an interrupt that came while it waited', () => {
    const machine = coreMachine(
      `${start}
        mov     x1, #0xff
        msr     icc_pmr_el1, x1
        mov     x1, #1
        msr     icc_igrpen1_el1, x1
        msr     daifclr, #2
        ldr     w1, [x10, #4]
        add     x2, x1, #1
        ${vectors}`,
      { mode, peer: echo },
    );
    // Due at 1,000, while the load waits.
    machine.portOf(machine.ids.redistributors[0] ?? -1).send(0, streamMessages.Set.code, [40, 0x80, 1, 0], 500);
    machine.run(10_000_000);
    expect(machine.sent.filter(({ code }) => code === ReadRequest.code)).toHaveLength(1);
    expect([x(machine, 1), x(machine, 2), x(machine, 22), x(machine, 24)]).toEqual([
      0x8000_0004n,
      0x8000_0005n,
      1n,
      40n,
    ]);
  });
});
