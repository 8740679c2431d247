import { describe, expect, test } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { explainOutcome } from '../../../src/explore/explanation.ts';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import type { FinalState } from '../../../src/memory-model/program.ts';
import { catModel, ownCatFile } from '../../../workers/cat-model.ts';

const programOf = (text: string, variant = 'vmsa') =>
  litmusProgram(parseLitmus(`AArch64 a\nVariant=${variant}\n${text}`, 'a.litmus'), { names: registerNames });

/** The states under Armv8, on which the engine and the cat file agree. */
function statesOf(text: string, variant?: string): readonly string[] {
  const litmus = programOf(text, variant);
  const { states } = runLitmus(litmus, builtInModels.arm);
  expect(runLitmus(litmus, catModel(ownCatFile('arm'), [], litmus.program)).states).toEqual(states);
  return states;
}

/** Columns of assembly, a text with an instruction a line for each thread. */
function columns(...threads: readonly string[]): string {
  const lines = threads.map((thread) => thread.split('\n').map((line) => line.trim()));
  const rows = Array.from({ length: Math.max(...lines.map(({ length }) => length)) }, (_, n) =>
    lines.map((own) => own[n] ?? '').join(' | '),
  );
  return `${threads.map((_, n) => `P${n}`).join(' | ')};\n${rows.join(';\n')};\n`;
}

const invalidate = 'DSB ISH\nLSR X9,X3,#12\nTLBI VAAE1IS,X9\nDSB ISH';

describe('an access', () => {
  test('goes where its descriptor says', () => {
    expect(statesOf(`{ x=1; y=2; [PTE(x)]=(oa:PA(y)); 0:X1=x; }\n${columns('LDR W0,[X1]')}locations [0:X0;]`)).toEqual([
      '0:X0=2;',
    ]);
    expect(
      statesOf(`{ [PTE(x)]=(oa:PA(y)); 0:X1=x; 0:X2=3; }\n${columns('STR W2,[X1]')}locations [[x]; [y];]`),
    ).toEqual(['[x]=0; [y]=3;']);
  });

  test.each([
    ['valid:0', 'LDR W0,[X1]', 'D-MMU:Translation'],
    ['af:0', 'LDR W0,[X1]', 'D-MMU:AccessFlag'],
    ['af:0, valid:0', 'LDR W0,[X1]', 'D-MMU:Translation'],
    ['db:0', 'STR W0,[X1]', 'D-MMU:Permission'],
    ['db:0, dbm:1', 'STR W0,[X1]', 'D-MMU:Permission'],
    ['af:0, db:0', 'STR W0,[X1]', 'D-MMU:AccessFlag'],
    ['db:0', 'LDADD W0,W2,[X1]', 'D-MMU:Permission'],
    ['el0:0', 'LDTR W0,[X1]', 'D-MMU:Permission'],
    ['db:0', 'CAS W2,W3,[X1]', 'D-MMU:Permission'],
    ['db:0', 'LDXR W2,[X1]\nSTXR W4,W3,[X1]', 'D-MMU:Permission'],
  ])('faults where %s does not let it: %s', (fields, code, type) => {
    expect(statesOf(`{ [PTE(x)]=(${fields}); 0:X1=x; }\n${columns(code)}exists fault(P0,x)`)).toEqual([
      ` Fault(P0,x,${type});`,
    ]);
  });

  test.each([
    ['db:0', 'LDR W0,[X1]'],
    ['el0:0', 'STR W0,[X1]'],
    ['dbm:1', 'STR W0,[X1]'],
    ['x:0', 'LDR W0,[X1]'],
  ])('does not fault where %s does: %s', (fields, code) => {
    expect(statesOf(`{ [PTE(x)]=(${fields}); 0:X1=x; }\n${columns(code)}exists fault(P0,x)`)).toEqual([
      '  ~Fault(P0,x);',
    ]);
  });

  test('at EL0 faults where descriptors keep EL0 out, and on descriptors themselves, but not in its handler', () => {
    const initial = '{ [PTE(x)]=(el0:0); 0:X1=x; 0:X4=PTE(x); x=1; }';
    expect(statesOf(`EL0=P0\n${initial}\nP0;\nLDR W0,[X1];\nexists fault(P0)`)).toEqual([
      ' Fault(P0,x,D-MMU:Permission);',
    ]);
    expect(statesOf(`EL0=P0\n${initial}\nP0;\nLDR X0,[X4];\nexists fault(P0)`)).toEqual([
      ' Fault(P0,PTE(x),D-MMU:Permission);',
    ]);
    expect(statesOf(`EL0=P0\n${initial}\nP0 | P0.F;\nSVC #0 | LDR W0,[X1];\nlocations [0:X0;]`)).toEqual(['0:X0=1;']);
  });

  test('of a pair, or with writeback, faults as a whole: nothing of it has taken effect', () => {
    expect(
      statesOf(`{ [PTE(x)]=(valid:0); 0:X1=x; 0:X2=7; }\n${columns('LDP W2,W3,[X1],#8')}locations [0:X1; 0:X2;]`),
    ).toEqual(['0:X1=x; 0:X2=7;']);
  });
});

describe('a fault that nobody handles', () => {
  const text = `{ [PTE(x)]=(valid:0); 0:X1=x; 0:X4=PTE(x); 1:X4=PTE(x); 1:X5=(oa:PA(x)); x=1; }
${columns('LDR W0,[X1]\nMOV W2,#1', 'STR X5,[X4]')}locations [0:X0; 0:X2;]`;

  test('ends the thread', () => {
    expect(statesOf(text)).toEqual(['0:X0=0; 0:X2=0;', '0:X0=1; 0:X2=1;']);
  });

  test('is skipped, or is tried once more, as the variant says', () => {
    expect(statesOf(text, 'vmsa,skip')).toEqual(['0:X0=0; 0:X2=1;', '0:X0=1; 0:X2=1;']);
    expect(statesOf(text, 'vmsa,handled')).toEqual(['0:X0=1; 0:X2=1;']);
  });
});

describe('a walk', () => {
  const change = (between: string, last = 'L0: LDR W4,[X3]') =>
    `{ x=1; y=2; 0:X0=(oa:PA(y)); 0:X1=PTE(x); 0:X3=x; }\n${columns(`STR X0,[X1]\n${between}\n${last}`)}locations [0:X4;]`;
  const stale = '0:X4=1;';

  test('may come from a TLB: it does not see a descriptor that its own thread has written, not even behind barriers', () => {
    expect(statesOf(change('DSB ISH\nISB'))).toEqual([stale, '0:X4=2;']);
  });

  test('sees it behind TLBI, DSB and ISB, but not where one of them is missing', () => {
    expect(statesOf(change(`${invalidate}\nISB`))).toEqual(['0:X4=2;']);
    expect(statesOf(change(invalidate))).toContain(stale);
    expect(statesOf(change('DSB ISH\nLSR X9,X3,#12\nTLBI VAAE1IS,X9\nISB'))).toContain(stale);
    expect(statesOf(change('LSR X9,X3,#12\nTLBI VAAE1IS,X9\nDSB ISH\nISB'))).toContain(stale);
    expect(statesOf(change('DSB ISH\nTLBI VMALLE1IS\nDSB ISH\nISB'))).toEqual(['0:X4=2;']);
  });

  test('sees it behind a TLBI for that page only', () => {
    const other = change('DSB ISH\nLSR X9,X6,#12\nTLBI VAAE1IS,X9\nDSB ISH\nISB').replace('0:X3=x;', '0:X3=x; 0:X6=y;');
    expect(statesOf(other)).toContain(stale);
  });

  test('has seen a valid descriptor where one is there before context synchronization: what faults is in no TLB', () => {
    const enable = (between: string) =>
      `{ x=1; [PTE(x)]=(valid:0); 0:X0=(oa:PA(x)); 0:X1=PTE(x); 0:X3=x; }\n${columns(`STR X0,[X1]\n${between}\nL0: LDR W4,[X3]`)}exists fault(P0:L0,x)`;
    expect(statesOf(enable('DSB ISH'))).toHaveLength(2);
    expect(statesOf(enable('DSB ISH\nISB'))).toEqual(['  ~Fault(P0:L0,x);']);
    // FEAT_ETS2: the DSB is enough, and so is program order.
    expect(statesOf(enable('DSB ISH'), 'vmsa,ets2')).toEqual(['  ~Fault(P0:L0,x);']);
    expect(statesOf(enable('NOP'), 'vmsa,ets2')).toEqual(['  ~Fault(P0:L0,x);']);
  });

  test('of another thread is over when TLBI and DSB are: no stale write comes after them', () => {
    const text = (between: string) =>
      `{ [PTE(x)]=(oa:PA(x)); [PTE(z)]=(oa:PA(x)); 0:X1=PTE(x); 0:X0=(valid:0); 0:X3=x; 0:X5=z; 1:X3=x; }
${columns(`STR X0,[X1]\n${between}\nLDR W4,[X5]`, 'MOV W2,#1\nSTR W2,[X3]')}exists 0:X4=0 /\\ [x]=1`;
    expect(statesOf(text(invalidate))).not.toContain('0:X4=0; [x]=1;');
    expect(statesOf(text('DSB ISH'))).toContain('0:X4=0; [x]=1;');
    // A TLBI that is not broadcast is for its own PE.
    expect(statesOf(text(invalidate.replace('VAAE1IS', 'VAAE1')))).toContain('0:X4=0; [x]=1;');
  });

  test('with break-before-make sees one page after the other; without it any', () => {
    const text = (middle: string) =>
      `{ x=1; y=2; 0:X0=(oa:PA(x),valid:0); 0:X1=PTE(x); 0:X2=(oa:PA(y)); 0:X3=x; 1:X3=x; }
${columns(`STR X0,[X1]\n${middle}\nSTR X2,[X1]`, 'LDR W4,[X3]\nL1: LDR W5,[X3]')}exists 1:X4=2 /\\ 1:X5=1`;
    const backwards = '1:X4=2; 1:X5=1;';
    expect(statesOf(text(invalidate))).not.toContain(backwards);
    expect(statesOf(text('DSB ISH'))).toContain(backwards);
  });
});

describe('hardware', () => {
  test('that manages access flags sets them for an access, and may do so at any time', () => {
    const text = (tthm: string, code: string) =>
      `${tthm}\n{ [PTE(x)]=(af:0); 0:X1=x; }\n${columns(code)}locations [[PTE(x)]; fault(P0,x);]`;
    expect(statesOf(text('TTHM=HA', 'LDR W0,[X1]'))).toEqual(['[PTE(x)]=(oa:PA(x));  ~Fault(P0,x);']);
    expect(statesOf(text('TTHM=HA', 'NOP'))).toEqual([
      '[PTE(x)]=(oa:PA(x), af:0);  ~Fault(P0,x);',
      '[PTE(x)]=(oa:PA(x));  ~Fault(P0,x);',
    ]);
    expect(statesOf(text('', 'LDR W0,[X1]'))).toEqual(['[PTE(x)]=(oa:PA(x), af:0); Fault(P0,x,D-MMU:AccessFlag);']);
  });

  test('that manages dirty states makes a page writable that says so, and no other', () => {
    const text = (fields: string, tthm: string) =>
      `TTHM=${tthm}\n{ [PTE(x)]=(${fields}); 0:X1=x; }\n${columns('STR W0,[X1]')}locations [[PTE(x)]; fault(P0,x);]`;
    expect(statesOf(text('db:0, dbm:1', 'P0:HD'))).toEqual(['[PTE(x)]=(oa:PA(x), dbm:1);  ~Fault(P0,x);']);
    expect(statesOf(text('db:0', 'HA HD'))).toEqual(['[PTE(x)]=(oa:PA(x), db:0); Fault(P0,x,D-MMU:Permission);']);
    expect(statesOf(text('db:0, dbm:1', 'HA'))).toEqual([
      '[PTE(x)]=(oa:PA(x), db:0, dbm:1); Fault(P0,x,D-MMU:Permission);',
    ]);
  });

  test('writes to a descriptor in one with the walk: what software has written since is not lost', () => {
    const states = statesOf(`TTHM=P1:HD
{ [PTE(x)]=(db:0, dbm:1); 0:X0=(oa:PA(y), db:0, dbm:1); 0:X1=PTE(x); 1:X1=x; }
${columns('SWP X0,X2,[X1]', 'STR W0,[X1]')}locations [0:X2; [PTE(x)];]`);
    expect(states).toEqual([
      '0:X2=(oa:PA(x), db:0, dbm:1); [PTE(x)]=(oa:PA(y), dbm:1);',
      '0:X2=(oa:PA(x), dbm:1); [PTE(x)]=(oa:PA(y), db:0, dbm:1);',
    ]);
  });
});

test('the entry of a system call waits for nothing that an earlier fault of its thread has waited for', () => {
  const states = statesOf(
    `{ [PTE(x)]=(valid:0); 0:X1=x; 0:X3=y; 1:X0=(oa:PA(x)); 1:X1=PTE(x); 1:X3=x; 1:X5=y; 1:X6=1; }
${columns('LDR W2,[X3]\nL0: LDR W0,[X1]\nDSB SY\nSVC #0', `STR X0,[X1]\n${invalidate}\nSTR W6,[X5]`)}
exists (0:X2=1 /\\ fault(P0:L0,x))`,
    'vmsa,skip',
  );
  expect(states).toContain('0:X2=1; Fault(P0:L0,x,D-MMU:Translation);');
});

test.each(['TLBI VMALLE1IS', 'MRS X0,ELR_EL1', 'MSR ELR_EL1,X0', 'ERET', 'IC IALLU'])(
  '%s is UNDEFINED at EL0, and is not in its handler',
  (instruction) => {
    const atEL0 = columns(`L0: ${instruction}`);
    expect(statesOf(`EL0=P0\n{}\n${atEL0}exists fault(P0:L0)`)).toEqual([' Fault(P0:L0,UndefinedInstruction);']);
    const inHandler = `P0 | P0.F;\nSVC #0 | ${instruction};\nMOV W1,#1 | ERET;\n`;
    expect(statesOf(`EL0=P0\n{ 0:X0=P0:L1; }\n${inHandler.replace('MOV', 'L1: MOV')}locations [0:X1;]`)).toEqual([
      '0:X1=1;',
    ]);
  },
);

describe('what is refused', () => {
  test.each([
    ['TTHM=HX\n{}\nP0;\nNOP;', 'a.litmus:1:1: TTHM: expected HA, HD, P0:HA or P0:HD, not "HX"'],
    ['EL0=all\n{}\nP0;\nNOP;', 'a.litmus:1:1: EL0: expected threads, as in P0,P2, not "all"'],
  ])('%s', (text, sentence) => {
    expect(() => statesOf(text)).toThrow(sentence);
  });

  test('an access to two pages that are translated', () => {
    const initial = '{ int x[2048]; 0:X1=&x[1023]; }';
    expect(() => statesOf(`${initial}\n${columns('NOP\nLDR X0,[X1]')}locations [0:X0;]`)).toThrow(
      /^a\.litmus:6:1: P0: "ldr x0, \[x1\]" accesses two pages at 0x[0-9a-f]+ffc, which is not modelled with translation$/,
    );
    expect(statesOf(`${initial}\n${columns('LDR W0,[X1]')}locations [0:X0;]`)).toEqual(['0:X0=0;']);
  });

  test('translation under models that know nothing of it', () => {
    const program = programOf(`{ 0:X1=x; }\n${columns('LDR W0,[X1]')}locations [0:X0;]`);
    const refused = (name: string) =>
      `translation is not modelled under ${name}, only under arm and cat models that ask for "walk"`;
    expect(() => runLitmus(program, builtInModels.sc)).toThrow(refused('sc'));
    const cat = catModel(ownCatFile('sc'), [], program.program);
    expect(() => runLitmus(program, cat)).toThrow(refused(cat.name));
  });
});

describe('--explain', () => {
  /** The sentences about the outcome that the condition asks for. */
  function explanationOf(text: string): readonly string[] {
    const { program, finalStates } = programOf(text);
    const models = {
      model: catModel(ownCatFile('arm'), [], program),
      sequentialConsistency: catModel(ownCatFile('sc'), [], program),
    };
    const wanted = (state: FinalState): boolean => finalStates.fulfils(state);
    return explainOutcome({ program, wanted, decides: builtInModels.arm, models })!.sentences;
  }

  test('names walks, descriptors and TLBI', () => {
    const sentences = explanationOf(`{ x=1; y=2; 0:X0=(oa:PA(y)); 0:X1=PTE(x); 0:X3=x; }
${columns(`STR X0,[X1]\n${invalidate}\nISB\nLDR W4,[X3]`)}exists 0:X4=1`);
    expect(sentences).toContain(
      '  P0: a: W[PTE(x)]=(oa:PA(y)); DSB ISH; TLBI VAAE1IS; DSB ISH; ISB; b: T[PTE(x)]=(oa:PA(x)); c: R[x]=1',
    );
    expect(sentences).toContain('  TLBI VAAE1IS is before a: the walk b comes after TLBI VAAE1IS, and does not see a');
  });

  test('says that no TLB holds what faults', () => {
    const sentences = explanationOf(`{ x=1; [PTE(x)]=(valid:0); 0:X0=(oa:PA(x)); 0:X1=PTE(x); 0:X3=x; }
${columns('STR X0,[X1]\nDSB ISH\nISB\nL0: LDR W4,[X3]')}exists fault(P0:L0,x)`);
    expect(sentences).toContain(
      '  b is before a: no TLB holds what the walk b read from PTE(x), before a overwrote it',
    );
    expect(sentences[1]).toMatch(/EXC-ENTRY Translation$/);
  });
});
