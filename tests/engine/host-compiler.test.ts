// What V8's optimising compiler makes of a small function, as it is set up for translated code: no bit of a local is lost.

import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { setUpHostCompiler } from '../../src/engine/wasm/host-compiler.ts';

/**
 * A function of an i32 whose bits choose the way through nested blocks, without branch hints. One i64 local is loaded from address 152 whole and,
 * on other ways, zero-extended from 32 bits; calls make it wait on the stack, and in the end it is stored at address 1176. Bits 1, 3 and 4
 * choose a way on which it is still the whole one: V8 11.3 loads 32 bits of it there if its move optimiser runs.
 */
const module = Buffer.from(
  [
    'AGFzbQEAAAABCAJgAABgAX8AAgoBAWgEY2FsbAAAAwIBAQUDAQABBw4CBm1lbW9yeQIAAWYAAQrNAQHKAQEHfkH4ACgCAK0hA0HwACgCAK0hBU',
    'GYASkDACEGQdAAKQMAIQcCQAJAAkACQBAAIABBAnEEQCAAQQhxBEAgBqetIQIgAEEQcQRAEABBmAEoAgCtIQQMBQsLC0EYKAIArSEGQbgIIAM3',
    'AwAgAEEIcQ0AIABBAnENASAAQQFxBEAgAEEgcQ0EIAYhBUGoCCABNwMACyAGIAd8IQEgAEEgcQRAEAALC0HYCCABNwMAEAAgBSAHfCECC0HoCC',
    'ACNwMACwtBmAkgBjcDAAs=',
  ].join(''),
  'base64',
);
const whole = 0x8123_457a_0000_0013n;
const stillWhole = 0b11010;

describe('the compiler of the host', () => {
  it('keeps all 64 bits of a local that holds a zero-extended value on another way to the same join', () => {
    // Vitest runs a file in a process of its own: no other test compiles by this flag.
    setFlagsFromString('--no-liftoff');
    setUpHostCompiler();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { h: { call: () => undefined } });
    const view = new DataView((exports['memory'] as unknown as { readonly buffer: ArrayBuffer }).buffer);
    view.setBigUint64(152, whole, true);
    (exports['f'] as (ways: number) => void)(stillWhole);
    expect(view.getBigUint64(1176, true)).toBe(whole);
  });
});
