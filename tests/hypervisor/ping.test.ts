import { describe, expect, it } from 'vitest';
import { hvc, kernel, note, notesIpa, psci } from './kernels.ts';
import { runSystem } from './system.ts';

const ping = (core: number): string => [hvc(0, 0x40, core), note()].join('\n');
const failure = 0xffff_ffff_ffff_ffffn;

describe('SYS PING_CORE', () => {
  it('is answered by any core, the own one included, with a message each way', () => {
    const system = runSystem([
      { name: 'mvm', kind: 'mvm', cores: [0], source: kernel(ping(1), ping(0), ping(2), psci.systemOff) },
    ]);
    expect(system.words('mvm', notesIpa, 3)).toEqual([0n, 0n, failure]);
    const [zero, one] = system.state.cores;
    const hvcKind = 4;
    expect([zero, one].map((core) => [core?.ipisSent[hvcKind], core?.ipisReceived[hvcKind]])).toEqual([
      [3n, 3n],
      [1n, 1n],
    ]);
  });

  it('is for the management VM', () => {
    const system = runSystem([
      { name: 'mvm', kind: 'mvm', cores: [0], source: kernel(psci.systemOff) },
      { name: 'guest', cores: [1], source: kernel(ping(0), psci.systemOff) },
    ]);
    expect(system.words('guest', notesIpa, 1)).toEqual([failure]);
    expect(system.console).toContain('SYS PING_CORE is for the management VM');
  });
});
