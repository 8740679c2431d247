// How numbers are shown to people.

/** A count with its thousands set apart. */
export const formatCount = (value: number): string => `${value}`.replace(/\B(?=(\d{3})+$)/g, ',');

const units = [
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
] as const;

/** A duration with three decimals in the largest unit that it reaches. */
export function formatTime(ns: number): string {
  for (const [unit, size] of units) if (ns >= size) return `${(ns / size).toFixed(3)} ${unit}`;
  return `${ns} ns`;
}

/** A size as the options spell it: the largest unit that leaves a whole number. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of [['G', 2 ** 30] as const, ['M', 2 ** 20] as const, ['K', 2 ** 10] as const])
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  return `${bytes}`;
}
