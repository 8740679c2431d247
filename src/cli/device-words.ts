// The words that put virtio devices on the board: Heddle's own (`--drive F`, `--net user`, `--rng`, `--console`) and QEMU's, in which a
// device (`-device`) and what is behind it (`-drive`, `-netdev`, `-chardev`, `-object`) are two words that meet by an id. The order of the devices decides their slots, so that all
// of these words are kept in their order.

import {
  type ConsoleDescription,
  defaultMac,
  type DeviceDescription,
  diskBytes,
  type PortTarget,
  slotOfDevice,
} from '../board/devices.ts';
import { UserError } from '../report/user-error.ts';
import { readInput } from './input.ts';
import { parseOnOff } from './quantities.ts';

/** A word as it was typed, with its value. */
export interface DeviceWord {
  readonly word: string;
  readonly value: string;
}

/** The words, without their dashes, and whether a value follows. */
const wordsWithValue: ReadonlySet<string> = new Set([
  'drive',
  'device',
  'object',
  'global',
  'net',
  'netdev',
  'chardev',
]);
const wordsWithout: ReadonlySet<string> = new Set(['rng', 'console']);

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
  readonly networks: Set<string>;
  readonly characters: Map<string, PortTarget>;
  /** The ports of the last console. */
  ports: ConsoleDescription['ports'][number][] | undefined;
  /** Network cards so far. */
  cards: number;
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

function netdev(word: DeviceWord, { networks }: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'type');
  properties.accept('type', 'user');
  networks.add(properties.need('id'));
  properties.end();
  return [];
}

function net(word: DeviceWord, backends: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'type');
  properties.accept('type', 'user');
  return [card(properties, backends)];
}

function card(properties: Properties, backends: Backends): DeviceDescription {
  const typed = properties.take('mac');
  const mac = typed === undefined ? defaultMac(backends.cards) : parseMac(typed);
  if (mac === undefined) throw properties.refusal('write an address like mac=52:54:00:12:34:56, of one station');
  properties.end();
  backends.cards += 1;
  return { kind: 'net', mac };
}

/** The address of one station: the lowest bit of its first byte is 0. */
function parseMac(text: string): number | undefined {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return undefined;
  const mac = parseInt(text.replaceAll(':', ''), 16);
  return Math.floor(mac / 2 ** 40) % 2 === 0 ? mac : undefined;
}

function chardev(word: DeviceWord, { characters }: Backends): DeviceDescription[] {
  const properties = new Properties(word, 'backend');
  const backend = properties.need('backend');
  const id = properties.need('id');
  properties.accept('mux', 'on', 'off');
  if (backend === 'stdio') characters.set(id, { to: 'console' });
  else if (backend === 'null') characters.set(id, { to: 'nowhere' });
  else if (backend === 'file') characters.set(id, { to: 'file', path: properties.need('path') });
  else throw properties.refusal('only stdio, file and null are supported');
  properties.end();
  return [];
}

/** A console with port 0 alone. */
function consoleWord(_word: DeviceWord, backends: Backends): DeviceDescription[] {
  backends.ports = [{ to: 'console' }];
  return [{ kind: 'console', ports: backends.ports }];
}

/** A port of the last console; the first that is a console takes port 0, which is kept for it. */
function port(properties: Properties, backends: Backends, isConsole: boolean): void {
  const { ports, characters } = backends;
  if (ports === undefined)
    throw properties.refusal('there is no virtio-serial-device', 'put -device virtio-serial-device before it');
  const id = properties.take('chardev');
  const target = id === undefined ? ({ to: 'nowhere' } as const) : characters.get(id);
  if (target === undefined) throw properties.refusal(`there is no chardev "${id ?? ''}"`);
  const name = properties.take('name');
  if (!isConsole && name === undefined) throw properties.refusal('name= is missing');
  properties.end();
  const number = isConsole && ports[0] === undefined ? 0 : Math.max(1, ports.length);
  if (number > maxPort) throw properties.refusal(`a console has ports 0 to ${maxPort}`);
  while (ports.length < number) ports.push(undefined);
  ports[number] = isConsole || name === undefined ? target : { name, ...target };
}

/** As QEMU's. */
const maxPort = 30;

const knownDevices =
  'virtio-blk-device, virtio-net-device, virtio-rng-device, virtio-serial-device, virtconsole and virtserialport';

function device(word: DeviceWord, backends: Backends): DeviceDescription[] {
  const { drives, objects, networks } = backends;
  const properties = new Properties(word, 'driver');
  const driver = properties.need('driver');
  properties.accept('id');
  // Packed rings are always offered.
  properties.accept('packed', 'on');
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
    case 'virtio-net-device': {
      const id = properties.need('netdev');
      if (!networks.has(id)) throw properties.refusal(`there is no netdev "${id}"`);
      return [card(properties, backends)];
    }
    case 'virtio-serial-device':
      properties.end();
      backends.ports = [];
      return [{ kind: 'console', ports: backends.ports }];
    case 'virtconsole':
    case 'virtserialport':
      port(properties, backends, driver === 'virtconsole');
      return [];
    default:
      throw properties.refusal(`there is no device "${driver}"`, `known are ${knownDevices}`);
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
  net,
  netdev,
  chardev,
  rng,
  console: consoleWord,
};

/** The devices that some words describe, in order. */
export function parseDevices(words: readonly DeviceWord[]): DeviceDescription[] {
  const backends: Backends = {
    drives: new Map(),
    objects: new Set(),
    networks: new Set(),
    characters: new Map(),
    ports: undefined,
    cards: 0,
  };
  const devices = words.flatMap((word) => readers[word.word.replace(/^-+/, '')]?.(word, backends) ?? []);
  for (const id of backends.drives.keys())
    throw new UserError(`-drive id=${id}: no device has it`, `put -device virtio-blk-device,drive=${id} after it`);
  devices.forEach((_, n) => slotOfDevice(n));
  return devices;
}

/** The same devices in words that `heddle run` reads, each word and each value for itself. */
export function wordsOfDevices(descriptions: readonly DeviceDescription[]): string[] {
  return descriptions.flatMap((description, n) => {
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
      case 'net':
        return ['--net', `user,mac=${formatMac(description.mac)}`];
      case 'entropy':
        return ['--rng'];
      case 'console':
        return [
          '-device',
          'virtio-serial-device',
          ...description.ports.flatMap((one, k) => wordsOfPort(one, `p${n}.${k}`)),
        ];
    }
  });
}

function wordsOfPort(one: ConsoleDescription['ports'][number], id: string): string[] {
  if (one === undefined) return [];
  const backend = { console: `stdio,id=${id}`, nowhere: `null,id=${id}`, file: `file,id=${id}` }[one.to];
  const path = one.to === 'file' ? `,path=${one.path}` : '';
  const kind = one.name === undefined ? `virtconsole,chardev=${id}` : `virtserialport,chardev=${id},name=${one.name}`;
  return ['-chardev', `${backend}${path}`, '-device', kind];
}

const formatMac = (mac: number): string => (mac.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
