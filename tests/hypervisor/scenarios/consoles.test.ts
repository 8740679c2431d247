import { describe, expect, it } from 'vitest';
import { type FileSystem, runFile } from '../file-system.ts';
import { enableInterrupt, gicOn, kernel, note, pause, takeInterrupt } from '../kernels.ts';
import { kernelIpa } from '../system.ts';
import {
  awaitUsed,
  type Descriptor,
  flag,
  listen,
  noteDeviceStatus,
  offer,
  openPair,
  pokeBytes,
  receive,
  receivedIpa,
  sentIpa,
  transmit,
  usedOf,
} from '../virtio-kernels.ts';

const consoleIntid = 48;
const bufferBytes = 16;

const open = openPair;
const send = (part: Descriptor): string => [offer(transmit, [part]), awaitUsed(transmit, 1)].join('\n');
const say = (text: string): string => {
  const bytes = [...new TextEncoder().encode(text)];
  return [pokeBytes(sentIpa, bytes), send({ address: sentIpa, bytes: bytes.length, flags: 0 })].join('\n');
};

const peerOf = (other: string): string => `[{type: virtio-console, peer: ${other}}]`;

/** A management VM and a guest, whose consoles are each other's other end. */
function pair(mvm: string, guest: string, maxTicks = 2_000_000): FileSystem {
  const memory = '{at: 0x80000000, size: 2M}';
  return runFile(
    `
mvm: {memory: ${memory}, kernel: mvm, console: none, devices: ${peerOf('guest')}}
vms:
  - {name: guest, boot: power-on, memory: ${memory}, kernel: guest, console: none, devices: ${peerOf('mvm')}}
`,
    { sources: { mvm, guest }, maxTicks },
  );
}

const receivedBy = (system: FileSystem, name: string): { index: number; text: string } => {
  const used = new DataView(system.bytes(name, usedOf(receive), 0x100).buffer);
  const index = used.getUint16(2, true);
  const lengths = Array.from({ length: index }, (_, n) => used.getUint32(4 + 8 * n + 4, true));
  const text = lengths.map((length, n) =>
    new TextDecoder().decode(system.bytes(name, receivedIpa + bufferBytes * n, length)),
  );
  return { index, text: text.join('') };
};
const figures = (system: FileSystem, name: string) => system.devices.find(({ vm }) => vm === name);

describe('scenario 22: a pair of consoles', () => {
  it('what a guest writes arrives in the receive queue of the management VM, with an interrupt', () => {
    const system = pair(
      kernel(gicOn(), enableInterrupt(consoleIntid), open, listen(2, bufferBytes), '1: wfi', takeInterrupt, 'b .'),
      kernel(pause(20_000), open, say('ok'), note('x19'), 'b .'),
    );
    expect(receivedBy(system, 'mvm')).toEqual({ index: 1, text: 'ok' });
    expect(new BigUint64Array(system.bytes('mvm', kernelIpa + 0x1_0000, 8).buffer)[0]).toBe(BigInt(consoleIntid));
    expect(figures(system, 'guest')).toMatchObject({ bytesOut: 2, dropped: 0 });
    expect(figures(system, 'mvm')).toMatchObject({ bytesIn: 2, dropped: 0 });
  });

  it('works in both directions, and cuts a text into as many buffers as it takes', () => {
    const text = 'a text that is longer than a buffer';
    const system = pair(
      kernel(open, listen(4, bufferBytes), pause(30_000), say('go on'), 'b .'),
      kernel(open, listen(4, bufferBytes), pause(30_000), say(text), 'b .'),
    );
    expect(receivedBy(system, 'mvm')).toEqual({ index: 3, text });
    expect(receivedBy(system, 'guest')).toEqual({ index: 1, text: 'go on' });
  });

  it('what is written to a peer that has not activated its console is dropped and counted; the writer sees no error', () => {
    const system = pair(
      kernel(pause(100_000), open, listen(4, bufferBytes), 'b .'),
      kernel(open, say('nobody hears this'), noteDeviceStatus, 'b .'),
    );
    expect(receivedBy(system, 'mvm')).toEqual({ index: 0, text: '' });
    expect(new BigUint64Array(system.bytes('guest', kernelIpa + 0x1_0000, 8).buffer)[0]).toBe(15n);
    expect(figures(system, 'mvm')).toMatchObject({ bytesIn: 0, dropped: 17 });
  });

  it('what is written to a peer that has given no buffer waits for one', () => {
    const system = pair(
      kernel(open, pause(100_000), listen(4, bufferBytes), 'b .'),
      kernel(pause(20_000), open, say('patience'), 'b .'),
    );
    expect(receivedBy(system, 'mvm')).toEqual({ index: 1, text: 'patience' });
  });

  it.each([
    ['outside RAM', { address: 0x4000_0000, bytes: 16, flags: 0 }],
    ['that loops', { address: sentIpa, bytes: 16, flags: flag.NEXT, next: 0 }],
    ['of nearly 4 GiB', { address: sentIpa, bytes: 0xffff_fff0, flags: 0 }],
  ])('a buffer %s breaks the console of the writer, and not that of its peer', (_what, part) => {
    const system = pair(
      kernel(open, listen(2, bufferBytes), 'b .'),
      kernel(pause(20_000), open, offer(transmit, [part]), pause(20_000), noteDeviceStatus, open, say('again'), 'b .'),
    );
    const [status = 0n] = new BigUint64Array(system.bytes('guest', kernelIpa + 0x1_0000, 8).buffer);
    expect(status & 64n).toBe(64n);
    expect(receivedBy(system, 'mvm')).toEqual({ index: 1, text: 'again' });
  });

  it('joins real programs: the console of a guest shows on that of the management VM, which types to it', () => {
    const system = runFile(
      `
mvm:
  memory: 16M
  devices: [{type: virtio-console, peer: guest}]
vms:
  - name: guest
    memory: 16M
    console: none
    devices: [{type: virtio-console, peer: mvm}]
    bootargs: console=virtio tests=console hear=2
commands: [wait 5, type 0 hello there, type 0 and goodbye, wait 5, exit]
`,
      { maxTicks: 60_000_000 },
    );
    const lines = system.console('mvm').split('\n');
    expect(lines).toContain('hvc0| minikernel: over a virtio console');
    expect(lines).toContain('hvc0| console: heard "hello there"');
    expect(lines).toContain('hvc0| console: heard "and goodbye"');
    expect(lines).toContain('hvc0| minikernel: done');
    expect(system.console('guest')).toBe('');
  }, 60_000);
});
