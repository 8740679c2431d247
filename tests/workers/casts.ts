// Random casts for property tests: few actors that meet often.

import fc from 'fast-check';
import type { Cast, Step } from './scripted-actors.ts';

const ticks = fc.oneof(fc.nat(3), fc.nat(60), fc.nat(1000));
const tag = fc.nat(2);
const device: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ do: 'nothing' }),
  fc.record({ do: fc.constant('send' as const), to: fc.nat(20), extraTicks: ticks }),
  fc.record({ do: fc.constant('timer' as const), tag, afterTicks: ticks }),
  fc.record({ do: fc.constant('cancel' as const), tag }),
);
const core: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>({ do: 'nothing' }) },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'store' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'sleep' }) },
  { weight: 3, arbitrary: device },
);

export const casts: fc.Arbitrary<Cast> = fc.record({
  cores: fc.array(fc.array(core, { maxLength: 120 }), { minLength: 1, maxLength: 6 }),
  devices: fc.array(fc.array(device, { maxLength: 30 }), { maxLength: 4 }),
});
export const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
