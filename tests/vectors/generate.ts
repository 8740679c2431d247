// Writes tests/vectors/data/<group>.bin.gz. Run by generate.sh, which builds the harness and compiles this.
// usage: node generate.js HARNESS OUTPUT-DIRECTORY [GROUP…]

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALL_FEATURES, ARMV8_2, POINTER_AUTHENTICATION, QEMU } from './cpu.ts';
import { GROUPS, GROUP_NAMES, type Group } from './encodings.ts';
import { FORMAT, VERSION, encodeOutcome, packFile } from './format.ts';
import { runOnEmulator } from './harness.ts';
import { fieldsOf } from './pattern.ts';
import { digestInput, drawInput, windowOf } from './inputs.ts';

const SEED = 20_26;
const CASES = 100;

const cpuFor = (name: string) => {
  if (name.startsWith('XPAC')) return POINTER_AUTHENTICATION;
  return name.includes('DC ZVA') ? ARMV8_2 : ALL_FEATURES;
};

function generate(group: Group, harness: string): Buffer {
  const records: Uint8Array[] = [];
  const encodings = GROUPS[group]
    .filter((encoding) => encoding.executable)
    .map((encoding) => {
      const window = windowOf(SEED, encoding);
      const inputs = Array.from({ length: CASES }, (_, index) => drawInput(SEED, encoding, index, window));
      const emulator = { command: QEMU, cpu: cpuFor(encoding.name), harness };
      const outcomes = runOnEmulator(emulator, window, inputs);
      let bytes = 0;
      let digest: number | undefined;
      inputs.forEach((input, i) => {
        const outcome = outcomes[i];
        if (!outcome) throw new Error(`no outcome of ${encoding.name} #${i}`);
        encoding.erratum?.correct(fieldsOf(encoding, input.word), outcome.state);
        const record = encodeOutcome(input, outcome);
        bytes += record.length;
        digest = digestInput(input, digest);
        records.push(record);
      });
      return { name: encoding.name, digest: digest ?? 0, bytes };
    });
  const emulator = execFileSync(QEMU, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? QEMU;
  return packFile({ format: FORMAT, version: VERSION, seed: SEED, cases: CASES, emulator, encodings }, records);
}

function isGroup(name: string): name is Group {
  return (GROUP_NAMES as readonly string[]).includes(name);
}

const [harness, directory, ...wanted] = process.argv.slice(2);
if (!harness || !directory || !wanted.every(isGroup)) {
  console.error(`usage: node generate.js HARNESS OUTPUT-DIRECTORY [${GROUP_NAMES.join('|')}]…`);
  process.exit(2);
}
for (const group of wanted.length > 0 ? wanted.filter(isGroup) : GROUP_NAMES) {
  const file = generate(group, harness);
  writeFileSync(join(directory, `${group}.bin.gz`), file);
  const count = GROUPS[group].filter((encoding) => encoding.executable).length;
  console.error(`${group}: ${count} encodings, ${file.length} bytes`);
}
