// `TTHM=P0:HA P1:HD`: which threads' translations update the access flag and the dirty state of descriptors (FEAT_HAFDBS; TCR_EL1.HA and
// HD). Without the name of a thread it is all of them.

import type { LitmusTest } from './test.ts';
import { clipped, refuse } from './text.ts';

export interface HardwareManagement {
  /** Of the access flag. */
  readonly ha: boolean;
  /** Of the dirty state, and then of the access flag as well. */
  readonly hd: boolean;
}

export function hardwareManagement({ info, file }: LitmusTest): (thread: number) => HardwareManagement {
  const words = (info.get('tthm') ?? '').split(/[\s,]+/).filter((word) => word !== '');
  const settings = words.map((word) => {
    const [, thread, name] = /^(?:P?(\d{1,4}):)?(HA|HD)$/i.exec(word) ?? [];
    if (name === undefined)
      throw refuse({ file, line: 1, column: 1 }, `TTHM: expected HA, HD, P0:HA or P0:HD, not "${clipped(word)}"`);
    return { thread: thread === undefined ? undefined : Number(thread), isHD: name.toUpperCase() === 'HD' };
  });
  return (thread) => {
    const own = settings.filter((setting) => setting.thread === undefined || setting.thread === thread);
    const hd = own.some(({ isHD }) => isHD);
    return { ha: hd || own.length > 0, hd };
  };
}
