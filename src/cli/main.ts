#!/usr/bin/env node
// The heddle command.

import { commandLine } from './program.ts';
import { processTerminal } from './terminal.ts';
import type { RunMachine } from './run.ts';

process.exitCode = await commandLine(process.argv.slice(2), processTerminal(), {
  runMachine: async (options, io) => {
    // Loaded when a machine is started: the other commands need no threads.
    const module = '../../workers/run-machine.js';
    const { runMachine } = (await import(module)) as { runMachine: RunMachine };
    return runMachine(options, io);
  },
});
