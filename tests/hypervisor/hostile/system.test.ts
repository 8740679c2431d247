import { describeAttacks } from './check.ts';

describeAttacks('system', 'an attack on registers and instructions of others');
