// The host's own profiler (V8's, by the inspector) around a run on one thread. It interrupts the thread by a signal and looks at its
// stack; the machine sees nothing of it. No port is opened.

import { type Profiler, Session } from 'node:inspector';
import { assert } from '../src/report/assert.ts';
import type { HostFrame, ThreadProfile } from '../src/report/profile.ts';

/** Between two samples. At half of that the profiler itself takes some per cent of the time. */
const samplingMicroseconds = 500;

/** Files of the program are told from Node's by where they lie, and are named from here. */
const programRoot = new URL('..', import.meta.url).href;
const pathOf = (url: string): string =>
  url.startsWith(programRoot) ? url.slice(programRoot.length).replace(/\.js$/, '.ts') : url;
const ownFile = pathOf(import.meta.url);

/** Of a session on the thread that asks: an answer comes before the call returns. */
function ask(session: Session, method: string, parameters?: object): object {
  const answers: { readonly error: Error | null; readonly result: object }[] = [];
  session.post(method, parameters, (error, result = {}) => {
    answers.push({ error, result });
  });
  const [answer] = answers;
  assert(answer?.error === null, `the profiler does ${method}: ${answer?.error?.message ?? 'no answer'}`);
  return answer.result;
}

function threadProfile({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ThreadProfile {
  const indices = new Map(nodes.map(({ id }, index) => [id, index]));
  const parents = new Int32Array(nodes.length).fill(-1);
  nodes.forEach(({ children = [] }, parent) => {
    for (const child of children) parents[indices.get(child) as number] = parent;
  });
  const frames = nodes.map(({ callFrame: { functionName, url } }, index): HostFrame => ({
    name: functionName,
    file: pathOf(url),
    parent: parents[index] as number,
  }));
  // What the profiler takes to start and to end is not the run's.
  const isOwn = ({ name, file, parent }: HostFrame): boolean => {
    const caller = frames[parent];
    return (name === ask.name && file === ownFile) || (caller !== undefined && isOwn(caller));
  };
  const kept = samples
    .map((id, n) => ({ frame: indices.get(id) as number, delta: timeDeltas[n] ?? 0 }))
    .filter(({ frame }) => !isOwn(frames[frame] as HostFrame));
  return {
    frames,
    samples: kept.map(({ frame }) => frame),
    // The clock of the thread may be read out of order by some microseconds.
    microseconds: kept.map(({ delta }) => Math.max(0, delta)),
  };
}

/** Calls `run` under the profiler. */
export function profiled<Result>(run: () => Result): { readonly result: Result; readonly profile: ThreadProfile } {
  const session = new Session();
  session.connect();
  try {
    ask(session, 'Profiler.enable');
    ask(session, 'Profiler.setSamplingInterval', { interval: samplingMicroseconds });
    ask(session, 'Profiler.start');
    const result = run();
    return { result, profile: threadProfile((ask(session, 'Profiler.stop') as Profiler.StopReturnType).profile) };
  } finally {
    session.disconnect();
  }
}
