import { describeAttacks } from './check.ts';

describeAttacks('calls', 'an attack by calls');
