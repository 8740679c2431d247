// Which part of the program a stack of the host is counted for, and what is said of all of them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guestCodeName, guestCodeNamed } from '../../src/engine/profile-names.ts';
import { attribute, type HostFrame, profileParts, summarise, type ThreadProfile } from '../../src/report/profile.ts';
import { formatProfile } from '../../src/report/profile-table.ts';
import { formatSpeedscope } from '../../src/report/speedscope.ts';

const guestName = ({ name }: HostFrame): string | undefined => {
  const code = guestCodeNamed(name);
  return code && (code.va < 0x4010_0000n ? 'main' : 'copy');
};
const guest = (va: bigint): HostFrame => ({ name: guestCodeName({ el: 1, va }), file: 'wasm://wasm/1', parent: 0 });
const frame = (name: string, file = ''): HostFrame => ({ name, file, parent: 0 });
const of = (...stack: readonly HostFrame[]): string => {
  const { part, name } = attribute(stack, guestName);
  return `${part}: ${name}`;
};

test('The name of translated code tells its Exception level and its address', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (el, va) => {
      expect(guestCodeNamed(guestCodeName({ el, va }))).toEqual({ el, va });
    }),
  );
  expect(guestCodeNamed('wasm-function[12]')).toBeUndefined();
});

describe('A sample counts', () => {
  const main = guest(0x4008_0000n);
  const step = frame('step', 'wasm://wasm/2');
  const service = frame('memoryService', 'src/engine/memory-services.ts');

  test('for the guest, where its code runs, or a function that its code calls', () => {
    expect(of(main, step)).toBe('translated code: main');
    expect(of(guest(0x4020_0000n))).toBe('translated code: copy');
    expect(of(frame('wasm-function[3]', 'wasm://wasm/3'), main)).toBe('translated code: main');
  });
  test('for stepping, where step functions run', () => {
    expect(of(frame('wasm-function[3]', 'wasm://wasm/3'), step, frame('run', 'src/engine/engine.ts'))).toBe(
      'stepping: step',
    );
  });
  test('for what the innermost function of the program does, whoever has called it', () => {
    expect(of(frame('translate', 'src/arch/translation.ts'), service, main)).toBe('TLB misses: translate');
    expect(of(service, main)).toBe('other accesses: memoryService');
    expect(of(frame('Module'), frame('instantiate', 'src/engine/code-cache.ts'))).toBe('compiling: instantiate');
    expect(of(frame('write', 'actors/uart/uart.ts'), main)).toBe('messages and devices: write');
  });
  test('for resident software, whatever that calls', () => {
    const call = frame('mmap', 'src/linux-abi/calls/memory.ts');
    expect(of(frame('translate', 'src/arch/translation.ts'), call, main)).toBe('system calls and hypervisor: mmap');
  });
  test('for waiting, where the thread waits for another one', () => {
    const wait = frame('waitForChange', 'workers/control-block.ts');
    expect(of(frame('wait'), wait)).toBe('idle: waitForChange');
    expect(of(wait, frame('follow', 'workers/host-thread.ts'))).toBe('idle: waitForChange');
  });
  test("for the host's memory, whatever has filled it", () => {
    expect(of(frame('(garbage collector)'), frame('mmap', 'src/linux-abi/calls/memory.ts'))).toMatch(/^garbage/);
  });
  test('for the start, where the machine is made', () => {
    const making = frame('buildMachine', 'workers/machine.ts');
    expect(of(frame('translate', 'src/engine/translate.ts'), making)).toBe('start: buildMachine');
  });
  test('for the rest of the host, where nothing else is known', () => {
    expect(of(frame('(program)'))).toBe('rest of the host: (program)');
  });
});

const frames: readonly HostFrame[] = [
  { name: '(root)', file: '', parent: -1 },
  { ...guest(0x4008_0000n) },
  { ...guest(0x4020_0000n) },
  { name: 'translate', file: 'src/arch/translation.ts', parent: 1 },
  { name: '(program)', file: '', parent: 0 },
];
const threads = fc.array(
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 5000 })), { maxLength: 50 })
    .map((samples): ThreadProfile => ({
      frames,
      samples: samples.map(([sample]) => sample),
      microseconds: samples.map(([, microseconds]) => microseconds),
    })),
  { minLength: 1, maxLength: 3 },
);

test('The parts of a profile are all of the time, and their percentages sum to 100', () => {
  fc.assert(
    fc.property(threads, (some) => {
      const { ms, parts, symbols, functions } = summarise(some, guestName);
      const sum = (shares: readonly { readonly percent: number }[]): number =>
        shares.reduce((total, { percent }) => total + percent, 0);
      expect(parts.map(({ name }) => name).sort()).toEqual([...profileParts].sort());
      expect(sum(parts)).toBeCloseTo(ms === 0 ? 0 : 100, 9);
      expect(sum(symbols) + sum(functions)).toBeCloseTo(ms === 0 ? 0 : 100, 9);
    }),
    { seed: 1 },
  );
});

const one: ThreadProfile = { frames, samples: [1, 3, 2, 2, 4], microseconds: [1000, 2000, 3000, 3000, 1000] };

test('The table names the parts and the symbols, the largest first', () => {
  const text = formatProfile(summarise([one], guestName));
  expect(text).toMatch(/^profile: 10\.000 ms of host threads, 5 samples\n/);
  expect(text).toMatch(/70\.0 .*7\.000 ms .*translated code .*\n.*20\.0 .*2\.000 ms .*TLB misses/);
  expect(text).toMatch(/60\.0 .* copy .*\n.*10\.0 .* main /);
  expect(text).toMatch(/TLB misses: translate/);
});

test('The file for speedscope holds every sample, from the part to the innermost frame', () => {
  const document = JSON.parse(formatSpeedscope('prog', [one], guestName)) as {
    readonly shared: { readonly frames: readonly { readonly name: string }[] };
    readonly profiles: readonly {
      readonly endValue: number;
      readonly samples: readonly (readonly number[])[];
      readonly weights: readonly number[];
    }[];
  };
  const [profile] = document.profiles;
  const named = profile?.samples.map((stack) => stack.map((index) => document.shared.frames[index]?.name));
  expect(named).toEqual([
    ['translated code', 'main'],
    ['TLB misses', 'main', 'translate'],
    ['translated code', 'copy'],
    ['translated code', 'copy'],
    ['rest of the host', '(program)'],
  ]);
  expect(profile).toMatchObject({ endValue: 10_000, weights: one.microseconds });
});
