import { expect, it } from 'vitest';
import { attacks, listed } from './attacks.ts';
import { describeAttacks } from './check.ts';

describeAttacks('devices', 'an attack on a device by a split ring');
describeAttacks('devices', 'an attack on a device by a packed ring', 'packed');

it('every attack of the program is tested', () => {
  const tested = Object.values(attacks).flatMap((group) => group.map(({ name }) => name));
  expect(tested).toEqual(listed);
  expect(listed.length).toBeGreaterThanOrEqual(40);
});
