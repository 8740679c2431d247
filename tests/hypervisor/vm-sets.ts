// Random sets of VMs that come, get memory and streams, lose some of it, and go; and a model of who may reach what, that knows nothing
// of tables.

import fc from 'fast-check';

const vmCount = 4;
/** Of devices: two in one table of the second level of a stream table, others in tables of their own. */
export const streamIds: readonly number[] = [0x11, 0x12, 0x105, 0xfffe];

export const pagesPerBlock = 512;
/** Pages of a VM's address space that are used: few, so that VMs meet in IPAs, in two tables of the last level and in blocks. */
const firstPage = 0x8_0000;
const smallPage = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 508, max: 514 }));
const blockPage = fc.integer({ min: 2, max: 3 }).map((n) => n * pagesPerBlock);

const vm = fc.integer({ min: 0, max: vmCount - 1 });
const stream = fc.integer({ min: 0, max: streamIds.length - 1 });
const isWritable = fc.boolean();

export interface Piece {
  readonly ipaPage: number;
  readonly pages: number;
  readonly isWritable: boolean;
}

const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ipaPage: smallPage, pages: fc.integer({ min: 1, max: 4 }), isWritable }) },
  { weight: 1, arbitrary: fc.record({ ipaPage: blockPage, pages: fc.constant(pagesPerBlock), isWritable }) },
).map(({ ipaPage, ...rest }) => ({ ipaPage: firstPage + ipaPage, ...rest })); // prettier-ignore

export type VmAction =
  /** The VM comes, if it is not there, with the streams that nobody has. */
  | {
      readonly do: 'build';
      readonly vm: number;
      readonly streams: readonly number[];
      readonly memory: readonly Piece[];
    }
  | { readonly do: 'map'; readonly vm: number; readonly piece: Piece }
  | { readonly do: 'unmap'; readonly vm: number; readonly ipaPage: number }
  | { readonly do: 'remove'; readonly vm: number }
  /** A device asks, at a page and at an offset in it. */
  | { readonly do: 'access'; readonly stream: number; readonly ipaPage: number; readonly isWrite: boolean };

const anyPage = fc.oneof(smallPage, blockPage.map((page) => page + 77)).map((page) => firstPage + page); // prettier-ignore

const build = fc.record({
  do: fc.constant('build' as const),
  vm,
  streams: fc.uniqueArray(stream, { minLength: 1, maxLength: 3 }),
  memory: fc.array(piece, { minLength: 2, maxLength: 4, size: 'max' }),
});

const action: fc.Arbitrary<VmAction> = fc.oneof(
  { weight: 3, arbitrary: build },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('map' as const), vm, piece }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unmap' as const), vm, ipaPage: anyPage }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), vm }) },
  {
    weight: 16,
    arbitrary: fc.record({ do: fc.constant('access' as const), stream, ipaPage: anyPage, isWrite: fc.boolean() }),
  },
);

/** It begins with some VMs. */
export const vmActions: fc.Arbitrary<VmAction[]> = fc
  .tuple(
    fc.array(build, { minLength: 3, maxLength: 4, size: 'max' }),
    fc.array(action, { minLength: 20, maxLength: 120, size: 'max' }),
  )
  .map(([first, then]) => [...first, ...then]);

interface ModelPage {
  readonly pa: number;
  readonly isWritable: boolean;
}

/** Who has which pages and which streams. */
export class VmSetModel {
  /** By VM: pages by the number of their IPA; undefined while the VM is not there. */
  private readonly memory: (Map<number, ModelPage> | undefined)[] = Array.from({ length: vmCount }, () => undefined);
  private readonly owners = new Map<number, number>();

  isThere(n: number): boolean {
    return this.memory[n] !== undefined;
  }

  /** The streams that nobody has. */
  free(streams: readonly number[]): number[] {
    return streams.filter((position) => !this.owners.has(position));
  }

  build(n: number, streams: readonly number[]): void {
    this.memory[n] = new Map();
    for (const position of streams) this.owners.set(position, n);
  }

  /** True where nothing of the piece is mapped. */
  hasRoom(n: number, { ipaPage, pages }: Piece): boolean {
    return Array.from({ length: pages }, (_, page) => ipaPage + page).every((page) => !this.pages(n).has(page));
  }

  map(n: number, { ipaPage, pages, isWritable: may }: Piece, paPage: number): void {
    for (let page = 0; page < pages; page += 1)
      this.memory[n]?.set(ipaPage + page, { pa: paPage + page, isWritable: may });
  }

  /** Takes a page away, or all of the block that it is in. */
  unmap(n: number, ipaPage: number): void {
    const isBlock = ipaPage >= firstPage + 2 * pagesPerBlock;
    const first = isBlock ? ipaPage - (ipaPage % pagesPerBlock) : ipaPage;
    for (let page = 0; page < (isBlock ? pagesPerBlock : 1); page += 1) this.memory[n]?.delete(first + page);
  }

  remove(n: number): void {
    this.memory[n] = undefined;
    for (const [position, owner] of [...this.owners]) if (owner === n) this.owners.delete(position);
  }

  /** The page that a device may reach. */
  ofStream(position: number, ipaPage: number, isWrite: boolean): number | undefined {
    const owner = this.owners.get(position);
    const page = owner === undefined ? undefined : this.pages(owner).get(ipaPage);
    return page === undefined || (isWrite && !page.isWritable) ? undefined : page.pa;
  }

  /** Pages of a VM by the number of their IPA. */
  pages(n: number): ReadonlyMap<number, ModelPage> {
    return this.memory[n] ?? new Map<number, ModelPage>();
  }
}
