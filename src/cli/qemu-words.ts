// QEMU's words, with one or two dashes, in Heddle's own (DESIGN, section 6). They mean here what they mean there, or are refused; what
// only says that something is absent which Heddle does not have anyway is dropped.

import { UserError } from '../report/user-error.ts';
import { deviceWordTakesValue, isDeviceWord } from './device-words.ts';

/** Turns the value of a word into arguments of Heddle. */
type Translation = (value: string, word: string) => string[];

const option =
  (name: string): Translation =>
  (value) => [`--${name}=${value}`];

const oneOf =
  (...accepted: string[]): Translation =>
  (value, word) => {
    if (!accepted.includes(value)) throw new UserError(`${word} ${value}: only ${accepted.join(' or ')} is supported`);
    return [];
  };

const notYet =
  (what: string): Translation =>
  (_value, word) => {
    throw new UserError(`${word}: ${what} is not supported yet`);
  };

/** Parts of the machine that Heddle does not have; a user may say so. */
const absentParts: Readonly<Record<string, string>> = {
  acpi: 'off',
  its: 'off',
  mte: 'off',
  ras: 'off',
};

/** Properties that are options of the same name; `dma` is Heddle's own. */
const machineProperties: ReadonlySet<string> = new Set(['virtualization', 'secure', 'iommu', 'dma']);

function machine(value: string, word: string): string[] {
  const [type, ...properties] = value.split(',');
  if (type !== 'virt' && type !== 'type=virt')
    throw new UserError(`${word} ${value}: there is no machine "${type ?? ''}", only "virt"`);
  return properties.flatMap((property) => {
    const [name = '', setting = ''] = property.split('=');
    if (name === 'gic-version') return [`--gic=${setting === 'max' ? '3' : setting}`];
    if (machineProperties.has(name)) return [`--${name}=${setting}`];
    if (setting !== '' && absentParts[name] === setting) return [];
    throw new UserError(
      `${word} ${value}: "${property}" is not supported`,
      'known are gic-version, virtualization, secure, iommu and dma',
    );
  });
}

function smp(value: string, word: string): string[] {
  const [, cores] = /^(?:cpus=)?(\d+)$/.exec(value) ?? [];
  if (cores === undefined)
    throw new UserError(`${word} ${value}: only a number of cores is supported, as in ${word} 4`);
  return [`--cores=${cores}`];
}

function memory(value: string, word: string): string[] {
  const [, size, unit] = /^(?:size=)?(\d+)([kmgKMG]?)$/.exec(value) ?? [];
  if (size === undefined) throw new UserError(`${word} ${value}: only a size is supported, as in ${word} 512M`);
  return [`--memory=${size}${unit === '' || unit === undefined ? 'M' : unit}`];
}

function semihosting(value: string, word: string): string[] {
  return value.split(',').flatMap((property) => {
    if (property === 'enable=on' || property === 'on') return ['--semihosting'];
    if (property === 'enable=off' || property === 'off') return ['--no-semihosting'];
    if (property === 'target=native' || property === 'target=auto') return [];
    throw new UserError(`${word} ${value}: "${property}" is not supported`);
  });
}

function serial(value: string, word: string): string[] {
  // A character device of the user's own, which -chardev has described.
  return value.startsWith('chardev:') ? [] : oneOf('stdio', 'mon:stdio')(value, word);
}

const withValue: Readonly<Record<string, Translation>> = {
  smp,
  m: memory,
  kernel: (file) => [file],
  append: option('kernel-args'),
  M: machine,
  machine,
  serial,
  display: oneOf('none'),
  monitor: oneOf('none'),
  nic: oneOf('none'),
  'semihosting-config': semihosting,
  d: notYet('the log of QEMU'),
  D: notYet('the log of QEMU'),
};

const withoutValue: Readonly<Record<string, Translation>> = {
  nographic: () => [],
  // A run ends when the guest resets the machine.
  'no-reboot': () => [],
  nodefaults: () => [],
  semihosting: () => ['--semihosting'],
  s: notYet('the GDB stub'),
  S: notYet('the GDB stub'),
};

/** Words that are also Heddle's; QEMU writes them with one dash. */
const shared: ReadonlySet<string> = new Set(['initrd', 'dtb', 'cpu']);

/**
 * Rewrites the arguments of `heddle run`. `takesValue` tells which of Heddle's own options are followed by a value, which is then left
 * alone whatever it looks like.
 */
export function normaliseQemuWords(args: readonly string[], takesValue: (option: string) => boolean): string[] {
  const normal: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, dashes, name = '', inline] = /^(--?)([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (arg === '--') {
      // What follows is the program's, which the parser of options does not tell.
      normal.push('--program', arg, ...rest.splice(0));
      continue;
    }
    const translate = withValue[name];
    const flag = withoutValue[name];
    if (dashes === undefined) normal.push(arg);
    else if (isDeviceWord(name)) {
      const value = deviceWordTakesValue(name) ? (inline ?? rest.shift()) : '';
      if (value === undefined) throw new UserError(`${arg}: a value is missing`);
      // Where QEMU's user says that there is no network, there is none anyway.
      if (name === 'net' && value === 'none') continue;
      // All under one name, so that their order is kept.
      normal.push(`--device-word=${dashes}${name} ${value}`);
    } else if (translate || (shared.has(name) && dashes === '-')) {
      const value = inline ?? rest.shift();
      if (value === undefined) throw new UserError(`${arg}: a value is missing`);
      normal.push(...(translate ?? option(name))(value, `${dashes}${name}`));
    } else if (flag && inline === undefined) normal.push(...flag('', arg));
    else {
      normal.push(arg);
      if (inline === undefined && takesValue(arg)) normal.push(...rest.splice(0, 1));
    }
  }
  return normal;
}
