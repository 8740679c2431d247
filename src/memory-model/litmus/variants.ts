// The variants of herd7 that a test runs under: those of its own line `Variant=`, and those that the user names. Which there are, which
// of them are the same, and which are not supported.

import type { UnhandledException } from '../aarch64-exceptions.ts';
import type { LitmusTest } from './test.ts';
import { refuse } from './text.ts';

export interface Variants {
  has(name: Variant): boolean;
  /** What becomes of an exception where the thread has no handler. */
  readonly unhandled: UnhandledException;
  /** By their names in cat. */
  readonly names: ReadonlySet<string>;
}

/** Those that are supported; "mixed" and "ifetch" are always on. */
export const variantNames = [
  'mixed', 'ifetch', 'vmsa', 'ets2', 'ets3', 'exs', 'eis', 'eos', 'fatal', 'skip', 'handled', 'shadowstack',
] as const; // prettier-ignore
export type Variant = (typeof variantNames)[number];

/** Other names of the same. */
const otherNames: Readonly<Record<string, Variant>> = {
  kvm: 'vmsa',
  precise: 'fatal',
  synchronous: 'fatal',
  sync: 'fatal',
  imprecise: 'handled',
  asynchronous: 'handled',
  async: 'handled',
  faulttonext: 'skip',
  self: 'ifetch',
  gcs: 'shadowstack',
};

/** Those that change what a test means, and are not supported; every other one is unknown. */
const unsupported = ['memtag', 'mte', 'pac', 'morello', 'sve', 'sme'];

/** The variant of that name, in small letters; undefined where there is none that is supported. */
export function variantNamed(text: string): Variant | undefined {
  const name = text.toLowerCase();
  return variantNames.find((one) => one === name) ?? otherNames[name];
}

export const isUnsupportedVariant = (text: string): boolean => unsupported.includes(text.toLowerCase());

export function variantsOf(
  { info, file }: LitmusTest,
  { variants = [] }: { readonly variants?: readonly string[] },
): Variants {
  const own = (info.get('variant') ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const names = new Set<Variant>();
  for (const name of [...variants, ...own]) {
    const variant = variantNamed(name);
    if (variant !== undefined) names.add(variant);
    else if (isUnsupportedVariant(name))
      throw refuse({ file, line: 1, column: 1 }, `the test is for the variant ${name}, which is not supported`);
  }
  return {
    has: (name) => names.has(name),
    unhandled: (['skip', 'handled'] as const).find((name) => names.has(name)) ?? 'fatal',
    names,
  };
}
