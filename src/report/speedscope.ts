// A profile as a file for speedscope (https://www.speedscope.app/file-format-schema.json): one profile for each host thread, its samples
// in the order of time, the part of the program as the outermost frame.

import { type Attribution, attributionsOf, type GuestName, type HostFrame, type ThreadProfile } from './profile.ts';

const schema = 'https://www.speedscope.app/file-format-schema.json';

interface SpeedscopeFrame {
  readonly name: string;
  readonly file?: string;
}

export function formatSpeedscope(name: string, threads: readonly ThreadProfile[], guestName: GuestName): string {
  const frames: SpeedscopeFrame[] = [];
  const indices = new Map<string, number>();
  const indexOf = (frame: SpeedscopeFrame): number => {
    const key = `${frame.name}\n${frame.file ?? ''}`;
    let index = indices.get(key);
    if (index === undefined) {
      index = frames.push(frame) - 1;
      indices.set(key, index);
    }
    return index;
  };
  const shown = (frame: HostFrame): SpeedscopeFrame => {
    const guest = guestName(frame);
    if (guest !== undefined) return { name: guest, file: 'the guest' };
    const own = frame.name === '' ? 'anonymous' : frame.name;
    return frame.file === '' ? { name: own } : { name: own, file: frame.file };
  };
  const profiles = threads.map((thread, host) => {
    const attributions = attributionsOf(thread, guestName);
    // Outermost first; the root of V8's tree is nobody.
    const stacks = thread.frames.map((frame, n) => {
      const stack: number[] = [];
      for (let at: HostFrame | undefined = frame; at && at.parent >= 0; at = thread.frames[at.parent])
        stack.push(indexOf(shown(at)));
      stack.push(indexOf({ name: (attributions[n] as Attribution).part }));
      return stack.reverse();
    });
    const samples = thread.samples.map((frame) => stacks[frame] as number[]);
    const endValue = thread.microseconds.reduce((sum, microseconds) => sum + microseconds, 0);
    return {
      type: 'sampled',
      name: `host thread ${host}`,
      unit: 'microseconds',
      startValue: 0,
      endValue,
      samples,
      weights: thread.microseconds,
    };
  });
  return JSON.stringify({ $schema: schema, exporter: 'heddle', name, shared: { frames }, profiles });
}
