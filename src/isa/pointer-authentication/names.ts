// The keys and the operations of pointer authentication.

export const pointerKeys = ['IA', 'IB', 'DA', 'DB'] as const;
export type PointerKey = (typeof pointerKeys)[number];

/** PACIA, AUTDB…; XPACI and XPACD are XPAC with an A key; PACGA. */
export type PointerOperation = `${'PAC' | 'AUT'}${PointerKey}` | 'XPACI' | 'XPACD' | 'PACGA';
export const pointerOperations: readonly PointerOperation[] = [
  ...pointerKeys.map((key) => `PAC${key}` as const),
  ...pointerKeys.map((key) => `AUT${key}` as const),
  'XPACI',
  'XPACD',
  'PACGA',
];
