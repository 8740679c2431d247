// The maintenance interrupt (section 7.5 of the ancestor's description; Arm IHI 0069, "Maintenance interrupts"): list registers whose
// interrupt is over are freed (EOI), ends of interrupts that are in none are carried out (LRENP), both as before any other change
// (delivery.ts), and free ones are filled (NP).

import { type Activity, work } from '../../arch/resident.ts';
import { activeVcpu, type Rhyper } from '../context.ts';
import { costs } from '../options.ts';
import { change } from './delivery.ts';
import { givesWay, hasPending, refill } from './placement.ts';

export function* maintenance(rhyper: Rhyper): Activity {
  const vcpu = activeVcpu(rhyper);
  if (!vcpu) return;
  yield* work(costs.injection);
  yield* change(rhyper, vcpu, (placement) => {
    // The ancestor fills them only once nothing pending is left in any.
    if (!givesWay(placement) || !hasPending(placement)) refill(placement);
  });
}
