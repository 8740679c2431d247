// The names of the floating-point operations that an instruction may ask of the semantics interface (operations.ts has their meaning).

const arithmetic = [
  'add', 'sub', 'mul', 'mulX', 'div', 'sqrt', 'mulAdd', 'mulAddHalf', 'recipStep', 'rsqrtStep',
  'max', 'min', 'maxNum', 'minNum',
  'compareQuiet', 'compareSignaling', 'compareEQ', 'compareGE', 'compareGT',
  'recipEstimate', 'rsqrtEstimate', 'recipExponent',
  'convertTo16', 'convertTo32', 'convertTo64',
  'roundToIntegral', 'roundToIntegralExact',
] as const; // prettier-ignore

/** Integers, as conversions have them. */
export const integerNames = ['Signed16', 'Signed32', 'Signed64', 'Unsigned16', 'Unsigned32', 'Unsigned64'] as const;
export type IntegerName = (typeof integerNames)[number];

export type FloatOperation = (typeof arithmetic)[number] | `to${IntegerName}` | `from${IntegerName}`;

/** In the order of the functions that engines make of them. */
export const floatOperations: readonly FloatOperation[] = [
  ...arithmetic,
  ...integerNames.map((name) => `to${name}` as const),
  ...integerNames.map((name) => `from${name}` as const),
];
