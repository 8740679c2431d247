import { describe, expect, it } from 'vitest';
import { heddle } from './built.ts';

const file = 'tests/end-to-end/systems/small.yaml';

interface Document {
  readonly reason: string;
  readonly consoles: Readonly<Record<string, string>>;
  readonly latencies: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  readonly vms: readonly {
    readonly name: string;
    readonly vcpus: readonly { readonly core: number; readonly exits: Readonly<Record<string, number>> }[];
  }[];
  readonly hypervisor: readonly { readonly ticks: number }[];
}

async function run(...words: readonly string[]): Promise<Document> {
  const { code, stdout } = await heddle(['vm', ...words, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Document;
}

describe('the MVM', { timeout: 300_000 }, () => {
  it('creates and boots the VMs of a system file by hypercalls from its store, and powers off', async () => {
    const { reason, consoles, vms } = await run(file);
    expect(reason).toBe('exit');
    expect(consoles['mvm']).toContain('mvm> vm config gvm1\nVM 1 is gvm1\nmvm> vm boot 1\n0x0\n');
    expect(consoles['mvm']).toContain('mvm> vm config rt\nVM 2 is rt\n');
    expect(consoles['gvm1']).toContain('minikernel: done');
    expect(vms.map(({ name }) => name)).toEqual(['mvm', 'gvm1', 'rt']);
  });

  it('leaves the real-time VM a core where neither ticks nor interrupts enter EL2', async () => {
    const { latencies, vms, hypervisor } = await run(file);
    const [vcpu] = vms.find(({ name }) => name === 'rt')?.vcpus ?? [];
    expect(vcpu?.core).toBe(3);
    expect(vcpu?.exits['IRQ']).toBeUndefined();
    expect(hypervisor[3]?.ticks).toBe(0);
    expect(latencies['rt']?.min).toBeGreaterThan(0);
    expect(latencies['rt']?.max).toBe(latencies['rt']?.min);
  });

  it('is reached by heddle vm ctl, in a run that does not depend on host threads', async () => {
    const words = ['ctl', file, 'vm remove 1', 'vm list'];
    const one = await run(...words, '--host-threads', '1');
    expect(await run(...words, '--host-threads', '2')).toEqual(one);
    const [, afterwards = ''] = (one.consoles['mvm'] ?? '').split('mvm> vm remove 1\n');
    expect(afterwards).toContain('name: rt');
    expect(afterwards).not.toContain('name: gvm1');
  });
});
