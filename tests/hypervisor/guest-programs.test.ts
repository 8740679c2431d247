// The programs of tests/guests/bin/vm as virtual machines: what they print bare, they find under Rhyper too. These VMs have neither a UART
// nor a virtio console, so the text is in the program's own memory.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dmaEngine } from '../../src/board/memory-map.ts';
import { type GicVersion, kernelIpa, runSystem, type TestVm } from './system.ts';

const MiB = 0x10_0000;
const timeout = 60_000;

/** The lines that a program of this name has put into its memory. */
function linesOf(
  name: string,
  commandLine: string,
  cores: readonly number[],
  gicVersion: GicVersion,
  more: Partial<TestVm> = {},
): readonly string[] {
  const image = readFileSync(new URL(`../guests/bin/vm/${name}.img`, import.meta.url));
  const { run, words } = runSystem(
    [{ name: 'mvm', kind: 'mvm', source: '', cores, memoryBytes: 16 * MiB, program: { image, commandLine }, ...more }],
    { maxTicks: 1_000_000_000, dmaEngines: more.streams?.length ?? 0, gicVersion },
  );
  expect(run.end).toBe('stopped');
  const memory = Buffer.from(new BigUint64Array(words('mvm', kernelIpa, MiB / 2)).buffer).toString('latin1');
  const at = memory.indexOf(`${name}: GICv${gicVersion}, `);
  return memory.slice(at, memory.indexOf('\0', at)).split('\n').slice(0, -1);
}

describe.each([3, 2] as const)('under Rhyper with a GICv%i', (gicVersion) => {
  it(
    'a kernel finds its two cores, its timer and its interrupts at another place than bare',
    () => {
      expect(linesOf('minikernel', 'tests=timer,threads,smp rounds=3', [0, 1], gicVersion)).toEqual([
        `minikernel: GICv${gicVersion}, 2 cores, 16 MiB of RAM at 0x80000000, console memory`,
        'timer: 10 ticks, 0 early, 10 ms at least',
        'threads: 400 steps in turns, 3 greedy ones preempted',
        'smp: 2 cores on, sum 2000, 3 rings of interrupts',
        'minikernel: done',
      ]);
    },
    timeout,
  );

  it(
    'a kernel copies memory by its DMA engine, and is told of addresses where it has none',
    () => {
      const { base, sizeBytes: bytes, spi, streamId } = dmaEngine(0);
      const intids = [32 + spi];
      const lines = linesOf('minikernel', 'tests=dma rounds=2', [0], gicVersion, {
        windows: [{ ipa: base, pa: base, bytes }],
        irqs: [27, ...intids],
        streams: [streamId],
        treeDevices: [{ name: 'dma', kind: 'dma', ipa: base, bytes, intids }],
      });
      const round = [
        'dma: 49152 bytes copied, 0 wrong, status 2',
        'dma: a list of 3, 3000 bytes copied, 0 wrong, status 2',
      ];
      expect(lines.slice(1)).toEqual([
        'dma: engine at 0x90c0000, interrupt 42',
        ...round,
        ...round,
        'dma: a read of nowhere: status 104, fault at 0x20000000',
        'dma: a write to nowhere: status 204, fault at 0x20000000',
        'minikernel: done',
      ]);
    },
    timeout,
  );

  it(
    'a task that is alone on its core misses no deadline',
    () => {
      const lines = linesOf('rt-task', 'count=50 period=200', [0], gicVersion);
      expect(lines[1]).toBe('rt-task: 50 wake-ups, one every 200 us');
      expect(lines[4]).toBe('deadlines: 0 missed of 50');
    },
    timeout,
  );
});
