// docs/mechanisms.md: every mechanism that Heddle is to have is there, its command prints what the page says, and its tests exist.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeSpans } from './markdown.ts';
import { checkout, shell, timeoutMs } from './shell.ts';

interface Mechanism {
  readonly name: string;
  readonly command: string;
  /** What is to be looked for in the command's output. */
  readonly shows: string;
  readonly tests: readonly string[];
}

const page = readFileSync(join(checkout, 'docs/mechanisms.md'), 'utf8');
const mechanisms: readonly Mechanism[] = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`npx heddle'))
  .map((line) => {
    const [name = '', , command = '', tests = ''] = line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim());
    const [typed = '', shows = ''] = codeSpans(command);
    return { name, command: typed, shows, tests: codeSpans(tests) };
  });

/** Those that the purpose of the hypervisor names. */
const named = [
  'type 1 hypervisor',
  'MVM',
  'GVM',
  'RTVM',
  'bare-metal application',
  'stage 2',
  'VMID and ASID',
  'attribute combination',
  'MMIO emulation',
  'passthrough',
  'SMMU',
  'WFI trap',
  'virtual register values',
  'virtual interrupts by list registers',
  'virtual interrupts by HCR_EL2',
  'exception levels and routing',
  'SVC, HVC and SMC',
  'registers of data aborts',
  'Security states',
  'barriers',
];

/** Several mechanisms are shown by one command. */
const outputs = new Map<string, string>();
function outputOf(command: string): string {
  const known = outputs.get(command) ?? shell(command);
  outputs.set(command, known);
  return known;
}

describe('The page of mechanisms', () => {
  test('has a row for each of them', () => {
    expect(mechanisms.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
    expect(mechanisms.length).toBe(page.split('\n').filter((line) => /^\| (?!mechanism|-)/.test(line)).length);
  });

  test.each(mechanisms)('$name: $command prints "$shows"', { timeout: timeoutMs }, ({ command, shows }) => {
    expect(shows).not.toBe('');
    expect(outputOf(command)).toContain(shows);
  });

  test.each(mechanisms)('$name is held by tests that exist', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const path of tests) expect(path).toMatch(/^tests\/.*\.test\.ts$/);
    expect(tests.filter((path) => !existsSync(join(checkout, path)))).toEqual([]);
  });
});
