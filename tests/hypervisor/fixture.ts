// A hypervisor's memory and state without a machine around it: for what needs records and RAM only.

import { ramBase } from '../../src/arch/state-layout.ts';
import type { Rhyper } from '../../src/hypervisor/context.ts';
import { pageBytes } from '../../src/hypervisor/memory.ts';
import { stateAt, stateBytes } from '../../src/hypervisor/state.ts';
import { memoryViews } from '../../src/memory/memory-views.ts';

const wasmPageBytes = 0x1_0000;
export const ownMemory = { pa: ramBase, bytes: 0x80_0000 };
export const vmMemory = { pa: ramBase + 0x80_0000, bytes: 0x180_0000 };

/** The parts of a Rhyper that memory management uses. */
export type MemoryOnly = Pick<Rhyper, 'memory' | 'state' | 'platform' | 'port'>;

export function memoryOnly(): Rhyper & { readonly lines: string[] } {
  const end = vmMemory.pa + vmMemory.bytes;
  const memory = memoryViews(
    new WebAssembly.Memory({ initial: end / wasmPageBytes, maximum: end / wasmPageBytes, shared: true }).buffer,
  );
  const state = stateAt(memory, ownMemory.pa);
  const statePages = Math.ceil(stateBytes / pageBytes);
  state.heapStart = ownMemory.pa + statePages * pageBytes;
  state.heapPages = ownMemory.bytes / pageBytes - statePages;
  state.freeCount = 1;
  Object.assign(state.free[0] ?? {}, vmMemory);
  const lines: string[] = [];
  const parts: MemoryOnly = {
    memory,
    state,
    platform: {
      coreCount: 1,
      mpidrs: [0],
      ownMemory,
      vmMemory,
      gicVersion: 3,
      distributorBase: 0,
      redistributorBases: [0],
      dmaEngines: [],
      gicV2: { cpuInterface: 0, virtualControl: 0, virtualCpuInterface: 0 },
      slotControl: { pa: 0, stride: 0 },
    },
    port: {
      counts: () => ({ ticks: 0, asleepTicks: 0, interruptsAtEl1: 0 }),
      log: (line) => lines.push(line),
      stop: () => {
        throw new Error('nothing here stops the machine');
      },
      writeRam: (pa, bytes) => {
        memory.bytes.set(bytes, pa);
      },
      buildTree: () => new Uint8Array(0),
    },
  };
  return { ...parts, lines } as unknown as Rhyper & { readonly lines: string[] };
}
