// The values of a system file (zod types): numbers in hexadecimal or decimal, sizes like 64M, times like 10ms, names, and sections that
// know all their keys. What is wrong is said in the words that follow `system.yaml:14: `.

import { z } from 'zod';
import { suggestion } from '../report/suggestion.ts';

const shown = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : JSON.stringify(value));

/** A value that `read` understands; `example` says how to write it. */
export const parsed = <T>(example: string, read: (text: string) => T | undefined) =>
  z.unknown().transform((value, context): T => {
    const isText = typeof value === 'string' || typeof value === 'number';
    const result = isText ? read(String(value).trim()) : undefined;
    if (result !== undefined) return result;
    const what = value === undefined ? 'it is missing' : `${shown(value)} is not one`;
    context.addIssue({ code: 'custom', message: `${what}: write it like ${example}` });
    return z.NEVER;
  });

function wholeNumber(text: string): number | undefined {
  if (!/^(0x[0-9a-f]+|0b[01]+|\d+)$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

export const number = parsed('16 or 0x10', wholeNumber);
export const address = parsed('0x40000000', wholeNumber);

const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
export const size = parsed('64M or 0x4000000', (text) => {
  const [, digits, unit] = /^(\d+)([KMG])$/i.exec(text) ?? [];
  const scale = units[unit?.toUpperCase() ?? ''];
  return digits !== undefined && scale !== undefined ? wholeNumber(`${Number(digits) * scale}`) : wholeNumber(text);
});

const timeUnits: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };
/** In nanoseconds, which are ticks. */
export const time = parsed('10ms', (text) => {
  const [, digits, unit = ''] = /^(\d+)(s|ms|us|ns)$/.exec(text) ?? [];
  return digits === undefined ? undefined : wholeNumber(`${Number(digits) * (timeUnits[unit] as number)}`);
});

export const macAddress = parsed('74:56:aa:0f:47:d1', (text) =>
  /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? text.split(':').map((byte) => parseInt(byte, 16)) : undefined,
);

/** A text; numbers are texts, too, for a command line may be one. */
export const words = parsed('text', (text) => text);
/** Letters, digits, and `.`, `_`, `-`, `@` inside: it names files of the store, and prefixes of lines. */
export const name = parsed('gvm1', (text) => (/^[\w][\w.@-]*$/.test(text) ? text : undefined));
export const yesOrNo = z.boolean({ error: 'write true or false' });

export const oneOf = <const T extends string>(values: readonly T[]) =>
  z.unknown().transform((value, context): T => {
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    const choice = suggestion(typeof value === 'string' ? value : '', values);
    const message = `${value === undefined ? 'it is missing' : `unknown value ${shown(value)}`}${choice || `: use ${values.join(', ')}`}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** A mapping with these keys and no others. */
export const section = <S extends z.core.$ZodShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'invalid_type') return 'a mapping with keys belongs here';
      const key = issue.keys[0] ?? '';
      return `unknown key "${key}"${suggestion(key, Object.keys(shape)) || `: known are ${Object.keys(shape).join(', ')}`}`;
    },
  });

export const listOf = <T extends z.ZodType>(item: T) => z.array(item, { error: 'a list belongs here' });

/** A value that may be written in several forms: `pick` says by which of them it is to be read. */
export const formOf = <T>(pick: (value: unknown) => z.ZodType<T>) =>
  z.unknown().transform((value, context): T => {
    const result = pick(value).safeParse(value);
    if (result.success) return result.data;
    for (const { message, path, code, ...rest } of result.error.issues) {
      const keys = 'keys' in rest ? rest.keys : undefined;
      context.addIssue({ code: 'custom', message, path: [...path], params: { keys, was: code } });
    }
    return z.NEVER;
  });

export const isMapping = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
