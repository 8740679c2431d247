// Runs the command line in this process, with a machine of the test's own.

import { commandLine } from '../../src/cli/program.ts';
import type { RunIo, RunOptions } from '../../src/board/run-options.ts';
import type { RunReport } from '../../src/report/run-report.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the machine was asked to run, if it came to that. */
  readonly options: RunOptions | undefined;
}

export const goodReport: RunReport = {
  format: 'heddle-run',
  version: 1,
  seed: 1,
  exitCode: 0,
  reason: 'system-off',
  traceHash: '0123456789abcdef',
  simulatedTimeNs: 1_500_000,
  instructions: 3_000_000,
  cores: [0, 1].map((core) => ({
    core,
    mpidr: 0x8000_0000 + core,
    instructions: 1_500_000,
    timeNs: 1_500_000,
    asleepNs: 999,
    isAsleep: false,
    interrupts: 12,
    interruptsAtEl1: 5,
    ipisSent: 3,
    ipisReceived: 4,
    exceptions: { EL1: 5, EL2: 6, EL3: 7 },
  })),
};

export async function heddle(
  args: readonly string[],
  machine: (io: RunIo, options: RunOptions) => RunReport = () => goodReport,
): Promise<Outcome> {
  const text = { stdout: '', stderr: '' };
  const to = (stream: 'stdout' | 'stderr') => (what: string | Uint8Array) => {
    text[stream] += typeof what === 'string' ? what : Buffer.from(what).toString('latin1');
  };
  let asked: RunOptions | undefined;
  const terminal = {
    print: to('stdout'),
    error: to('stderr'),
    progress: () => undefined,
    signal: new AbortController().signal,
  };
  const code = await commandLine(args, terminal, {
    runMachine: (options, io) => {
      asked = options;
      return Promise.resolve(machine(io, options));
    },
    runVmSystem: () => Promise.reject(new Error('no system of virtual machines is run here')),
    runLitmusTests: () => Promise.reject(new Error('no litmus test is run here')),
  });
  return { code, ...text, options: asked };
}
