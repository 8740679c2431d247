import { describe, expect, it } from 'vitest';
import { normaliseQemuWords } from '../../src/cli/qemu-words.ts';
import { takesValue } from '../../src/cli/run-options.ts';
import { refusal } from '../board/refusal.ts';

const normal = (...args: string[]) => normaliseQemuWords(args, takesValue);
const refused = (...args: string[]) => refusal(() => normal(...args));

describe("QEMU's words", () => {
  it('mean the same with one dash or two', () => {
    for (const dash of ['-', '--'])
      expect(
        normal(
          ...[`${dash}smp`, '4', `${dash}m`, '512M', `${dash}kernel`, 'Image', `${dash}append`, 'console=ttyAMA0 -s'],
          ...[`${dash}initrd`, 'disk', `${dash}dtb`, 'tree', `${dash}cpu`, 'max', `${dash}nographic`],
          ...[`${dash}serial`, 'mon:stdio', `${dash}no-reboot`, `${dash}semihosting`],
        ).flatMap((arg) => arg.replace(/^--(initrd|dtb|cpu)=/, '--$1\n').split('\n')),
      ).toEqual([
        ...['--cores=4', '--memory=512M', 'Image', '--kernel-args=console=ttyAMA0 -s'],
        ...['--initrd', 'disk', '--dtb', 'tree', '--cpu', 'max', '--semihosting'],
      ]);
  });

  it('describe the machine by its properties', () => {
    expect(normal('-M', 'virt,gic-version=3,virtualization=on,secure=off')).toEqual([
      '--gic=3',
      '--virtualization=on',
      '--secure=off',
    ]);
    expect(normal('-machine', 'type=virt,gic-version=max')).toEqual(['--gic=3']);
    expect(normal('-M', 'virt,its=off,acpi=off')).toEqual([]);
    expect(normal('-M', 'virt,iommu=smmuv3,dma=on')).toEqual(['--iommu=smmuv3', '--dma=on']);
    expect(refused('-M', 'raspi3b')).toBe('-M raspi3b: there is no machine "raspi3b", only "virt"');
    expect(refused('-M', 'virt,mte=on')).toBe('-M virt,mte=on: "mte=on" is not supported');
  });

  it('count memory in MiB where no unit is given', () => {
    expect(normal('-m', '512')).toEqual(['--memory=512M']);
    expect(normal('-m', 'size=2G')).toEqual(['--memory=2G']);
    expect(refused('-m', '1G,slots=2')).toBe('-m 1G,slots=2: only a size is supported, as in -m 512M');
  });

  it('count cores, and know no topology', () => {
    expect(normal('-smp', 'cpus=8')).toEqual(['--cores=8']);
    expect(refused('-smp', '8,sockets=2')).toBe('-smp 8,sockets=2: only a number of cores is supported, as in -smp 4');
  });

  it('are left alone where they are the value of an option', () => {
    expect(normal('--kernel-args', '-s', '--initrd', '-m', 'x.elf')).toEqual([
      '--kernel-args',
      '-s',
      '--initrd',
      '-m',
      'x.elf',
    ]);
    expect(normal('--kernel-args=-smp 4', 'x.elf')).toEqual(['--kernel-args=-smp 4', 'x.elf']);
  });

  it('switch semihosting', () => {
    expect(normal('-semihosting-config', 'enable=on,target=native')).toEqual(['--semihosting']);
    expect(normal('-semihosting-config', 'enable=off')).toEqual(['--no-semihosting']);
  });

  it('are refused where they ask for what is not there yet', () => {
    expect(refused('-s')).toBe('-s: the GDB stub is not supported yet');
    expect(refused('-d', 'int')).toBe('-d: the log of QEMU is not supported yet');
    expect(refused('-serial', 'null')).toBe('-serial null: only stdio or mon:stdio is supported');
    expect(refused('-smp')).toBe('-smp: a value is missing');
  });

  it('are left alone after --, where they are a Linux program’s', () => {
    expect(normal('-smp', '2', 'prog', '--', '-m', '-smp', '4')).toEqual([
      '--cores=2',
      'prog',
      '--program',
      '--',
      '-m',
      '-smp',
      '4',
    ]);
  });
});
