// The host's own profiler (V8's, by the inspector) around a run on one thread. It interrupts the thread by a signal and looks at its
// stack; the machine sees nothing of it. No port is opened.

import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { pathToFileURL } from 'node:url';
import { assert } from '../src/report/assert.ts';
import { builtFile } from './package-file.ts';
import type { HostFrame, ThreadProfile } from '../src/report/profile.ts';

/** Between two samples. At half of that the profiler itself takes some per cent of the time. */
const samplingMicroseconds = 500;

/** The build puts many sources into one file, each behind a comment with its path. */
const marker = /^\/\/ ?(?:#region )?((?:src|actors|workers)\/\S+\.ts)$/;
const builtFolder = pathToFileURL(builtFile('')).href;
const ownFile = 'workers/profiler.ts';

/** Tells the source of a function of the program by the line on which it begins in a file that the build has made. */
function sourceFinder(): (url: string, line: number) => string {
  const sourcesByUrl = new Map<string, readonly string[]>();
  const sourcesOf = (url: string): readonly string[] => {
    let source = '';
    return readFileSync(new URL(url), 'utf8')
      .split('\n')
      .map((text) => (source = marker.exec(text)?.[1] ?? source));
  };
  return (url, line) => {
    if (!url.startsWith(builtFolder)) return url;
    const sources = sourcesByUrl.get(url) ?? sourcesOf(url);
    sourcesByUrl.set(url, sources);
    return sources[line] ?? url;
  };
}

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
  const sourceOf = sourceFinder();
  const frames = nodes.map(({ callFrame: { functionName, url, lineNumber } }, index): HostFrame => ({
    // The build numbers functions of one name.
    name: functionName.replace(/\$\d+$/, ''),
    file: sourceOf(url, lineNumber),
    parent: parents[index] as number,
  }));
  // What the profiler takes to start and to end is not the run's.
  const isOwn = ({ name, file, parent }: HostFrame): boolean => {
    const caller = frames[parent];
    return (name === 'ask' && file === ownFile) || (caller !== undefined && isOwn(caller));
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
export async function profiled<Result>(
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly profile: ThreadProfile }> {
  const session = new Session();
  session.connect();
  try {
    ask(session, 'Profiler.enable');
    ask(session, 'Profiler.setSamplingInterval', { interval: samplingMicroseconds });
    ask(session, 'Profiler.start');
    const result = await run();
    return { result, profile: threadProfile((ask(session, 'Profiler.stop') as Profiler.StopReturnType).profile) };
  } finally {
    session.disconnect();
  }
}
