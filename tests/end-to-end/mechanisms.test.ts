// Systems that show one mechanism each, with what they print checked: docs/mechanisms.md names them.

import { describe, expect, it } from 'vitest';
import type { VmSystemReport } from '../../src/vm/report.ts';
import { heddle } from './built.ts';

interface Document {
  readonly consoles: Readonly<Record<string, string>>;
  readonly vms: VmSystemReport['vms'];
}

async function run(name: string): Promise<Document> {
  const { code, stdout } = await heddle(['vm', `tests/end-to-end/systems/${name}.yaml`, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Document;
}

describe('a system of VMs', { timeout: 120_000 }, () => {
  it('lets every VM read the identity of its vCPUs, whatever cores they are on', async () => {
    const { consoles, vms } = await run('identity');
    const coresOf = (vm: string): number[] => vms.find(({ name }) => name === vm)?.vcpus.map(({ core }) => core) ?? [];
    expect([coresOf('a'), coresOf('b')]).toEqual([
      [2, 3],
      [3, 2],
    ]);
    for (const name of ['a', 'b'])
      expect(
        [...(consoles[name] ?? '').matchAll(/core (\d) reads MPIDR_EL1 (0x\w+)/g)].map(([, n, value]) => [n, value]),
      ).toEqual([
        ['0', '0x80000000'],
        ['1', '0x80000001'],
      ]);
  });

  it('brings SError interrupts to the VM that they are for, and to nobody where no VM runs', async () => {
    const { consoles, vms } = await run('serror');
    expect(consoles['counts']?.match(/^errors: SError interrupt \d, ESR_EL1 0xbe000000$/gm)).toHaveLength(2);
    expect(consoles['rhyper']).toContain('core 2: an SError interrupt while no VM runs');
    expect(vms.find(({ name }) => name === 'counts')?.vcpus[0]).toMatchObject({
      exits: { SError: 1 },
      injectedInterrupts: 2,
    });
  });

  it('stops the VM that reads where it has nothing, and no other', async () => {
    const { consoles, vms } = await run('contained');
    expect(vms.find(({ name }) => name === 'hostile')?.stopReason).toMatch(
      /^vCPU 0 at PC 0x\w+: a read of IPA 0x\w+, where it has neither memory nor a device$/,
    );
    expect(consoles['beside']).toContain('timer: 10 ticks, 0 early, 10 ms at least\n');
    expect(consoles['beside']).toContain('minikernel: done\n');
  });
});
