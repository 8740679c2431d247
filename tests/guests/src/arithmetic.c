/* Integer arithmetic in registers: loops that touch no memory. Greatest common divisors by subtraction and by remainder, Collatz
 * sequences, a generator of random numbers, bits counted, square roots by halving. About 2 million instructions; repeat=N times as
 * many. */
#include "guest.h"
#include "option.h"

static __attribute__((noinline)) u64 divisors(u64 from, u64 count) {
    u64 sum = 0;
    for (u64 i = from; i < from + count; i++) {
        u64 a = i * 30 + 7, b = i * 18 + 3;
        while (b) {
            u64 rest = a % b;
            a = b;
            b = rest;
        }
        u32 x = (u32)i * 6 + 4, y = 1002;
        while (x != y) {
            if (x > y) {
                x -= y;
            } else {
                y -= x;
            }
        }
        sum += a * 31 + x;
    }
    return sum;
}

static __attribute__((noinline)) u64 collatz(u64 from, u64 count) {
    u64 longest = 0;
    for (u64 i = from; i < from + count; i++) {
        u64 length = 0;
        for (u64 n = i; n != 1; length++) {
            n = n & 1 ? 3 * n + 1 : n >> 1;
        }
        longest = length > longest ? length : longest;
    }
    return longest;
}

static __attribute__((noinline)) u64 bits(u64 seed, u64 count) {
    u64 ones = 0;
    for (u64 i = 0; i < count; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        u64 v = seed;
        v = v - (v >> 1 & 0x5555555555555555ull);
        v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
        v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
        ones += v * 0x0101010101010101ull >> 56;
    }
    return ones ^ seed;
}

static __attribute__((noinline)) u64 roots(u64 from, u64 count) {
    u64 sum = 0;
    for (u64 i = 0; i < count; i++) {
        u64 square = from + i * 0x9e3779b9, root = 0;
        for (u64 bit = 1ull << 24; bit; bit >>= 1) {
            if ((root | bit) * (root | bit) <= square) {
                root |= bit;
            }
        }
        sum += root;
    }
    return sum;
}

int guest(void) {
    u64 checksum = 1;
    u64 repeat = option("repeat", 1);
    for (u64 n = 0; n < repeat; n++) {
        checksum = checksum * 0x5851f42d4c957f2dull + divisors(1 + n % 97, 700);
        checksum = checksum * 0x5851f42d4c957f2dull + collatz(1 + n % 89, 1800);
        checksum = checksum * 0x5851f42d4c957f2dull + bits(88172645463325252ull + n, 30000);
        checksum = checksum * 0x5851f42d4c957f2dull + roots(checksum >> 20, 3000);
    }
    print("arithmetic: checksum %016lx\n", checksum);
    return 0;
}
