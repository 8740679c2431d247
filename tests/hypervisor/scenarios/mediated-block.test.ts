import { describe, expect, it } from 'vitest';
import {
  answer,
  ask,
  awaitRequest,
  awaitUsed,
  cacheIpa,
  dataIpa,
  dataStride,
  describe as describeEntry,
  fail,
  FLUSH,
  type GuestRequest,
  IN,
  listen,
  makeAvailable,
  messagePageIpa,
  noteDeviceStatus,
  noteRegister,
  noteRequest,
  notesOf,
  noteStatuses,
  offerDisk,
  offerHead,
  openDevice,
  OUT,
  pageIpa,
  serve,
  statusIpa,
  usedIpa,
  writeRegister,
} from '../block-kernels.ts';
import { type FileSystem, runFile } from '../file-system.ts';
import { enableInterrupt, gicOn, hvc, kernel, note, pause, psci, takeInterrupt } from '../kernels.ts';
import { diskState } from '../../../src/hypervisor/mediated/state.ts';
import { kernelIpa } from '../system.ts';
import { poke, transport } from '../virtio-kernels.ts';

const allOnes = 2n ** 64n - 1n;
const [OK, IOERR, UNSUPP] = [0, 1, 2];
const needsReset = 64;

interface Guest {
  readonly name: string;
  readonly source: string;
  readonly device?: string;
}

interface Options {
  readonly quirks?: readonly string[];
  readonly patience?: string;
  readonly maxTicks?: number;
}

/** A management VM and guests, each alone on a core, with one mediated device each: 4,096 sectors from sector 2,048 of its first disk on. */
function run(
  mvm: string,
  guests: readonly Guest[],
  { quirks = [], patience = '1s', maxTicks = 3_000_000 }: Options = {},
): FileSystem {
  const memory = '{at: 0x80000000, size: 2M}';
  const text = `
board: {cores: 4}
rhyper: {quirks: [${quirks.join(', ')}], block-patience: ${patience}}
disks: {d: {size: 4M}, e: {size: 4M}}
mvm: {memory: ${memory}, kernel: mvm, cpus: {cores: [0]}}
vms:
${guests
  .map(
    ({ name, device = 'disk: d, first-sector: 2048, sectors: 4096' }, n) => `  - name: ${name}
    boot: power-on
    memory: ${memory}
    kernel: ${name}
    cpus: {cores: [${n + 1}]}
    devices: [{type: mediated-block, ${device}}]`,
  )
  .join('\n')}
`;
  const sources = Object.fromEntries(guests.map(({ name, source }) => [name, source]));
  return runFile(text, { sources: { mvm, ...sources }, maxTicks });
}

const read8: GuestRequest = { type: IN, sector: 100, bytes: 8 * 512 };
const asks = (...requests: GuestRequest[]): string =>
  kernel(openDevice(), ask(requests), awaitUsed(requests.length), noteStatuses(requests.length), 'b .');
const mvm = (...parts: readonly string[]): string => kernel(listen, offerDisk(0), note(), ...parts, 'b .');
const statuses = (system: FileSystem, name: string, count: number): number[] => notesOf(system.bytes, name, count);
const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer).getUint32(at, true);

describe('scenario 20: mediated block', () => {
  it('a read becomes a request of the management VM, whose answer ends in the guest’s buffer with an interrupt', () => {
    const blockIntid = 48;
    const notification = 64;
    const guest = kernel(
      gicOn(),
      enableInterrupt(blockIntid),
      openDevice(),
      ask([read8]),
      '1: wfi',
      takeInterrupt,
      noteStatuses(1),
      'b .',
    );
    const system = run(
      mvm(
        gicOn(),
        enableInterrupt(notification),
        awaitRequest(0, 1),
        'wfi',
        takeInterrupt,
        noteRequest(0),
        poke(cacheIpa(0), 0x1234_5678),
        poke(cacheIpa(0) + 8 * 512 - 4, 0x9abc_def0),
        answer(0),
        note(),
      ),
      [{ name: 'guest', source: guest }],
    );
    expect(notesOf(system.bytes, 'mvm', 6)).toEqual([0, notification, IN, 2148, 8, 0]);
    const message = new BigUint64Array(system.bytes('mvm', messagePageIpa, 16).buffer);
    expect([...message]).toEqual([3n, 0x32n]);
    expect(notesOf(system.bytes, 'guest', 2)).toEqual([blockIntid, OK]);
    const used = system.bytes('guest', usedIpa, 12);
    expect([word(used, 0) >>> 16, word(used, 4), word(used, 8)]).toEqual([1, 0, 8 * 512 + 1]);
    const data = system.bytes('guest', dataIpa, 8 * 512);
    expect([word(data, 0), word(data, 8 * 512 - 4)]).toEqual([0x1234_5678, 0x9abc_def0]);
  });

  it('data of a write are in the cache before the management VM hears of it', () => {
    const guest = kernel(
      openDevice(),
      poke(dataIpa, 0x5566_7788),
      ask([{ type: OUT, sector: 3, bytes: 1024 }]),
      awaitUsed(1),
      noteStatuses(1),
      'b .',
    );
    const copied = `ldr x9, =${cacheIpa(0)}\nldr w0, [x9]\n${note()}`;
    const system = run(mvm(awaitRequest(0, 1), noteRequest(0), copied, answer(0)), [{ name: 'guest', source: guest }]);
    expect(notesOf(system.bytes, 'mvm', 5)).toEqual([0, OUT, 2051, 2, 0x5566_7788]);
    expect(statuses(system, 'guest', 1)).toEqual([OK]);
  });

  it('what is beyond the configured sectors is an error, told on the console, and no request', () => {
    const guest = asks(
      { type: IN, sector: 4095, bytes: 1024 },
      { type: OUT, sector: 4096, bytes: 512 },
      { type: IN, sector: 0, bytes: 100 },
    );
    const system = run(mvm(pause(1_000_000), awaitRequest(0, 0), noteRequest(0)), [{ name: 'guest', source: guest }]);
    expect(statuses(system, 'guest', 3)).toEqual([IOERR, IOERR, IOERR]);
    expect(system.console('rhyper')).toContain('1024 bytes at sector 4095 are out of its range');
    expect(system.state.disks[0]?.requests).toBe(0n);
  });

  it('requests of two VMs on one disk alternate', () => {
    const three = (base: number): string => asks(...[0, 1, 2].map((n) => ({ type: IN, sector: base + n, bytes: 512 })));
    const system = run(mvm(pause(400_000), serve(0, 1, 6)), [
      { name: 'one', source: three(0) },
      { name: 'two', source: three(1000) },
    ]);
    const order = notesOf(system.bytes, 'mvm', 7).slice(1);
    expect([...order].sort((a, b) => a - b)).toEqual([2048, 2049, 2050, 3048, 3049, 3050]);
    // One was asked first; from then on they take turns.
    expect(order.map((sector) => (sector < 3000 ? 'one' : 'two'))).toEqual(['one', 'two', 'one', 'two', 'one', 'two']);
    expect([...statuses(system, 'one', 3), ...statuses(system, 'two', 3)]).toEqual([OK, OK, OK, OK, OK, OK]);
  });

  it.each([
    ['are under way at the same time', [], [1n, 1n]],
    ['wait for each other, as-is', ['one-block-request'], [1n, 0n]],
  ])('requests on two disks %s', (_what, quirks, expected) => {
    const on = (disk: string): string => `disk: ${disk}`;
    const system = run(
      mvm(offerDisk(1), note()),
      [
        { name: 'one', source: asks(read8), device: on('d') },
        { name: 'two', source: asks(read8), device: on('e') },
      ],
      { quirks },
    );
    const counts = system.state.disks.slice(0, 2).map(({ requests }) => requests);
    expect(counts.sort((a, b) => Number(b - a))).toEqual(expected);
  });

  it.each([
    ['the status is written after the I/O', [], 0xff, IOERR],
    ['the status is OK before the I/O and stays so, as-is', ['block-status-early'], OK, OK],
  ])('%s', (_what, quirks, during, after) => {
    const request = { type: OUT, sector: 0, bytes: 512 };
    const guest = kernel(openDevice(), ask([request]), 'b .');
    const waiting = run(mvm(), [{ name: 'guest', source: guest }], { quirks });
    expect(waiting.state.disks[0]?.state).toBe(diskState.busy);
    expect(waiting.bytes('guest', statusIpa, 1)).toEqual(Uint8Array.of(during));
    const failed = run(mvm(awaitRequest(0, 1), fail(0), answer(0)), [{ name: 'guest', source: asks(request) }], {
      quirks,
    });
    expect(statuses(failed, 'guest', 1)).toEqual([after]);
  });

  it.each([
    ['is a request of its own', [], [OK], [FLUSH, 0, 0]],
    ['is not offered, and not supported, as-is', ['block-no-flush'], [UNSUPP], [0, 0, 0]],
  ])('FLUSH %s', (_what, quirks, expected, request) => {
    const guest = kernel(
      openDevice(0),
      ask([{ type: FLUSH, sector: 0, bytes: 0 }]),
      awaitUsed(1),
      noteStatuses(1),
      writeRegister(transport.deviceFeaturesSelect, 0),
      noteRegister(transport.deviceFeatures),
      'b .',
    );
    const serves = quirks.length === 0 ? [awaitRequest(0, 1), noteRequest(0), answer(0)] : [];
    const system = run(mvm(...serves), [{ name: 'guest', source: guest }], { quirks });
    expect(statuses(system, 'guest', 1)).toEqual(expected);
    expect((notesOf(system.bytes, 'guest', 2)[1]! >>> 9) & 1).toBe(quirks.length === 0 ? 1 : 0);
    expect(notesOf(system.bytes, 'mvm', 4).slice(1)).toEqual(request);
  });

  it('a request that the cache does not hold goes in pieces', () => {
    const system = run(
      kernel(
        listen,
        offerDisk(0, 1536),
        ...[1, 2, 3].flatMap((n) => [awaitRequest(0, n), noteRequest(0), poke(cacheIpa(0), n), answer(0)]),
        'b .',
      ),
      [{ name: 'guest', source: asks(read8) }],
    );
    expect(notesOf(system.bytes, 'mvm', 9)).toEqual([IN, 2148, 3, IN, 2151, 3, IN, 2154, 2]);
    const data = system.bytes('guest', dataIpa, 8 * 512);
    expect([0, 1536, 3072].map((at) => word(data, at))).toEqual([1, 2, 3]);
    expect(statuses(system, 'guest', 1)).toEqual([OK]);
  });
});

describe('the service of block requests', () => {
  it.each([
    ['has crashed', `ldr x9, =0x700000000\nldr x0, [x9]`, 'VM 0 (mvm) is stopped: vCPU 0'],
    ['is off', psci.systemOff, 'VM 0 (mvm) is off'],
  ])('fails the requests of all guests when the management VM %s', (_what, end, line) => {
    const guest = kernel(
      openDevice(),
      ask([read8]),
      awaitUsed(1),
      ask([read8], 1),
      awaitUsed(2),
      noteStatuses(2),
      'b .',
    );
    const system = run(mvm(awaitRequest(0, 1), end), [{ name: 'guest', source: guest }]);
    expect(system.console('rhyper')).toContain(line);
    expect(statuses(system, 'guest', 2)).toEqual([IOERR, IOERR]);
  });

  describe('of a management VM that lives and does not answer', () => {
    const sleep = (halves: number): string => pause((halves * patienceTicks) / 2);
    const block = 48;
    const patienceTicks = 2_000_000;
    const waitFor = (first: number): string =>
      [ask([read8], first), 'wfi', takeInterrupt, writeRegister(transport.interruptAck, 1)].join('\n');
    const begins = [gicOn(), enableInterrupt(block), openDevice()];
    const one = kernel(
      ...begins,
      waitFor(0),
      waitFor(1),
      sleep(2),
      ask([read8], 2),
      awaitUsed(3),
      noteStatuses(3),
      'b .',
    );
    const two = kernel(...begins, pause(50_000), waitFor(0), noteStatuses(1), 'b .');
    const late = kernel(
      listen,
      offerDisk(0),
      note(),
      gicOn(),
      awaitRequest(0, 1),
      sleep(3),
      poke(cacheIpa(0), 0xdead),
      answer(0),
      note(),
      awaitRequest(0, 2),
      poke(cacheIpa(0), 0x600d),
      answer(0),
      note(),
      'b .',
    );
    const guests = [
      { name: 'one', source: one },
      { name: 'two', source: two },
    ];

    it('fails the requests of the disk after so long, until it has answered after all', () => {
      const system = run(late, guests, { patience: '2ms', maxTicks: 2.5 * patienceTicks });
      expect(notesOf(system.bytes, 'one', 5)).toEqual([block, block, IOERR, IOERR, OK]);
      expect(notesOf(system.bytes, 'two', 2)).toEqual([block, IOERR]);
      expect(notesOf(system.bytes, 'mvm', 3)).toEqual([0, 0, 0]);
      expect(word(system.bytes('one', dataIpa + 2 * dataStride, 4), 0)).toBe(0x600d);
      expect(word(system.bytes('one', dataIpa, 4), 0)).toBe(0);
      expect(
        system.console('rhyper').match(/VM 0 does not answer, which is an I\/O error from now on until it does/g),
      ).toHaveLength(1);
      expect(system.state.cores[0]!.ticks).toBe(0);
      expect(system.register(0, 'CNTHP_CTL_EL2') & 1n).toBe(0n);
    });

    it('holds them as-is', () => {
      const system = run(late, guests, {
        patience: '2ms',
        maxTicks: 1.3 * patienceTicks,
        quirks: ['block-waits-forever'],
      });
      expect(notesOf(system.bytes, 'one', 1)).toEqual([0]);
      expect(system.state.disks[0]!.state).toBe(diskState.busy);
      expect(system.console('rhyper')).not.toContain('does not answer');
    });
  });

  it('waits for a management VM that is still on its way', () => {
    const system = run(kernel(pause(300_000), listen, pause(100_000), offerDisk(0), serve(0, 1, 1), 'b .'), [
      { name: 'guest', source: asks(read8) },
    ]);
    expect(statuses(system, 'guest', 1)).toEqual([OK]);
  });

  it('takes disks and answers from the management VM alone, in its own memory, and one answer for a request', () => {
    const elsewhere = 0x7_0000_0000;
    const guest = kernel(hvc(3, 0x30, 0, pageIpa(0)), note(), hvc(3, 0x31, pageIpa(0)), note(), asks(read8));
    const system = run(
      kernel(
        listen,
        ...[hvc(3, 0x30, 0, elsewhere), hvc(3, 0x30, 0, pageIpa(0) + 8), hvc(3, 0x30, 1, pageIpa(0))].flatMap(
          (call) => [call, note()],
        ),
        // A cache that begins in RAM and ends outside of it.
        poke(pageIpa(1) + 88, 0x1000, 'x'),
        poke(pageIpa(1) + 112, kernelIpa + 0x1f_f800, 'x'),
        hvc(3, 0x30, 0, pageIpa(1)),
        note(),
        offerDisk(0),
        note(),
        offerDisk(0),
        note(),
        answer(0),
        note(),
        awaitRequest(0, 1),
        answer(0),
        note(),
        pause(50_000),
        answer(0),
        note(),
        'b .',
      ),
      [{ name: 'guest', source: guest }],
    );
    const results = [...new BigUint64Array(system.bytes('mvm', kernelIpa + 0x1_0000, 72).buffer)];
    expect(results).toEqual([allOnes, allOnes, allOnes, allOnes, 0n, allOnes, allOnes, 0n, allOnes]);
    expect(system.console('rhyper')).toContain('VM 1: MEDIATED DEV_APPEND is for the management VM');
    expect(system.console('rhyper')).toContain('VM 1: MEDIATED DEV_NOTIFY is for the management VM');
  });

  it('forgets the request of a VM that is removed: its memory stays clear, and the disk is free', () => {
    const remove = hvc(1, 16, 1);
    const system = run(
      mvm(awaitRequest(0, 1), poke(cacheIpa(0), 0x7777_7777), remove, note(), answer(0), note(), pause(50_000)),
      [{ name: 'guest', source: asks(read8) }],
    );
    expect(notesOf(system.bytes, 'mvm', 3)).toEqual([0, 0, 0]);
    expect(system.state.disks[0]).toMatchObject({ state: diskState.free });
    const free = system.state.free[0]!;
    expect(system.memory.bytes.subarray(free.pa, free.pa + free.bytes).every((byte) => byte === 0)).toBe(true);
  });

  it('drops the answer to a request that the driver has forgotten', () => {
    const guest = kernel(
      openDevice(),
      ask([read8]),
      pause(100_000),
      openDevice(),
      poke(usedIpa, 0, 'x'),
      ask([{ ...read8, sector: 200 }]),
      awaitUsed(1),
      noteStatuses(1),
      'b .',
    );
    const system = run(
      mvm(
        awaitRequest(0, 1),
        pause(200_000),
        poke(cacheIpa(0), 0xdead),
        answer(0),
        awaitRequest(0, 2),
        noteRequest(0),
        poke(cacheIpa(0), 0x600d),
        answer(0),
      ),
      [{ name: 'guest', source: guest }],
    );
    expect(notesOf(system.bytes, 'mvm', 4)).toEqual([0, IN, 2248, 8]);
    expect(word(system.bytes('guest', dataIpa, 4), 0)).toBe(0x600d);
    expect(statuses(system, 'guest', 1)).toEqual([OK]);
  });
});

describe('a hostile driver of a mediated block device', () => {
  const good = { address: dataIpa, bytes: 16, flags: 1 };
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['has a buffer outside RAM', [describeEntry(0, { ...good, address: 0x4000_0000 })]],
    ['has a buffer at the end of all addresses', [describeEntry(0, { ...good, address: 2n ** 64n - 8n })]],
    ['has a buffer that leaves RAM', [describeEntry(0, { ...good, address: kernelIpa + 0x1f_fff8 })]],
    ['has a loop', [describeEntry(0, good), describeEntry(1, { ...good, next: 0 })]],
    ['has an index outside the table', [describeEntry(0, { ...good, next: 999 })]],
    ['has a length of 4 GiB', [describeEntry(0, { ...good, bytes: 0xffff_ffff })]],
    ['has an empty part', [describeEntry(0, { ...good, bytes: 0 })]],
    ['has no place for the status', [describeEntry(0, { ...good, flags: 0 })]],
    [
      'has a header that is too short',
      [describeEntry(0, { ...good, bytes: 8 }), describeEntry(1, { ...good, flags: 2 })],
    ],
    ['has more requests than entries', [makeAvailable(40)]],
  ];

  it.each(cases)('that %s is told to reset it, and harms nobody', (_what, entries) => {
    const bad = kernel(
      openDevice(),
      ...entries,
      offerHead(0, 0),
      makeAvailable(entries.some((entry) => entry.startsWith('dmb')) ? 40 : 1),
      pause(20_000),
      noteDeviceStatus,
      // A reset makes the device usable again.
      openDevice(),
      poke(usedIpa, 0, 'x'),
      ask([{ ...read8, sector: 500 }]),
      awaitUsed(1),
      noteStatuses(1),
      'b .',
    );
    const other = asks(...[0, 1, 2, 3].map((n) => ({ type: IN, sector: n, bytes: dataStride })));
    const system = run(mvm(serve(0, 1, 5)), [
      { name: 'bad', source: bad },
      { name: 'other', source: other },
    ]);
    const [status = 0, again] = notesOf(system.bytes, 'bad', 2);
    expect(status & needsReset).toBe(needsReset);
    expect(again).toBe(OK);
    expect(statuses(system, 'other', 4)).toEqual([OK, OK, OK, OK]);
    const sectors = notesOf(system.bytes, 'mvm', 6).slice(1);
    expect(sectors.sort((a, b) => a - b)).toEqual([2048, 2049, 2050, 2051, 2548]);
  });

  it('does not reach the registers by which the hypervisor drives the transport', () => {
    const windowCount = 0x800;
    const requestTag = 0xc00;
    const bad = kernel(
      openDevice(),
      noteRegister(windowCount),
      writeRegister(windowCount, 0),
      writeRegister(requestTag + 0x24, 0),
      noteRegister(requestTag),
      ask([read8]),
      awaitUsed(1),
      noteStatuses(1),
      'b .',
    );
    const system = run(mvm(serve(0, 1, 1)), [{ name: 'bad', source: bad }]);
    expect(notesOf(system.bytes, 'bad', 3)).toEqual([0, 0, OK]);
  });
});
