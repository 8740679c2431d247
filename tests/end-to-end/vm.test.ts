import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { heddle } from './built.ts';

const file = 'tests/end-to-end/systems/two-vms.yaml';

interface Document {
  readonly format: string;
  readonly traceHash: string;
  readonly reason: string;
  readonly consoles: Readonly<Record<string, string>>;
  readonly vms: readonly { readonly name: string; readonly state: string; readonly stopReason?: string }[];
}

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
