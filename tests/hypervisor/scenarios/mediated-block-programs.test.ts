import { describe, expect, it } from 'vitest';
import { type FileSystem, runFile } from '../file-system.ts';

describe('programs with mediated block devices', () => {
  const guests = (mvm: string): FileSystem =>
    runFile(
      `
disks: {d: {size: 1M}}
mvm: {memory: 16M, bootargs: '${mvm}'}
vms:
  - name: one
    boot: power-on
    memory: 16M
    bootargs: tests=blk
    devices: [{type: mediated-block, disk: d, sectors: 512}]
  - name: two
    memory: 16M
    bootargs: tests=blk rounds=2
    devices: [{type: mediated-block, disk: d, first-sector: 1024}]
`,
      { maxTicks: 60_000_000 },
    );
  const passes = 'blk: 96 sectors written, flush ok, 96 read, 0 bytes wrong\n';

  it('share a disk of the management VM, each its own part: one that boots at power-on, and one that the MVM makes', () => {
    const system = guests('script="wait 40;disk;exit"');
    expect(system.console('mvm')).toContain('disk0, 2048 sectors of /dev/vda, self-test ok, registered');
    expect(system.console('mvm')).toMatch(/1 disks registered, \d{3} requests served, 0 failed/);
    expect(system.console('one')).toContain(`blk: 512 sectors, id virtio-blk\n${passes}blk: beyond the end an error`);
    expect(system.console('two')).toContain(
      `blk: 1024 sectors, id virtio-blk\n${passes}${passes}blk: beyond the end an error`,
    );
    const disk = system.system.backends.flatMap((backend) =>
      backend.kind === 'block' ? [backend.disk.bytes] : [],
    )[0]!;
    // What each has written last is in its part: (sector * 31 + i * 7 + (i >> 8) + round) mod 256.
    const byteAt = (sector: number): number => disk[sector * 512 + 1]!;
    expect(byteAt(8)).toBe((8 * 31 + 7) & 0xff);
    expect(byteAt(1024 + 8)).toBe((8 * 31 + 7 + 1) & 0xff);
    expect(byteAt(512 + 8)).toBe(0);
  }, 60_000);
});
