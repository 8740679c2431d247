// The threads of runs that need any: piscina carries one host of a run on each.

import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { HostResult, HostTask, OutputMessage, SharedTask } from './host-task.ts';
import { builtFile } from './package-file.ts';

type HostPool = Piscina<HostTask, HostResult>;

/** Pools by their number of threads that have ended a run: whoever runs many systems starts its threads once. They keep no process alive. */
const idlePools = new Map<number, HostPool[]>();

function takePool(hosts: number): HostPool {
  return (
    idlePools.get(hosts)?.pop() ??
    new Piscina<HostTask, HostResult>({
      filename: builtFile('workers/host-thread.ts'),
      name: 'runHost',
      minThreads: hosts,
      maxThreads: hosts,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
    })
  );
}

function givePoolBack(hosts: number, pool: HostPool): void {
  idlePools.set(hosts, [...(idlePools.get(hosts) ?? []), pool]);
}

/** Starts the threads of a run that is going to need so many. */
export function startThreads(hosts: number): void {
  givePoolBack(hosts, takePool(hosts));
}

/** Runs all hosts to the end of the run; `say` hears them by position. */
export async function runOnThreads(task: SharedTask, say: (output: OutputMessage) => void): Promise<HostResult[]> {
  const { hosts } = task.config;
  const pool = takePool(hosts);
  try {
    const channels = Array.from({ length: hosts }, () => new MessageChannel());
    // A port closes when it has handed over everything that the host has said.
    const closed = channels.map(
      ({ port1 }) =>
        new Promise<void>((resolve) => {
          port1.once('close', resolve);
        }),
    );
    for (const { port1 } of channels) port1.on('message', say);
    const results = await Promise.all(
      channels.map(({ port2 }, host) => pool.run({ ...task, host, output: port2 }, { transferList: [port2] })),
    );
    await Promise.all(closed);
    givePoolBack(hosts, pool);
    return results;
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}
