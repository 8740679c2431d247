import { describeAttacks } from './check.ts';

describeAttacks('memory', 'an attack on memory of others');
