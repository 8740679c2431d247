// How much memory the translated code of an engine takes, by module, since V8 frees a module as a whole: when nothing leads to any of its
// functions. Its text is the measure: V8 keeps it, and takes some times as much for what it compiles from it.

export interface CodeModule<Member> {
  readonly sizeBytes: number;
  /** What can run of it. */
  readonly members: Set<Member>;
}

/** What a module takes beside its text: pages of V8's code space, the instance, the exports. */
const moduleBytes = 0x4000;

export class CodeMemory<Member> {
  private readonly limitBytes: number;
  /** In the order of their age. */
  private readonly modules = new Set<CodeModule<Member>>();
  private usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.usedBytes;
  }

  get isFull(): boolean {
    return this.usedBytes > this.limitBytes;
  }

  add(members: readonly Member[], textBytes: number): CodeModule<Member> {
    const module = { sizeBytes: moduleBytes + textBytes, members: new Set(members) };
    this.modules.add(module);
    this.usedBytes += module.sizeBytes;
    return module;
  }

  remove(module: CodeModule<Member>, member: Member): void {
    module.members.delete(member);
    if (module.members.size === 0 && this.modules.delete(module)) this.usedBytes -= module.sizeBytes;
  }

  /** Members of the oldest modules, to be removed until half of the memory is free. */
  *oldest(): Generator<Member> {
    for (const module of this.modules) {
      if (this.usedBytes <= this.limitBytes / 2) return;
      yield* [...module.members];
    }
  }
}
