// Systems of virtual machines from the text of a system file, on one thread: kernels are the programs that come with Heddle, or assembled.

import { readFileSync } from 'node:fs';
import { registerNames } from '../../src/arch/register-names.ts';
import { peState } from '../../src/arch/state-layout.ts';
import { slotOf } from '../../src/arch/system-registers.ts';
import { encodeStepModule } from '../../src/engine/step-module.ts';
import { stateAt, type SystemState, type Vm } from '../../src/hypervisor/state.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { type MemoryViews, memoryViews } from '../../src/memory/memory-views.ts';
import { UserError } from '../../src/report/user-error.ts';
import { deviceReports, type VmDeviceReport } from '../../src/vm/device-report.ts';
import { readSystem } from '../../src/vm/system-file.ts';
import type { VmSystem } from '../../src/vm/system.ts';
import { oneHostMachine, type OneHostRun } from '../../workers/one-host.ts';
import { vmMachine } from '../../workers/run-vm-system.ts';
import { elfFile } from '../board/elf-file.ts';

const stepModule = new WebAssembly.Module(encodeStepModule());
/** Where the kernel of a VM goes by default. */
const loadIpa = 0x8008_0000;

export interface FileSystem {
  readonly run: OneHostRun;
  readonly system: VmSystem;
  readonly state: SystemState;
  readonly memory: MemoryViews;
  /** What a VM, or `rhyper`, has printed. */
  readonly console: (source: string) => string;
  readonly vm: (name: string) => Vm;
  /** Figures of the devices of all VMs, in the order of the file. */
  readonly devices: readonly VmDeviceReport[];
  /** A System register of a core as the run has left it. */
  readonly register: (core: number, name: string) => bigint;
  /** Bytes of a VM's memory. */
  readonly bytes: (name: string, ipa: number, count: number) => Uint8Array;
}

export interface FileSystemOptions {
  /** A64 sources that the file names as kernels, by name. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Where a source that is not entered at the usual address of a VM's kernel is. */
  readonly bases?: Readonly<Record<string, number>>;
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly maxTicks?: number;
  readonly seed?: number;
}

export function runFile(text: string, options: FileSystemOptions = {}): FileSystem {
  const { sources = {}, bases = {}, files = {}, maxTicks = 200_000_000, seed = 1 } = options;
  const read = (path: string): { path: string; bytes: Uint8Array } => {
    const [, builtin] = /^builtin:([\w-]+)$/.exec(path) ?? [];
    if (builtin !== undefined)
      return { path, bytes: readFileSync(new URL(`../guests/bin/vm/${builtin}.img`, import.meta.url)) };
    const source = sources[path];
    if (source !== undefined) {
      const address = bases[path] ?? loadIpa;
      const { bytes } = assemble(source, { base: BigInt(address), names: registerNames });
      return { path, bytes: elfFile({ segments: [{ address, bytes }] }) };
    }
    const bytes = files[path];
    if (bytes === undefined) throw new UserError(`${path}: no such file`);
    return { path, bytes };
  };
  const system = readSystem('system.yaml', new TextEncoder().encode(text), read);
  const config = vmMachine({ system, seed, hostThreads: 1 }, stepModule);
  const texts = new Map<string, string>();
  const machine = oneHostMachine(config, (bytes, source = 'board') => {
    texts.set(source, (texts.get(source) ?? '') + new TextDecoder().decode(bytes));
  });
  const run = machine.run({ seed, maxInstructions: Infinity, maxTicks });
  const memory = memoryViews(config.memory.buffer);
  const state = stateAt(memory, system.layout.ownMemory.pa);
  const vm = (name: string): Vm => {
    const found = state.vms.find((candidate) => candidate.isConfigured !== 0 && candidate.name === name);
    if (!found) throw new Error(`there is a VM ${name}`);
    return found;
  };
  return {
    run,
    system,
    state,
    memory,
    console: (source) => texts.get(source) ?? '',
    vm,
    devices: deviceReports(system.description, run.vmDevices),
    register: (core, name) => memory.doublewords[(peState(core) + slotOf(name)) / 8] as bigint,
    bytes: (name, ipa, count) => {
      const region = vm(name).regions[0];
      if (!region) throw new Error(`${name} has memory`);
      const at = region.pa + ipa - region.ipa;
      return memory.bytes.slice(at, at + count);
    },
  };
}
