// A machine as it comes out of reset: its RAM with the image in it, and everything that its hosts are made from.

import { pageShift, ramBase, touchedPageOffset } from '../src/arch/state-layout.ts';
import { planBoot } from '../src/board/boot.ts';
import type { RunOptions } from '../src/board/run-options.ts';
import { resolveBoard } from '../src/board/virt.ts';
import type { EngineMode } from '../src/engine/engine.ts';
import { maxHosts } from './control-block.ts';
import type { MachineConfig } from './machine.ts';
import { readStepModule } from './step-module.ts';

/** The smallest latency between two actors: 500 ns, what a message across a many-core interconnect takes. */
export const lookaheadTicks = 500;

const pageBytes = 1 << pageShift;
const wasmPageBytes = 65536;

/** The memory of a machine: RAM at its physical address, the engines' part below it. */
export function makeMemory(memoryBytes: number): WebAssembly.Memory {
  const pages = (ramBase + memoryBytes) / wasmPageBytes;
  return new WebAssembly.Memory({ initial: pages, maximum: wasmPageBytes, shared: true });
}

/** Puts bytes into RAM before the machine runs: the pages count as written to. */
export function placeInRam(memory: Uint8Array, address: number, bytes: Uint8Array): void {
  memory.set(bytes, address);
  const endPage = Math.ceil((address + bytes.length) / pageBytes);
  memory.fill(1, touchedPageOffset + Math.floor(address / pageBytes), touchedPageOffset + endPage);
}

/** How many hosts carry a machine. */
export const hostsOf = ({ hostThreads, cores }: Pick<RunOptions, 'hostThreads' | 'cores'>): number =>
  Math.min(hostThreads, cores, maxHosts);

export function bootedMachine(options: RunOptions, engineMode: EngineMode): MachineConfig {
  const board = resolveBoard(options);
  const plan = planBoot(board, options);
  const memory = makeMemory(board.memoryBytes);
  const bytes = new Uint8Array(memory.buffer);
  for (const segment of plan.segments) placeInRam(bytes, segment.address, segment.bytes);
  return {
    board,
    memory,
    entry: plan.entry,
    x0: plan.x0,
    reset: plan.reset,
    semihosting: options.semihosting,
    commandLine: [options.image.path, options.kernelArgs ?? ''].join(' ').trim(),
    devices: options.devices,
    capture: options.pcap !== undefined,
    seed: options.seed,
    conductor: options.conductor,
    hosts: hostsOf(options),
    lookaheadTicks,
    engineMode,
    stepModule: readStepModule(),
    isProfiled: options.profile === true,
  };
}
