import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VmSystemReport } from '../../src/vm/report.ts';
import type { VmDeviceReport } from '../../src/vm/device-report.ts';
import { heddle } from './built.ts';

const file = 'tests/end-to-end/systems/two-vms.yaml';

interface Document {
  readonly format: string;
  readonly traceHash: string;
  readonly reason: string;
  readonly consoles: Readonly<Record<string, string>>;
  readonly vms: readonly { readonly name: string; readonly state: string; readonly stopReason?: string }[];
}

interface Demo extends Document {
  readonly simulatedTimeNs: number;
  readonly cores: readonly { readonly timeNs: number; readonly isAsleep: boolean }[];
  readonly vms: VmSystemReport['vms'];
  readonly vmDevices: readonly VmDeviceReport[];
  readonly hypervisor: VmSystemReport['cores'];
}

const demo = async (...options: readonly string[]): Promise<Demo> => {
  const { stdout, code } = await heddle(['vm', 'demo', '--json', ...options]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Demo;
};

const run = async (...more: readonly string[]): Promise<Document> => {
  const { stdout } = await heddle(['vm', file, '--json', '--max-time', '50ms', ...more]);
  return JSON.parse(stdout) as Document;
};

describe('heddle vm', { timeout: 300_000 }, () => {
  it('boots the management VM and a guest from a file, each with a console of its own', async () => {
    expect(readFileSync(file, 'utf8')).toContain('gvm1');
    const { stdout } = await heddle(['vm', file, '--max-time', '50ms']);
    const lines = stdout.split('\n');
    expect(lines).toContain('[rhyper] Welcome to virt Rhyper Hypervisor!');
    expect(lines).toContain('[gvm1] smp: 1 core on, sum 1000, 1 rings of interrupts');
    expect(lines).toContain('[gvm1] minikernel: done');
    expect(lines).toContain('[mvm] mvm: VM 0 of Rhyper, messages on');
    expect(lines).toContain('[rhyper] VM 1 (gvm1) is off');
  });

  it('is the same run for any number of host threads, and tells it in one document', async () => {
    const one = await run('--host-threads', '1');
    const three = await run('--host-threads', '3');
    expect(three).toEqual(one);
    expect(one.format).toBe('heddle-vm');
    expect(one.vms.map(({ name, state }) => [name, state])).toEqual([
      ['mvm', 'active'],
      ['gvm1', 'inactive'],
    ]);
    expect(one.consoles['gvm1']).toContain('minikernel: done');
  });
});

describe('devices of VMs behind the SMMU', { timeout: 300_000 }, () => {
  const system = 'tests/end-to-end/systems/dma.yaml';

  it('copy memory of their VM, are told of what is not, and are counted stream by stream', async () => {
    const { stdout } = await heddle(['vm', system, '--json']);
    const { consoles, smmu } = JSON.parse(stdout) as Document & {
      readonly smmu: { readonly streams: readonly Readonly<Record<string, unknown>>[] };
    };
    for (const [name, at] of [
      ['gvm1', '0x90c0000'],
      ['gvm2', '0xb000000'],
    ] as const) {
      expect(consoles[name]).toContain(`dma: engine at ${at}, interrupt`);
      expect(consoles[name]).toContain('dma: a list of 3, 3000 bytes copied, 0 wrong, status 2');
      expect(consoles[name]).toContain('dma: a write to nowhere: status 204, fault at 0x20000000');
    }
    const [first, second] = smmu.streams;
    // The VM with the first engine has been removed.
    expect(first).toMatchObject({ device: 'dma0', streamId: 1, faults: 2, recordedFaults: 2, isSilenced: false });
    expect(first).not.toHaveProperty('vm');
    expect(second).toMatchObject({ device: 'dma1', streamId: 2, vm: 'gvm2', faults: 2, recordedFaults: 2 });
    expect(second?.['requests']).toBeGreaterThan(100);
    expect(second?.['hits']).toBeGreaterThan(second?.['faults'] as number);
  });

  it('have a row in the tables', async () => {
    const { stdout } = await heddle(['vm', system]);
    expect(stdout).toMatch(/ 1 .* dma0 .* nobody /);
    expect(stdout).toMatch(/ 2 .* dma1 .* gvm2 /);
  });
});

describe('the network of a system', { timeout: 300_000 }, () => {
  it('leaves its frames in a file beside the system file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-vm-'));
    try {
      const system = join(folder, 'system.yaml');
      writeFileSync(
        system,
        `network: {user: true, capture: frames.pcap}
mvm: {memory: 16M}
vms:
  - {name: a, boot: power-on, memory: 16M, devices: [{type: virtio-net}], bootargs: tests=net}
commands: [wait 20, exit]
`,
      );
      const { stdout, code } = await heddle(['vm', system]);
      expect(code).toBe(0);
      expect(stdout).toContain('[a] net: 4 of 4 pings answered');
      const bytes = readFileSync(join(folder, 'frames.pcap'));
      expect(bytes.readUInt32LE(0)).toBe(0xa1b23c4d);
      let frames = 0;
      for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) frames += 1;
      // An ARP request, four echo requests, and their answers.
      expect(frames).toBe(10);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(['3', '2'])('heddle vm demo --gic %s', { timeout: 300_000 }, (gic) => {
  const run = (...more: readonly string[]) => demo('--gic', gic, ...more);

  it('runs five VMs of four kinds to their end, whatever the number of host threads', async () => {
    const [one, three] = await Promise.all(['1', '3'].map((threads) => run('--host-threads', threads)));
    expect(three).toEqual(one);
    const consoles = one?.consoles ?? {};
    expect(consoles['gvm1']).toContain('net: 8 of 8 pings answered');
    expect(consoles['gvm1']).toContain('blk: 96 sectors written, flush ok, 96 read, 0 bytes wrong');
    // The other end of its console is the management VM's.
    expect(consoles['gvm2']).toBeUndefined();
    expect(consoles['mvm']).toContain('hvc0| threads: 400 steps in turns, 3 greedy ones preempted');
    expect(consoles['mvm']).toContain('hvc0| dma: 49152 bytes copied, 0 wrong, status 2');
    expect(consoles['mvm']).toContain('hvc0| dma: a write to nowhere: status 204, fault at 0x20000000');
    expect(consoles['mvm']).toContain('hvc0| console: heard "good evening"');
    expect(consoles['mvm']).toMatch(/1 disks registered, \d+ requests served, 0 failed/);
    expect(consoles['mvm']).toContain('vm3: bare-app: file result.txt: opened yes, 39 written');
    expect(consoles['rt']).toContain('deadlines: 0 missed of 50');
    const figures = (vm: string, kind: string) =>
      one?.vmDevices.find((device) => device.vm === vm && device.kind === kind);
    expect(figures('gvm1', 'mediated-block')).toMatchObject({ bytesIn: 98_304, bytesOut: 98_304, errors: 1 });
    expect(figures('gvm1', 'net')).toMatchObject({ requests: 18, dropped: 0, guestErrors: 0 });
    expect(figures('mvm', 'console')?.bytesIn).toBe(figures('gvm2', 'console')?.bytesOut);
  });

  it('is the same document for the same seed, and another run for another', async () => {
    const [one, again, other] = await Promise.all(['1', '1', '2'].map((seed) => run('--seed', seed)));
    expect(again).toEqual(one);
    expect(other?.traceHash).not.toBe(one?.traceHash);
    expect(other?.reason).toBe('exit');
  });

  it('leaves the core of the real-time VM neither ticks nor interrupts that are not its own', async () => {
    const { hypervisor, vms } = await run();
    const [vcpu] = vms.find(({ name }) => name === 'rt')?.vcpus ?? [];
    // 10 wake-ups that are not counted and 50 that are: all of its interrupts, and none of them an exit. Of a GICv3's interface what is
    // common to both groups is trapped.
    expect(vcpu).toMatchObject({ core: 2, directInterrupts: 60, injectedInterrupts: 0, switches: 1 });
    expect(Object.keys(vcpu?.exits ?? {}).sort()).toEqual(['MMIO', 'SMC', ...(gic === '3' ? ['system register'] : [])]);
    // The message by which it was booted is all that EL2 has heard of on this core.
    expect(hypervisor[2]).toMatchObject({ ticks: 0, foreignInterrupts: 0, interrupts: { IPI: 1 } });
    expect(hypervisor[1]?.ticks).toBeGreaterThan(0);
  });

  it('accounts for all of the time of every core', async () => {
    const { hypervisor, cores, simulatedTimeNs } = await run();
    expect(
      hypervisor.map(
        ({ guestNs, guestAsleepNs, hypervisorNs, idleNs }) => guestNs + guestAsleepNs + hypervisorNs + idleNs,
      ),
    ).toEqual(cores.map(({ timeNs, isAsleep }) => (isAsleep ? simulatedTimeNs : timeNs)));
    expect(cores.some(({ isAsleep }) => isAsleep)).toBe(true);
  });
});
