// Compression of 8 MiB and back, with and without threads: what is made is byte for byte what is made under qemu-aarch64, and becomes what it
// was. `md5sum` and `openssl dgst` of the same bytes.

import { describe, it } from 'vitest';
import { comparisonMs, expectTheSame } from '../debian.ts';
import { proseOf } from './text.ts';

const text = proseOf(8 << 20);
const files = { text };

/** Compresses `text`, takes the text away, restores it from what was made, and compares it with a copy. */
const thereAndBack = (there: string, made: string, back: string): string =>
  `set -e; cp text copy; ${there}; rm -f text; ${back}; cmp text copy; md5sum text; test -s ${made}`;

interface RoundTrip {
  readonly there: string;
  readonly made: string;
  readonly back: string;
  readonly cores: number;
}

// The fastest level of xz: the usual one takes ten times as long, under qemu-aarch64 as well.
const roundTrips: readonly RoundTrip[] = [
  { there: 'gzip -kn text', made: 'text.gz', back: 'gzip -dk text.gz', cores: 1 },
  { there: 'pigz -kn -p4 text', made: 'text.gz', back: 'pigz -dk -p4 text.gz', cores: 4 },
  { there: 'xz -1 -k text', made: 'text.xz', back: 'xz -dk text.xz', cores: 1 },
  { there: 'xz -1 -k -T4 --block-size=2MiB text', made: 'text.xz', back: 'xz -dk -T4 text.xz', cores: 4 },
  { there: 'zstd -qk text', made: 'text.zst', back: 'zstd -dqk text.zst', cores: 1 },
  { there: 'zstd -qk -T4 text', made: 'text.zst', back: 'zstd -dqk text.zst', cores: 4 },
  { there: 'lz4 -qk text text.lz4', made: 'text.lz4', back: 'lz4 -dqk text.lz4 text', cores: 1 },
  { there: 'brotli -k -q 5 text', made: 'text.br', back: 'brotli -dk text.br', cores: 1 },
];

describe('a round trip of 8 MiB', () => {
  for (const { there, made, back, cores } of roundTrips)
    it(`makes the bytes that it makes under qemu-aarch64: ${there}, ${cores} cores`, { timeout: comparisonMs }, () => {
      expectTheSame({
        program: 'bin/bash',
        words: ['-c', thereAndBack(there, made, back)],
        cores,
        files,
        makes: [made],
        startsOthers: true,
      });
    });
});

describe('the digest of 8 MiB', () => {
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512'])
    it(`is that of qemu-aarch64: ${algorithm}`, { timeout: comparisonMs }, () => {
      expectTheSame({ program: 'usr/bin/openssl', words: ['dgst', `-${algorithm}`, 'text'], files });
    });
  for (const program of ['md5sum', 'cksum', 'b2sum'])
    it(`is that of qemu-aarch64: ${program}`, { timeout: comparisonMs }, () => {
      expectTheSame({ program: `usr/bin/${program}`, words: ['text'], files });
    });
});
