import { describe, expect, it } from 'vitest';
import { formatCount, formatSize, formatTime } from '../../src/report/figures.ts';
import { endingOf, exitCodeOf } from '../../src/report/run-report.ts';
import { goodReport } from '../cli/command.ts';

describe('the exit code of a run', () => {
  it("is the guest's own if the guest gives one", () => {
    expect([0, 1, 255, 256, -1].map((code) => exitCodeOf('exit', code))).toEqual([0, 1, 255, 0, 255]);
  });

  it('tells success, a fault that was found, and a run that was stopped apart', () => {
    expect([exitCodeOf('system-off'), exitCodeOf('system-reset')]).toEqual([0, 0]);
    expect([exitCodeOf('deadlock'), exitCodeOf('guest-error')]).toEqual([1, 1]);
    expect([exitCodeOf('max-instructions'), exitCodeOf('max-time'), exitCodeOf('interrupted')]).toEqual([3, 3, 3]);
  });
});

describe('the end of a run', () => {
  it('is told by the machine, or else by its reason', () => {
    expect(endingOf({ ...goodReport, reason: 'guest-error', message: 'core 1 branches to 0x0' })).toBe(
      'core 1 branches to 0x0',
    );
    expect(endingOf({ ...goodReport, reason: 'max-time' })).toBe('stopped: --max-time is reached');
  });
});

describe('figures', () => {
  it('read easily', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 999, 1000, 1_234_567, 61e9].map(formatTime)).toEqual([
      '0 ns',
      '999 ns',
      '1.000 us',
      '1.235 ms',
      '61.000 s',
    ]);
    expect([1, 1024, 512 * 2 ** 20, 3 * 2 ** 30].map(formatSize)).toEqual(['1', '1K', '512M', '3G']);
  });
});
