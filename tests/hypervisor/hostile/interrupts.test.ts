import { describeAttacks } from './check.ts';

describeAttacks('interrupts', 'an attack on interrupts of others');
