/* Copies: pairs of registers, misaligned words, SIMD&FP registers, bytes. About 160 million instructions on core 0;
 * repeat=N times as many. */
#include "guest.h"
#include "option.h"

#define BYTES (128 * 1024)

static u8 source[BYTES + 64] __attribute__((section(".noinit"), aligned(64)));
static u8 target[BYTES + 64] __attribute__((section(".noinit"), aligned(64)));

/* In memcpy.S: `bytes` is a multiple of 64 (of 1 for bytes). */
void copy_pairs(void *to, const void *from, u64 bytes);
void copy_words(void *to, const void *from, u64 bytes);
void copy_vectors(void *to, const void *from, u64 bytes);
void copy_bytes(void *to, const void *from, u64 bytes);

static void fill(u32 seed) {
    for (u32 i = 0; i < sizeof source; i++) {
        seed = seed * 1664525 + 1013904223;
        source[i] = (u8)(seed >> 24);
        target[i] = 0;
    }
}

static u64 fletcher(const u8 *p, u32 bytes) {
    u32 a = 1, b = 0;
    for (u32 i = 0; i < bytes; i++) {
        a += p[i];
        b += a;
    }
    return (u64)b << 32 | a;
}

static void run(const char *name, void (*copy)(void *, const void *, u64), u32 bytes, u32 times, u32 from, u32 to) {
    fill(times);
    for (u32 i = 0; i < times; i++) {
        copy(target + to, source + from, bytes);
    }
    bool same = true;
    for (u32 i = 0; i < bytes; i++) {
        same &= target[to + i] == source[from + i];
    }
    bool untouched = true;
    for (u32 i = to + bytes; i < sizeof target; i++) {
        untouched &= target[i] == 0;
    }
    check(same, "the copy is equal");
    check(untouched, "nothing behind the copy is written");
    print("%s: %u bytes, %u times, sum %016lx\n", name, bytes, times, fletcher(target + to, bytes));
}

int guest(void) {
    u32 repeat = (u32)option("repeat", 1);
    print("memcpy\n");
    run("pairs, aligned", copy_pairs, BYTES, 2400 * repeat, 0, 0);
    run("pairs, source misaligned by 3", copy_pairs, BYTES, 320 * repeat, 3, 0);
    run("words, target misaligned by 5", copy_words, BYTES, 320 * repeat, 0, 5);
    run("vectors", copy_vectors, BYTES, 1600 * repeat, 0, 0);
    run("bytes", copy_bytes, BYTES / 2, 160 * repeat, 1, 2);
    return 0;
}
