// The Cryptographic Extension, in the order of the manual's encoding groups.

import { aes } from './crypto/aes.ts';
import { polynomial } from './crypto/polynomial.ts';
import { sha } from './crypto/sha.ts';
import { sha3 } from './crypto/sha3.ts';
import { sha512 } from './crypto/sha512.ts';
import type { Row } from './encoding.ts';

export const crypto: readonly Row[] = [...aes, ...sha, ...sha512, ...sha3, ...polynomial];
