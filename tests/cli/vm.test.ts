import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../../src/cli/program.ts';
import type { RunVmSystem } from '../../src/cli/vm.ts';
import type { VmRun } from '../../src/cli/vm-options.ts';
import { latencyOf } from '../../src/report/latency.ts';
import type { VmDeviceReport } from '../../src/vm/device-report.ts';
import type { VmSystemReport } from '../../src/vm/report.ts';
import { arm64ImageFile } from '../board/elf-file.ts';
import { goodReport } from './command.ts';

const vms: VmSystemReport = {
  vms: [
    {
      id: 1,
      name: 'gvm1',
      state: 'inactive',
      stopReason: 'it read where nothing is',
      vcpus: [
        {
          vcpu: 0,
          core: 1,
          exits: { MMIO: 1234, HVC: 5 },
          guestNs: 1500,
          asleepNs: 2500,
          injectedInterrupts: 6,
          directInterrupts: 7,
          switches: 8,
        },
      ],
    },
  ],
  cores: [
    {
      core: 0,
      guestNs: 1500,
      guestAsleepNs: 2500,
      idleNs: 2000,
      hypervisorNs: 3000,
      ticks: 9,
      schedules: 10,
      interrupts: { tick: 9, stray: 11 },
      foreignInterrupts: 11,
      ipisSent: { VMM: 2 },
      ipisReceived: {},
    },
  ],
};

const devices: readonly VmDeviceReport[] = [
  {
    vm: 'gvm1',
    device: 'virtio-net@a000000',
    kind: 'net',
    requests: 1200,
    bytesIn: 3400,
    bytesOut: 56,
    dropped: 7,
    errors: 0,
    interrupts: 8,
    guestErrors: 9,
    faults: 1,
    fault: 'descriptor loop',
  },
];

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-vm-'));
  file = join(folder, 'system.yaml');
  writeFileSync(join(folder, 'k.img'), arm64ImageFile({}));
  writeFileSync(file, 'mvm: {kernel: k.img}\nvms:\n  - {name: gvm1, kernel: k.img}\ncommands: [vm list]\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command line with a machine that says what `says` holds, in order. */
type Said = readonly (readonly [source: string, words: string])[];

async function heddle(args: readonly string[], says: Said | ((vmCount: number) => Said) = []) {
  const text = { stdout: '', stderr: '' };
  const to = (stream: 'stdout' | 'stderr') => (what: string | Uint8Array) => {
    text[stream] += typeof what === 'string' ? what : Buffer.from(what).toString('utf8');
  };
  let asked: VmRun | undefined;
  const runVmSystem: RunVmSystem = (options, io) => {
    asked = options;
    const said = typeof says === 'function' ? says(options.system.description.vms.length) : says;
    for (const [source, words] of said) io.stdout(Buffer.from(words), source);
    return Promise.resolve({ report: goodReport, vms, devices, memoryOf: () => undefined });
  };
  const code = await commandLine(
    args,
    {
      print: to('stdout'),
      error: to('stderr'),
      progress: () => undefined,
      signal: new AbortController().signal,
    },
    { runMachine: () => Promise.resolve(goodReport), runVmSystem, runLitmusTests: () => Promise.resolve(0) },
  );
  return { code, ...text, asked };
}
const scriptOf = (asked: VmRun | undefined): string => {
  const [, script] =
    /((?:vm [^\0]*\n)+[^\0]*\n)\0/.exec(new TextDecoder().decode(asked?.system.layout.store.bytes)) ?? [];
  return script ?? '';
};

describe('heddle vm', () => {
  it('reads the files that a system names from where it lies', async () => {
    const { code, asked } = await heddle(['vm', file]);
    expect(code).toBe(0);
    expect(asked).toMatchObject({ seed: 1, hostThreads: 1 });
    expect(asked?.system.description.vms.map(({ kernel }) => kernel.bytes.length)).toEqual([0x1000, 0x1000]);
  });

  it('says first everything that decides what the run does', async () => {
    const { stderr } = await heddle(['vm', file, '--seed', '4', '--injection', 'hcr-bits', '--wait-traps']);
    expect(stderr).toMatch(
      /^heddle \d\S+, Rhyper, model sc, gic-version=3, 4 cores, 192M, seed 4, conductor lockstep, profile rust-shyper-2023, strict, wait traps, hcr-bits\n$/,
    );
  });

  it('has another interrupt controller than the file where the command line says so, in every part', async () => {
    const { stderr, asked } = await heddle(['vm', file, '--gic', '2']);
    expect(stderr).toContain('gic-version=2');
    expect(asked?.system.board.gicVersion).toBe(2);
    const [mvm] = asked?.system.description.vms ?? [];
    expect(mvm?.devices.map(({ kind }) => kind)).not.toContain('gicr');
    expect(mvm?.windows).toContainEqual({ ipa: 0x801_0000, pa: 0x804_0000, bytes: 0x2000 });
    const wrong = await heddle(['vm', file, '--gic', '4']);
    expect([wrong.code, wrong.stderr.split('\n')[0]]).toEqual([2, 'heddle: --gic 4: it must be from 2 to 3']);
  });

  it('lets the command line say how the hypervisor behaves', async () => {
    const words = ['--profile', 'textbook', '--quirk', 'lifo-ipi', '--quirk', 'isv-ignored', '--max-time', '3ms'];
    const { asked } = await heddle(['vm', file, ...words]);
    expect(asked?.maxTimeNs).toBe(3_000_000);
    expect(asked?.system.description.options).toMatchObject({
      profile: 'textbook',
      quirks: ['lifo-ipi', 'isv-ignored'],
      trapsWaits: true,
    });
    const asIs = await heddle(['vm', file, '--fidelity', 'as-is']);
    expect(asIs.asked?.system.description.options.quirks.length).toBeGreaterThan(5);
  });

  it('gives commands to the shell of the MVM, after those of the file; ctl powers off when they are done', async () => {
    const plain = await heddle(['vm', file, 'vm remove 1']);
    expect(scriptOf(plain.asked)).toBe('vm config gvm1\nvm boot 1\nvm list\nvm remove 1\n');
    const ctl = await heddle(['vm', 'ctl', file, 'vm reboot 1', 'wait 5', '--seed', '9']);
    expect(ctl.asked?.seed).toBe(9);
    expect(scriptOf(ctl.asked)).toBe('vm config gvm1\nvm boot 1\nvm list\nvm reboot 1\nwait 5\nexit\n');
  });

  it('shows whole lines of every console, each with its source, in the order in which they end', async () => {
    const { stdout } = await heddle(
      ['vm', file],
      [
        ['mvm', 'one\ntw'],
        ['gvm1', 'guest\r\n'],
        ['mvm', 'o\nlast'],
      ],
    );
    expect(stdout.split('\n').slice(0, 4)).toEqual(['[mvm] one', '[gvm1] guest', '[mvm] two', '[mvm] last']);
  });

  it('ends with tables of vCPUs, cores, devices and latencies', async () => {
    const { stdout } = await heddle(
      ['vm', file],
      [['rt', 'latency: min 100, median 101, p99 102, p99.9 103, max 1000 ticks of 62500000 Hz\n']],
    );
    expect(stdout).toMatch(/│ 1 gvm1 │ +0 │ +1 │ stopped │ 1\.500 us │ 2\.500 us │ +6 │ +7 │ +8 │ MMIO 1,234, HVC 5 │/);
    expect(stdout).toContain('VM 1 (gvm1) was stopped: it read where nothing is');
    expect(stdout).toMatch(
      /│ +0 │ +1\.500 us │ 2\.500 us │ 3\.000 us │ 2\.000 us │ +9 │ +10 │ tick 9, stray 11 │ +11 │ VMM 2 +│ +│/,
    );
    expect(stdout).toMatch(/│ gvm1 │ virtio-net@a000000 │ +1,200 │ +3,400 │ +56 │ +7 │ +0 │ +8 │ +9 │/);
    expect(stdout).toContain('virtio-net@a000000 of gvm1 waits to be reset: descriptor loop\n');
    expect(stdout).toMatch(/│ rt +│ +1\.600 us │ 1\.616 us │ 1\.632 us │ 1\.648 us │ 16\.000 us │/);
    expect(stdout).toMatch(/simulated time 1\.500 ms, 3,000,000 instructions, trace 0123456789abcdef\n$/);
  });

  it('runs another system beside it, and says by how much the latencies differ', async () => {
    const quiet = join(folder, 'quiet.yaml');
    writeFileSync(quiet, 'mvm: {kernel: k.img}\n');
    const told = (vmCount: number): readonly (readonly [string, string])[] => [
      ['rt', `latency: min 100 median 100 p99 100 p99.9 ${vmCount === 2 ? 4000 : 100} max 5000 ns\n`],
      ['rt', 'histogram: 64-127 30, 128-255 10 ns\n'],
    ];
    const words = ['vm', file, '--against', quiet];
    const { code, stdout, stderr } = await heddle(words, told);
    expect(code).toBe(0);
    expect(stdout).toMatch(/│ rt +│ 100 ns │ 100 ns │ 100 ns │ 4\.000 us │ 5\.000 us │/);
    expect(stdout).toMatch(/│ rt against \S+quiet\.yaml +│ +\+0\.0 % │ +\+0\.0 % │ +\+0\.0 % │ +× 40\.0 │ +\+0\.0 % │/);
    expect(stdout).toMatch(/│ rt +│ 128 ns │ 256 ns │ +10 │ █{13} +│/);
    expect(stdout.match(/^\[rt\] latency/gm)).toHaveLength(1);
    expect(stderr.match(/^heddle \d/gm)).toHaveLength(2);
    const { against } = JSON.parse((await heddle([...words, '--json'], told)).stdout) as Record<string, unknown>;
    expect(against).toMatchObject({
      file: quiet,
      traceHash: goodReport.traceHash,
      ratios: { rt: { p999: 40, max: 1 } },
    });
    const apart = await heddle(words, (vmCount) => (vmCount === 2 ? told(2) : []));
    expect(apart.stderr).toContain('quiet.yaml has no real-time task of the same name that tells of its latency\n');
  });

  it('prints one JSON document and nothing else with --json', async () => {
    const { stdout, stderr } = await heddle(
      ['vm', file, '--json'],
      [
        ['mvm', 'hé'],
        ['rt', 'latency: min 1 median 2 p99 3 p99.9 4 max 5 ns\n'],
      ],
    );
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toEqual({
      ...goodReport,
      format: 'heddle-vm',
      vms: vms.vms,
      hypervisor: vms.cores,
      vmDevices: devices,
      consoles: { mvm: 'hé', rt: 'latency: min 1 median 2 p99 3 p99.9 4 max 5 ns\n' },
      latencies: { rt: { min: 1, median: 2, p99: 3, p999: 4, max: 5, histogram: [] } },
    });
    expect(stderr).toContain('[mvm] hé\n');
  });

  it('refuses in one sentence', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr, asked } = await heddle(['vm', ...args]);
      expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: undefined });
      expect(stderr).toMatch(/^heddle: [^\n]+\n$/);
      return stderr.slice('heddle: '.length, -1);
    };
    expect(await refused()).toBe("missing required argument 'FILE'");
    expect(await refused(join(folder, 'none.yaml'))).toBe(`${join(folder, 'none.yaml')}: no such file`);
    expect(await refused(file, '--quirk', 'zzz')).toMatch(/^--quirk zzz: there is no such one: panic-on-guest-fault, /);
    expect(await refused(file, '--quirk', 'lifo-ip')).toBe(
      '--quirk lifo-ip: there is no such, did you mean "lifo-ipi"?',
    );
    expect(await refused(file, '--profile', 'textbok')).toBe(
      '--profile textbok: there is no such, did you mean "textbook"?',
    );
    expect(await refused('ctl', file)).toBe("missing required argument 'COMMANDS'");
    const typo = join(folder, 'typo.yaml');
    writeFileSync(typo, 'mvm:\n  memroy: 1M\n');
    expect(await refused(typo)).toBe(`${typo}:2: unknown key "memroy", did you mean "memory"?`);
  });
});

describe('what a real-time task says about its latency', () => {
  it('is read from its last line of that form, in ticks or in nanoseconds', () => {
    const first = 'latency: count 10 min 1 median 2 p99 3 p99.9 4 max 5\r\n';
    expect(latencyOf(first)).toEqual({ min: 1, median: 2, p99: 3, p999: 4, max: 5, histogram: [] });
    const ticks = 'latency: min 10, median 20, p99 30, p99.9 40, max 50 ticks of 100000000 Hz\n';
    const histogram = 'histogram: 8-8 3, 16-17 1 ticks of 100000000 Hz\r\n';
    expect(latencyOf(`${first}${ticks}${histogram}done\n`)).toEqual({
      ...{ min: 100, median: 200, p99: 300, p999: 400, max: 500 },
      histogram: [
        { from: 80, below: 90, count: 3 },
        { from: 160, below: 180, count: 1 },
      ],
    });
    expect(latencyOf('latency: unknown\n')).toBeUndefined();
  });
});
