// How many rows and encodings there are: by group and by feature.

import { addSubtract } from '../../src/isa/add-subtract.ts';
import { atomics } from '../../src/isa/atomics.ts';
import { bitOperations } from '../../src/isa/bit-operations.ts';
import { bitfield } from '../../src/isa/bitfield.ts';
import { branches } from '../../src/isa/branches.ts';
import { conditional } from '../../src/isa/conditional.ts';
import { crc32 } from '../../src/isa/crc32.ts';
import { aes } from '../../src/isa/crypto/aes.ts';
import { polynomial } from '../../src/isa/crypto/polynomial.ts';
import { sha } from '../../src/isa/crypto/sha.ts';
import { sha3 } from '../../src/isa/crypto/sha3.ts';
import { sha512 } from '../../src/isa/crypto/sha512.ts';
import { divideShift } from '../../src/isa/divide-shift.ts';
import { fieldsOf, knownCombinations, type Row } from '../../src/isa/encoding.ts';
import { floatCompare } from '../../src/isa/float-compare.ts';
import { floatConversion } from '../../src/isa/float-conversion.ts';
import { floatDataProcessing } from '../../src/isa/float-data-processing.ts';
import { flags } from '../../src/isa/flags.ts';
import { loadsStoresExclusive } from '../../src/isa/loads-stores-exclusive.ts';
import { loadsStoresOrdered } from '../../src/isa/loads-stores-ordered.ts';
import { loadsStoresPair } from '../../src/isa/loads-stores-pair.ts';
import { loadsStoresRegister } from '../../src/isa/loads-stores-register.ts';
import { loadsStoresStructures } from '../../src/isa/loads-stores-structures.ts';
import { logical } from '../../src/isa/logical.ts';
import { moveWide } from '../../src/isa/move-wide.ts';
import { multiply } from '../../src/isa/multiply.ts';
import { pointerAuthentication, pointerLoads } from '../../src/isa/pointer-authentication.ts';
import { pcRelative } from '../../src/isa/pc-relative.ts';
import { byElement } from '../../src/isa/simd/by-element.ts';
import { complex } from '../../src/isa/simd/complex.ts';
import { copy } from '../../src/isa/simd/copy.ts';
import { floatAcross } from '../../src/isa/simd/float-across.ts';
import { floatByElement } from '../../src/isa/simd/float-by-element.ts';
import { floatFixedPoint } from '../../src/isa/simd/float-fixed-point.ts';
import { floatThreeSame } from '../../src/isa/simd/float-three-same.ts';
import { floatTwoRegister } from '../../src/isa/simd/float-two-register.ts';
import { floatWidth } from '../../src/isa/simd/float-width.ts';
import { modifiedImmediate } from '../../src/isa/simd/modified-immediate.ts';
import { permutes } from '../../src/isa/simd/permute.ts';
import { shiftImmediate } from '../../src/isa/simd/shift-immediate.ts';
import { threeDifferent } from '../../src/isa/simd/three-different.ts';
import { threeSame } from '../../src/isa/simd/three-same.ts';
import { threeSameExtra } from '../../src/isa/simd/three-same-extra.ts';
import { twoRegister } from '../../src/isa/simd/two-register.ts';
import { system } from '../../src/isa/system.ts';
import { randomWords } from '../isa/random-words.ts';
import { table } from './markdown.ts';

/** In the order of the manual's encoding groups. */
const groups: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  ['PC-relative addresses', pcRelative],
  ['addition and subtraction', addSubtract],
  ['logical', logical],
  ['move wide', moveWide],
  ['bitfield and extract', bitfield],
  ['division and variable shift', divideShift],
  ['CRC32', crc32],
  ['bit operations', bitOperations],
  ['flags', flags],
  ['conditional select and compare', conditional],
  ['multiplication', multiply],
  ['branches', branches],
  ['exceptions, hints, barriers, system registers', system],
  ['pointer authentication: codes', pointerAuthentication],
  ['loads and stores: authenticated', pointerLoads],
  ['loads and stores: Advanced SIMD structures', loadsStoresStructures],
  ['loads and stores: exclusive', loadsStoresExclusive],
  ['loads and stores: ordered', loadsStoresOrdered],
  ['loads and stores: pairs', loadsStoresPair],
  ['loads and stores: one register', loadsStoresRegister],
  ['atomic memory operations', atomics],
  ['floating point: data processing', floatDataProcessing],
  ['floating point: comparison', floatCompare],
  ['floating point: conversion and moves', floatConversion],
  ['Advanced SIMD: permute and table lookup', permutes],
  ['Advanced SIMD: copy', copy],
  ['Advanced SIMD: three registers', threeSame],
  ['Advanced SIMD: three registers, FEAT_RDM and FEAT_DotProd', threeSameExtra],
  ['Advanced SIMD: three registers of two widths', threeDifferent],
  ['Advanced SIMD: vector by element', byElement],
  ['Advanced SIMD: two registers, across lanes', twoRegister],
  ['Advanced SIMD: modified immediate', modifiedImmediate],
  ['Advanced SIMD: shift by immediate', shiftImmediate],
  ['vectors of numbers: three registers', floatThreeSame],
  ['vectors of numbers: two registers', [...floatTwoRegister, ...floatWidth]],
  ['vectors of numbers: across lanes, pairs', floatAcross],
  ['vectors of numbers: fixed point', floatFixedPoint],
  ['vectors of numbers: by element, FEAT_FHM', floatByElement],
  ['vectors of numbers: complex numbers', complex],
  ['cryptography', [...aes, ...sha, ...sha512, ...sha3, ...polynomial]],
];

export const listedRows = groups.flatMap(([, rows]) => rows);

/** Known fields decide on almost every name, so that a small sample of operands finds all of them. */
const wordsPerCombination = 64;

/** Names of the encodings that the words of a row have. */
const encodingsOf = (row: Row): string[] =>
  knownCombinations(row).flatMap((known) =>
    randomWords(row, wordsPerCombination, row.value + 1, known).map((word) => row.encoding(fieldsOf(row, word))),
  );

const namesOf = (rows: readonly Row[]): Set<string> => new Set(rows.flatMap(encodingsOf));

export const encodingNames = namesOf(listedRows);

const count = (title: string, rows: readonly Row[]): string[] => [title, `${rows.length}`, `${namesOf(rows).size}`];

export const rowTable = (): string =>
  table(
    ['group', 'rows', 'encodings'],
    [...groups.map(([title, rows]) => count(title, rows)), count('all', listedRows)],
  );

export function featureTable(): string {
  const features = new Set(listedRows.flatMap(({ feature }) => feature ?? []));
  return table(
    ['feature', 'rows', 'encodings'],
    [...features].sort().map((name) =>
      count(
        name,
        listedRows.filter(({ feature }) => feature === name),
      ),
    ),
  );
}
