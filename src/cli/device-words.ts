// The words that put virtio devices on the board: Heddle's own (`--drive F`, `--rng`) and QEMU's, in which a device (`-device`) and
// what is behind it (`-drive`, `-object`) are two words that meet by an id. The order of the devices decides their slots, so that all
// of these words are kept in their order.

import { type DeviceDescription, diskBytes, slotOfDevice } from '../board/devices.ts';
import { UserError } from '../report/user-error.ts';
import { readInput } from './input.ts';
import { parseOnOff } from './quantities.ts';

/** A word as it was typed, with its value. */
export interface DeviceWord {
  readonly word: string;
  readonly value: string;
}

/** The words, without their dashes, and whether a value follows. */
const wordsWithValue: ReadonlySet<string> = new Set(['drive', 'device', 'object', 'global']);
const wordsWithout: ReadonlySet<string> = new Set(['rng']);

export const isDeviceWord = (name: string): boolean => wordsWithValue.has(name) || wordsWithout.has(name);
export const deviceWordTakesValue = (name: string): boolean => wordsWithValue.has(name);

/** The properties of a value like `virtio-blk-device,drive=d0,serial=S`; the first may stand without a name. */
class Properties {
  private readonly typed: string;
  private readonly left: Map<string, string>;

  constructor({ word, value }: DeviceWord, first: string) {
    this.typed = value === '' ? word : `${word} ${value}`;
    this.left = new Map(
      value
        .split(',')
        .filter((part) => part !== '')
        .map((part, n) => {
          const at = part.indexOf('=');
          if (at < 0 && n > 0) throw this.refusal(`"${part}" needs a value, as in ${part}=on`);
          return at < 0 ? [first, part] : [part.slice(0, at), part.slice(at + 1)];
        }),
    );
  }

  refusal(why: string, hint?: string): UserError {
    return new UserError(`${this.typed}: ${why}`, hint);
  }

  take(name: string): string | undefined {
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  need(name: string): string {
    const value = this.take(name);
    if (value === undefined) throw this.refusal(`${name}= is missing`);
    return value;
  }

  isOn(name: string): boolean {
    const value = this.take(name);
    return value !== undefined && parseOnOff(`${this.typed}: ${name}`, value);
  }

  /** What only says how it is anyway. */
  accept(name: string, ...values: string[]): void {
    const value = this.take(name);
    if (value !== undefined && values.length > 0 && !values.includes(value))
      throw this.refusal(`only ${name}=${values.join(' or ')} is supported`);
  }

  /** Nothing is left over. */
  end(): void {
    const [name] = this.left.keys();
    if (name !== undefined) throw this.refusal(`"${name}" is not supported`);
  }
}

/** What stands behind devices, by its id. */
interface Backends {
  readonly drives: Map<string, (serial: string) => DeviceDescription>;
  readonly objects: Set<string>;
}

function drive(word: DeviceWord, { drives }: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'file');
  const path = properties.need('file');
  const id = properties.take('id');
  const serial = properties.take('serial') ?? '';
  const readOnly = properties.isOn('readonly');
  const snapshot = properties.isOn('snapshot');
  properties.accept('format', 'raw');
  properties.accept('if', 'none');
  properties.accept('cache');
  properties.accept('media', 'disk');
  properties.end();
  const make = (deviceSerial: string): DeviceDescription => {
    const { bytes } = readInput(path);
    if (bytes.length === 0) throw properties.refusal('an empty file is no disk');
    return { kind: 'block', path, bytes: diskBytes(bytes), readOnly, snapshot, serial: deviceSerial };
  };
  // One with an id waits for its device.
  if (id === undefined) return [make(serial)];
  drives.set(id, make);
  return [];
}

function object(word: DeviceWord, { objects }: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'type');
  properties.accept('type', 'rng-random', 'rng-builtin');
  objects.add(properties.need('id'));
  // The entropy is the seed's.
  properties.accept('filename');
  properties.end();
  return [];
}

function device(word: DeviceWord, { drives, objects }: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'driver');
  const driver = properties.need('driver');
  properties.accept('id');
  switch (driver) {
    case 'virtio-blk-device': {
      const id = properties.need('drive');
      const make = drives.get(id);
      if (make === undefined)
        throw properties.refusal(`there is no drive "${id}"`, `put -drive file=F,id=${id} before it`);
      drives.delete(id);
      const serial = properties.take('serial') ?? '';
      properties.end();
      return [make(serial)];
    }
    case 'virtio-rng-device': {
      const id = properties.take('rng');
      if (id !== undefined && !objects.has(id)) throw properties.refusal(`there is no object "${id}"`);
      properties.end();
      return [{ kind: 'entropy' }];
    }
    default:
      throw properties.refusal(`there is no device "${driver}"`, 'known are virtio-blk-device and virtio-rng-device');
  }
}

function global(word: DeviceWord): DeviceDescription[] {
  const properties = new Properties(word, 'property');
  // Every transport has version 2 of the registers.
  properties.accept('virtio-mmio.force-legacy', 'false', 'off');
  properties.end();
  return [];
}

function rng(): DeviceDescription[] {
  return [{ kind: 'entropy' }];
}

const readers: Readonly<Record<string, (word: DeviceWord, backends: Backends) => DeviceDescription[]>> = {
  drive,
  object,
  device,
  global,
  rng,
};

/** The devices that some words describe, in order. */
export function parseDevices(words: readonly DeviceWord[]): DeviceDescription[] {
  const backends: Backends = { drives: new Map(), objects: new Set() };
  const devices = words.flatMap((word) => readers[word.word.replace(/^-+/, '')]?.(word, backends) ?? []);
  for (const id of backends.drives.keys())
    throw new UserError(`-drive id=${id}: no device has it`, `put -device virtio-blk-device,drive=${id} after it`);
  devices.forEach((_, n) => slotOfDevice(n));
  return devices;
}

/** The same devices in Heddle's own words, each word and each value for itself. */
export function wordsOfDevice(description: DeviceDescription): string[] {
  switch (description.kind) {
    case 'block': {
      const { path, readOnly, snapshot, serial } = description;
      const properties = [
        ...(readOnly ? ['readonly=on'] : []),
        ...(snapshot ? ['snapshot=on'] : []),
        ...(serial === '' ? [] : [`serial=${serial}`]),
      ];
      return ['--drive', [path, ...properties].join(',')];
    }
    case 'entropy':
      return ['--rng'];
  }
}
