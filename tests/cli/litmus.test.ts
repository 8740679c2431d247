import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine } from '../../src/cli/program.ts';
import type { RunLitmusTests } from '../../src/cli/litmus.ts';
import { version } from '../../src/cli/version.ts';
import { runTask } from '../../workers/litmus-thread.ts';

const SB = `AArch64 SB
{ 0:X1=x; 0:X3=y; 1:X1=y; 1:X3=x; }
 P0          | P1          ;
 MOV W0,#1   | MOV W0,#1   ;
 STR W0,[X1] | STR W0,[X1] ;
 LDR W2,[X3] | LDR W2,[X3] ;
exists (0:X2=0 /\\ 1:X2=0)
`;
/** Two threads that take turns without end as far as anybody can see. */
const manyStates = `AArch64 many
{ 0:X1=x; 1:X1=x; 2:X1=x; 3:X1=x; }
 P0 | P1 | P2 | P3 ;
${Array.from({ length: 12 }, (_, n) => ` ${[0, 1, 2, 3].map((thread) => `LDADD W${thread + 2},W${n + 10},[X1]`).join(' | ')} ;`).join('\n')}
forall (true)
`;

let folder: string;
const inFolder = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-litmus-'));
  mkdirSync(join(folder, 'suite'));
  inFolder('SB.litmus', SB);
  inFolder('bad.litmus', SB.replace('STR W0,[X1] | STR', 'STR W0,[X1] | STRX'));
  inFolder('forbidden.litmus', SB.replace('exists', '~exists'));
  inFolder('suite/a.litmus', SB);
  inFolder('suite/b.litmus', SB.replace('exists', 'forall'));
  inFolder('@all', 'SB.litmus # the first\nsuite/@some\n');
  inFolder('suite/@some', 'b.litmus\n');
  inFolder('@loop', '@loop\n');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The campaign in this process. */
const runHere: RunLitmusTests = (files, options, io) => {
  const stop = new SharedArrayBuffer(4);
  for (const file of files) io.answered(file, runTask({ ...file, ...options, stop }));
  return Promise.resolve(files.length);
};

async function heddle(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const to = (stream: 'stdout' | 'stderr') => (what: string | Uint8Array) => {
    text[stream] += String(what).replaceAll(folder, 'F');
  };
  const terminal = {
    print: to('stdout'),
    error: to('stderr'),
    progress: () => {},
    signal: new AbortController().signal,
  };
  const code = await commandLine(
    args.map((arg) => arg.replace(/^F\//, `${folder}/`)),
    terminal,
    {
      runMachine: () => Promise.reject(new Error('no machine is run here')),
      runVmSystem: () => Promise.reject(new Error('no system is run here')),
      runLitmusTests: runHere,
    },
  );
  return { code, ...text };
}

describe('heddle litmus', () => {
  test('prints what herd7 prints', async () => {
    const { code, stdout, stderr } = await heddle('litmus', 'F/SB.litmus', '--model', 'tso');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`% heddle ${version} litmus, model tso
Test SB Allowed
States 4
0:X2=0; 1:X2=0;
0:X2=0; 1:X2=1;
0:X2=1; 1:X2=0;
0:X2=1; 1:X2=1;
Ok
Witnesses
Positive: 1 Negative: 3
Condition exists (0:X2=0 /\\ 1:X2=0)
Observation SB Sometimes 1 3

`);
  });

  test('a property that does not hold is exit code 1, a question that is answered no is not', async () => {
    expect(await heddle('litmus', 'F/SB.litmus', '--model', 'sc')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('\nNo\nWitnesses\nPositive: 0 Negative: 3\n') as string,
    });
    expect(await heddle('litmus', 'F/forbidden.litmus')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('\nNo\nWitnesses\nPositive: 3 Negative: 1\n') as string,
    });
    expect((await heddle('litmus', 'F/forbidden.litmus', '--model', 'sc')).code).toBe(0);
  });

  test('--explain says why, and --fix what would forbid it', async () => {
    const allowed = await heddle('litmus', 'F/SB.litmus', '--explain', '--fix');
    expect(allowed.stdout).toContain('0:X2=0 /\\ 1:X2=0:\nAllowed by Armv8 AArch64. An execution that gives it:\n');
    expect(allowed.stdout).toContain(
      '(201 variants of the test explored):\n  P0: "STLR W0,[X1]" in place of "STR W0,[X1]"\n',
    );
    const forbidden = await heddle('litmus', 'F/SB.litmus', '--explain', '--fix', '--model', 'sc');
    expect(forbidden.stdout).toContain('Forbidden by Sequential consistency because (sc)\n');
    expect(forbidden.stdout).toContain('0:X2=0 /\\ 1:X2=0 is forbidden as the test stands.\n');
    const { tests } = JSON.parse((await heddle('litmus', 'F/SB.litmus', '--explain', '--json')).stdout) as {
      tests: { explanation: string[] }[];
    };
    expect(tests[0]?.explanation[1]).toBe('Allowed by Armv8 AArch64. An execution that gives it:');
  });

  test('--graph draws one test', async () => {
    expect((await heddle('litmus', 'F/SB.litmus', '--graph', 'F/sb.svg')).code).toBe(0);
    expect(readFileSync(join(folder, 'sb.svg'), 'utf8')).toMatch(
      /^<svg [^]*SB: 0:X2=0 \/\\ 1:X2=0 is allowed[^]*<\/svg>\n$/,
    );
    expect((await heddle('litmus', 'F/SB.litmus', '--graph', 'F/sb.dot')).code).toBe(0);
    expect(readFileSync(join(folder, 'sb.dot'), 'utf8')).toMatch(/^digraph /);
    expect(await heddle('litmus', 'F/SB.litmus', '--graph', 'F/sb.png')).toMatchObject({
      code: 2,
      stderr: 'heddle: --graph F/sb.png: a picture is a file that ends in .svg or .dot\n',
    });
    expect(await heddle('litmus', 'F/suite', '--graph', 'F/sb.svg')).toMatchObject({
      code: 2,
      stderr: 'heddle: --graph draws one test, and 2 are named\n',
    });
  });

  test('a cat file is enumerated, and the first line says so', async () => {
    inFolder('weak.cat', '"Coherence only" include "cos.cat" acyclic po-loc | rf | ca as coherence');
    const { stdout } = await heddle('litmus', 'F/SB.litmus', '--model', 'F/weak.cat', '--explain');
    expect(stdout).toContain('model F/weak.cat, which judges whole executions: all of them are enumerated\n');
    expect(stdout).toContain('Allowed by Coherence only.');
  });

  test('--json is one document without host time', async () => {
    const { stdout } = await heddle('litmus', 'F/SB.litmus', '--json');
    expect(JSON.parse(stdout)).toEqual({
      format: 'heddle-litmus',
      version: 1,
      model: 'arm for AArch64, tso for x86',
      tests: [
        {
          path: 'F/SB.litmus',
          name: 'SB',
          observation: 'Sometimes',
          verdict: 'Ok',
          condition: 'exists (0:X2=0 /\\ 1:X2=0)',
          states: ['0:X2=0; 1:X2=0;', '0:X2=0; 1:X2=1;', '0:X2=1; 1:X2=0;', '0:X2=1; 1:X2=1;'],
          complete: true,
        },
      ],
    });
  });

  test('folders and index files become a table', async () => {
    const { code, stdout } = await heddle('litmus', 'F/suite', 'F/@all');
    expect(code).toBe(1);
    expect(
      stdout
        .split('\n')
        .map((line) => line.replace(/[\s│]+/g, ' ').trim())
        .filter((line) => line.startsWith('F') || line.startsWith('all')),
    ).toEqual(['F/suite 3 12 0 3 0 1 2 0 0', 'F 1 4 0 1 0 1 0 0 0', 'all 4 16 0 4 0 2 2 0 0']);
  });

  test('a test that is refused says why in one sentence, and the others are run', async () => {
    const { code, stdout, stderr } = await heddle('litmus', 'F/bad.litmus', 'F/SB.litmus');
    expect([code, stderr]).toEqual([2, 'heddle: F/bad.litmus:5:16: no instruction "STRX"; did you mean "stxr"?\n']);
    expect(stdout).toContain('Observation SB Sometimes 1 3');
  });

  test.each([
    [['F/none.litmus'], 'heddle: F/none.litmus: no such file\n'],
    [['F/@loop'], 'heddle: F/@loop: the index names itself\n'],
    [['F/SB.litmus', '--model', 'arms'], 'heddle: --model arms: there is no such, did you mean "arm"?\n'],
    [['F/SB.litmus', '--variant', 'mixd'], 'heddle: --variant mixd: there is no such, did you mean "mixed"?\n'],
    [['F/SB.litmus', '--variant', 'memtag'], 'heddle: --variant memtag: this version does not have it yet\n'],
    [['F/SB.litmus', '--timeout', 'soon'], 'heddle: --timeout soon: write it like 5s, 200ms or 10us\n'],
  ])('refuses %j', async (args, sentence) => {
    expect(await heddle('litmus', ...args)).toEqual({
      code: 2,
      stdout: expect.any(String) as string,
      stderr: sentence,
    });
  });

  test('a test that explodes ends at --timeout with what it has, and says so', async () => {
    inFolder('many.litmus', manyStates);
    const { code, stdout } = await heddle('litmus', 'F/many.litmus', '--timeout', '300ms');
    expect(code).toBe(3);
    expect(stdout).toContain('\nUndef\n');
    expect(stdout).toContain('\nFlag Incomplete: stopped before its end, there may be more states\n');
  });
});
