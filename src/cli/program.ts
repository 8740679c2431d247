// The command line as a whole: its commands, and how it refuses.

import { Command, CommanderError, Option } from 'commander';
import { InternalError } from '../report/assert.ts';
import { UserError } from '../report/user-error.ts';
import type { TypedBenchOptions } from './bench.ts';
import type { RunLitmusTests } from './litmus.ts';
import type { TypedGenOptions } from './litmus-gen.ts';
import type { TypedLitmusOptions } from './litmus-options.ts';
import { normaliseQemuWords } from './qemu-words.ts';
import { laterRunOptions, type OptionRow, runOptionRows, takesValue } from './run-options.ts';
import { run } from './run.ts';
import { version } from './version.ts';
import type { RunVmSystem } from './vm.ts';
import type { TypedVmOptions } from './vm-options.ts';
import type { AsmOptions } from './asm.ts';
import type { DisasmOptions } from './disasm.ts';
import type { RunMachine } from './run.ts';
import type { Terminal } from './terminal.ts';
import type { TypedOptions } from './run-options.ts';

const exitCode = { done: 0, usage: 2, internal: 70 } as const;

/** Commands of later versions. */
const laterCommands: ReadonlySet<string> = new Set(['hunt', 'replay', 'scale', 'pipeline']);

/** What the commands start; tests put their own in its place. */
export interface Machinery {
  readonly runMachine: RunMachine;
  readonly runVmSystem: RunVmSystem;
  readonly runLitmusTests: RunLitmusTests;
}

/** Of an option that may be given several times. */
const collect = (word: string, words: readonly string[] = []): string[] => [...words, word];

function addRows(command: Command, rows: readonly OptionRow[]): void {
  for (const { flags, says, byDefault, isList } of rows) {
    const option = new Option(flags, says);
    if (isList) option.argParser(collect);
    command.addOption(byDefault === undefined ? option : option.default(byDefault));
  }
}

/**
 * The commands, as `args` needs them: what a command is made of is loaded when it runs, and its options when its name is among the words, since
 * loading takes longer than most guests run.
 */
async function commands(
  args: readonly string[],
  terminal: Terminal,
  machinery: Machinery,
  finish: (code: number) => void,
): Promise<Command> {
  const program = new Command('heddle')
    .description('A multiprocessor that you can hold still: AArch64 images on 1 to 1,024 simulated cores.')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.print(text), writeErr: () => {} });

  const runCommand = program
    .command('run')
    .description('run an ELF executable, an arm64 Image, or a Linux program')
    .argument('<IMAGE>', 'ELF executable, arm64 Image, or Linux program')
    .argument('[ARGS...]', 'arguments of a Linux program, after --')
    .action(async (image: string, words: string[], typed: TypedOptions) => {
      finish(await run(image, words, typed, terminal, machinery.runMachine));
    });
  addRows(runCommand, runOptionRows);
  // The device options in the table above arrive under this name (qemu-words.ts).
  runCommand.addOption(new Option('--device-word <WORD>').argParser(collect).hideHelp());
  // Arguments of a Linux program follow (qemu-words.ts).
  runCommand.addOption(new Option('--program').hideHelp());
  runCommand.addHelpText(
    'after',
    '\nQEMU words are understood: -smp 4 -m 512M -kernel F -append S -M virt,secure=on -nographic …' +
      "\nThe exit code is the guest's own; 1 a guest that cannot go on, 2 usage, 3 stopped before its end, 70 our fault.",
  );

  program
    .command('asm')
    .description('assemble GNU assembler source')
    .argument('<FILE>', 'source')
    .option('--base <ADDRESS>', 'address of the first byte', '0x40200000')
    .option('-o, --output <FILE>', 'write a flat binary instead of a listing')
    .option('--json', 'print one JSON document')
    .action(async (path: string, options: AsmOptions) => {
      const { asm } = await import('./asm.ts');
      asm(path, options, terminal);
    });

  program
    .command('disasm')
    .description('disassemble an ELF file, a flat binary, or words')
    .argument('<FILE-or-WORDS...>', 'one file, or words like 0xd503201f')
    .option('--base <ADDRESS>', 'address of the first byte of words or of a flat binary', '0x0')
    .option('--json', 'print one JSON document')
    .action(async (inputs: string[], options: DisasmOptions) => {
      const { disasm } = await import('./disasm.ts');
      disasm(inputs, options, terminal);
    });

  const litmusCommand = program
    .command('litmus')
    .description('every outcome that a memory model allows, for litmus tests')
    .argument('<FILES...>', "tests in herd7's syntax, folders of them, or index files such as @all")
    .action(async (paths: string[], typed: TypedLitmusOptions) => {
      const { litmus } = await import('./litmus.ts');
      finish(await litmus(paths, typed, terminal, machinery.runLitmusTests));
    });
  if (args.includes('litmus')) addRows(litmusCommand, (await import('./litmus-options.ts')).litmusOptionRows);
  litmusCommand.addHelpText(
    'after',
    '\nThe exit code is 0, or 1 where a ~exists or a forall does not hold, 2 where a test is refused, 3 where one is incomplete.',
  );

  const genCommand = litmusCommand
    .command('gen')
    .description('make litmus tests')
    .argument('[CYCLES...]', 'families such as MP, or cycles such as "PodWW Rfe PodRR Fre"')
    .action(async (words: string[], typed: TypedGenOptions) => {
      const { litmusGen } = await import('./litmus-gen.ts');
      litmusGen(words, typed, terminal);
    });
  if (args.includes('gen')) addRows(genCommand, (await import('./litmus-gen.ts')).genOptionRows);

  const vmCommand = program
    .command('vm')
    .description('boot a system of virtual machines under Rhyper')
    .argument('<FILE>', 'system file (YAML), a VM file of the ancestor (JSON), or "demo"')
    .argument('[COMMANDS...]', 'for the shell of the management VM, when the VMs have been booted')
    .action(async (file: string, words: string[], typed: TypedVmOptions) => {
      const { vm } = await import('./vm.ts');
      finish(await vm(file, words, typed, terminal, machinery.runVmSystem));
    });
  if (args.includes('vm')) addRows(vmCommand, (await import('./vm-options.ts')).vmOptionRows);
  vmCommand.option('--quirk <NAME>', 'one defect of the ancestor; may be given several times', collect);
  vmCommand
    .command('ctl')
    .description('boot a system, give commands to the shell of its management VM, and power off')
    .argument('<FILE>', 'as above')
    .argument('<COMMANDS...>', 'each one argument, as in "vm list"')
    .configureHelp({ showGlobalOptions: true })
    // The options are those of `heddle vm`, which has read them wherever they stand.
    .action(async (file: string, words: string[]) => {
      const typed = vmCommand.opts<TypedVmOptions>();
      const { vm } = await import('./vm.ts');
      finish(await vm(file, [...words, 'exit'], typed, terminal, machinery.runVmSystem));
    });

  const benchCommand = program
    .command('bench')
    .description('measure what the operations of virtualization cost, in simulated time')
    .argument('[NAMES...]', 'operations; all if none is given')
    .action(async (names: string[], typed: TypedBenchOptions) => {
      const { bench } = await import('./bench.ts');
      finish(await bench(names, typed, terminal, machinery.runVmSystem));
    });
  if (args.includes('bench')) {
    addRows(benchCommand, (await import('./bench.ts')).benchOptionRows);
    const { benchmarks } = await import('./benchmarks.ts');
    benchCommand.addHelpText(
      'after',
      `\nOperations:\n${benchmarks.map(({ name, measures }) => `  ${name.padEnd(13)}${measures}`).join('\n')}` +
        '\nThe speed of Heddle itself, beside QEMU, in a checkout: npm run bench',
    );
  }
  return program;
}

/** One sentence of what commander says in two lines. */
function sentenceOf(error: CommanderError): string {
  return error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?')
    .replaceAll('\n', ' ');
}

function refuseLaterThings([command = '', ...rest]: readonly string[]): void {
  if (laterCommands.has(command)) throw new UserError(`this version does not have "heddle ${command}" yet`);
  if (command !== 'run') return;
  const later = laterRunOptions.find((option) => rest.some((arg) => arg === option || arg.startsWith(`${option}=`)));
  if (later !== undefined) throw new UserError(`this version does not have "heddle run ${later}" yet`);
}

/** Runs one command and returns the exit code of the process. */
export async function commandLine(args: readonly string[], terminal: Terminal, machinery: Machinery): Promise<number> {
  let code: number = exitCode.done;
  const refuse = (sentence: string): number => {
    terminal.error(`heddle: ${sentence}\n`);
    return exitCode.usage;
  };
  try {
    refuseLaterThings(args);
    const [command, ...rest] = args;
    const normal = command === 'run' ? [command, ...normaliseQemuWords(rest, takesValue)] : args;
    const program = await commands(normal, terminal, machinery, (value) => {
      code = value;
    });
    if (command === undefined) return refuse(`which command? ${program.commands.map((c) => c.name()).join(', ')}`);
    await program.parseAsync(normal, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : refuse(sentenceOf(error));
    if (error instanceof UserError)
      return refuse(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`);
    const fault = error instanceof InternalError || !(error instanceof Error) ? String(error) : (error.stack ?? '');
    terminal.error(`heddle ${version}: this is a fault of Heddle itself: ${fault}\nheddle ${args.join(' ')}\n`);
    return exitCode.internal;
  }
}
