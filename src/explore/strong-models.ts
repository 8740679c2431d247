// Sequential consistency, and x86-TSO (Owens, Sarkar, Sewell, "A better x86 memory model: x86-TSO"), as orders inside a thread.
//
// A program for another architecture may be run under them. Under TSO a full barrier and an atomic read-modify-write order all, as MFENCE
// and a LOCK prefix do; weaker barriers and acquire and release ask for nothing that TSO does not give.

import { isFetch } from '../memory-model/execution.ts';
import { isAccess, isInOrder, type LocalEvent, type OrderingModel, OrderRows } from './local-event.ts';

export const sc: OrderingModel = {
  name: 'sc',
  hasHazards: false,
  hasTranslation: false,
  outcomes: 'needed',
  distinguishesSources: 'nowhere',
  fetches: 'coherent',
  order: (events) => {
    const order = new OrderRows(events.length);
    events.forEach((event, n) => {
      const row = order.next();
      if (!isAccess(event)) return;
      if (event.rmw) order.addBefore(row, event.rmw.read);
      for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
        const before = events[earlier]!;
        const isOther = before.instruction !== event.instruction || isFetch(before);
        if (isAccess(before) && (isOther || isInOrder(before, event))) order.addBefore(row, earlier);
      }
    });
    return order.rows;
  },
};

const fullBarriers: ReadonlySet<string> = new Set([
  ...['MFENCE', 'DMB.SY', 'DMB.ISH', 'DMB.OSH', 'DSB.SY', 'DSB.ISH', 'DSB.OSH'],
]);
const isFullBarrier = ({ kind, annotations }: LocalEvent): boolean =>
  kind === 'F' && [...annotations].some((name) => fullBarriers.has(name));

export const tso: OrderingModel = {
  name: 'tso',
  hasHazards: false,
  hasTranslation: false,
  outcomes: 'needed',
  distinguishesSources: 'nowhere',
  fetches: 'coherent',
  order: (events) => {
    const order = new OrderRows(events.length);
    const locked = new Set(events.flatMap(({ rmw }, n) => (rmw ? [n, rmw.read] : [])));
    events.forEach((event, n) => {
      const row = order.next();
      if (event.kind === 'C') return;
      if (event.rmw) order.addBefore(row, event.rmw.read);
      for (let earlier = n - 1; earlier >= 0; earlier -= 1) {
        const before = events[earlier]!;
        if (before.kind === 'C') continue;
        if (before.instruction === event.instruction) {
          if (isFetch(before) || isInOrder(before, event)) order.addBefore(row, earlier);
          continue;
        }
        const isOrdered =
          event.kind === 'F'
            ? isFullBarrier(event) && before.kind !== 'F'
            : before.kind === 'R' ||
              (before.kind === 'W' && (event.kind === 'W' || locked.has(earlier) || locked.has(n))) ||
              isFullBarrier(before);
        if (isOrdered) order.addBefore(row, earlier);
      }
    });
    return order.rows;
  },
};
