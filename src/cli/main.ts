// The heddle command.

import { commandLine } from './program.ts';
import { processTerminal } from './terminal.ts';

const code = commandLine(process.argv.slice(2), processTerminal(), {
  runMachine: async (options, io) => {
    // Loaded when a machine is started: the other commands need no threads.
    const { runMachine } = await import('../../workers/run-machine.ts');
    return runMachine(options, io);
  },
  runVmSystem: async (options, io) => {
    const { runVmSystem } = await import('../../workers/run-vm-system.ts');
    return runVmSystem(options, io);
  },
  runLitmusTests: async (files, options, io) => {
    const { runLitmusTests } = await import('../../workers/run-litmus.ts');
    return runLitmusTests(files, options, io);
  },
});
void code.then((exitCode) => (process.exitCode = exitCode));
