// The general-purpose registers of x86 by their names: RAX, EAX, AX, AL…

export interface GeneralRegister {
  readonly number: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** In the order of their encodings. */
const stems = ['AX', 'CX', 'DX', 'BX', 'SP', 'BP', 'SI', 'DI'] as const;
const numberedSizes: Readonly<Record<string, GeneralRegister['bytes']>> = { '': 8, D: 4, W: 2, B: 1 };

/** The register of a name; undefined for AH and its kind, too, which are the upper half of another. */
export function generalRegister(text: string): GeneralRegister | undefined {
  const name = text.toUpperCase();
  const [, digits, suffix] = /^R(\d{1,2})([DWB]?)$/.exec(name) ?? [];
  if (digits !== undefined) {
    const number = Number(digits);
    return number >= 8 && number < 16 ? { number, bytes: numberedSizes[suffix!]! } : undefined;
  }
  const number = stems.findIndex((stem) => name.endsWith(stem));
  if (number >= 0) {
    const prefix = name.slice(0, -2);
    const bytes = ({ R: 8, E: 4, '': 2 } as Readonly<Record<string, GeneralRegister['bytes']>>)[prefix];
    return bytes === undefined ? undefined : { number, bytes };
  }
  const low = stems.findIndex((stem) => name === `${stem}L` || (stem.endsWith('X') && name === `${stem[0]!}L`));
  return low < 0 ? undefined : { number: low, bytes: 1 };
}

/** RAX for 8 bytes, EAX for 4. */
export function registerName({ number, bytes }: { readonly number: number; readonly bytes: 4 | 8 }): string {
  if (number >= 8) return `R${number}${bytes === 8 ? '' : 'D'}`;
  return `${bytes === 8 ? 'R' : 'E'}${stems[number]!}`;
}
