import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDevices, wordsOfDevices } from '../../src/cli/device-words.ts';
import { normaliseQemuWords } from '../../src/cli/qemu-words.ts';
import { takesValue } from '../../src/cli/run-options.ts';
import { refusal } from '../board/refusal.ts';

let folder: string;
let disk: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-devices-'));
  disk = join(folder, 'disk');
  writeFileSync(
    disk,
    Uint8Array.from({ length: 700 }, () => 5),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The devices of a command line. */
const devicesOf = (...args: string[]) =>
  parseDevices(
    normaliseQemuWords(args, takesValue).map((arg) => {
      const [, word = '', value = ''] = /^--device-word=(\S+) (.*)$/.exec(arg) ?? [];
      return { word, value };
    }),
  );
const refused = (...args: string[]) => refusal(() => devicesOf(...args));

describe('the words for devices', () => {
  it('put devices on the board in the order in which they stand, whosever words they are', () => {
    const devices = devicesOf('--rng', '-device', 'virtio-rng-device', '--drive', disk, '--net', 'user', '--console');
    expect(devices.map(({ kind }) => kind)).toEqual(['entropy', 'entropy', 'block', 'net', 'console']);
  });

  it('read a disk as whole sectors', () => {
    const [device] = devicesOf('--drive', `${disk},readonly=on,snapshot=on,serial=S`);
    expect(device).toMatchObject({ kind: 'block', path: disk, readOnly: true, snapshot: true, serial: 'S' });
    expect(device?.kind === 'block' && [device.bytes.length, device.bytes[699], device.bytes[700]]).toEqual([
      1024, 5, 0,
    ]);
  });

  it("join QEMU's devices with what stands behind them", () => {
    const devices = devicesOf(
      ...['-drive', `file=${disk},if=none,id=d,format=raw`, '-device', 'virtio-blk-device,drive=d,serial=x'],
      ...['-netdev', 'user,id=n', '-device', 'virtio-net-device,netdev=n,mac=52:54:00:aa:bb:cc'],
      ...['-object', 'rng-random,id=r,filename=/dev/urandom', '-device', 'virtio-rng-device,rng=r'],
      ...['-chardev', 'stdio,id=c,mux=on', '-chardev', 'file,id=f,path=out', '-device', 'virtio-serial-device'],
      ...['-device', 'virtserialport,chardev=f,name=log', '-device', 'virtconsole,chardev=c'],
      ...['-global', 'virtio-mmio.force-legacy=false', '-net', 'none'],
    );
    expect(devices).toMatchObject([
      { kind: 'block', serial: 'x', readOnly: false },
      { kind: 'net', mac: 0x5254_00aa_bbcc },
      { kind: 'entropy' },
      { kind: 'console', ports: [{ to: 'console' }, { name: 'log', to: 'file', path: 'out' }] },
    ]);
  });

  it('are said again in words that mean the same', () => {
    const devices = devicesOf(
      ...[
        '--net',
        'user',
        '--net',
        'user',
        '--drive',
        `${disk},snapshot=on`,
        '--rng',
        '-device',
        'virtio-serial-device',
      ],
      ...['-chardev', 'null,id=z', '-device', 'virtserialport,chardev=z,name=quiet'],
    );
    expect(devicesOf(...wordsOfDevices(devices))).toEqual(devices);
  });

  it.each([
    [['--net', 'tap'], '--net tap: only type=user is supported'],
    [
      ['--net', 'user,mac=01:00:00:00:00:00'],
      '--net user,mac=01:00:00:00:00:00: write an address like mac=52:54:00:12:34:56, of one station',
    ],
    [['--drive', 'file=x,id=d'], '-drive id=d: no device has it'],
    [['-device', 'virtio-blk-device,drive=q'], '-device virtio-blk-device,drive=q: there is no drive "q"'],
    [['-device', 'virtio-net-device,netdev=q'], '-device virtio-net-device,netdev=q: there is no netdev "q"'],
    [['-device', 'virtio-gpu-device'], '-device virtio-gpu-device: there is no device "virtio-gpu-device"'],
    [['-device', 'virtconsole'], '-device virtconsole: there is no virtio-serial-device'],
    [['--drive', 'nowhere/disk'], 'nowhere/disk: no such file'],
    [['--drive', 'x,colour=red'], '--drive x,colour=red: "colour" is not supported'],
    [['--drive', 'x,readonly'], '--drive x,readonly: "readonly" needs a value, as in readonly=on'],
    [['-drive', 'file=x,format=qcow2'], '-drive file=x,format=qcow2: only format=raw is supported'],
  ])('refuse %j in one sentence', (args, sentence) => {
    expect(refused(...args)).toBe(sentence);
  });

  it('put at most 32 devices on the board', () => {
    expect(devicesOf(...Array<string>(32).fill('--rng')).length).toBe(32);
    expect(refused(...Array<string>(33).fill('--rng'))).toBe('the board has room for 32 virtio devices');
  });
});
