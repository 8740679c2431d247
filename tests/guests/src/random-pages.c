/* Translation: words in pages that are chosen at random among 16,384 of 4 KiB at 8 GiB, far more than any TLB holds, over
 * 2,048 pages of memory. Now and then one of them is moved, by break-before-make. About 1 million instructions; repeat=N times as many. */
#include "guest.h"
#include "option.h"

#define WINDOW 0x200000000ul
#define TABLES 32
#define PAGES (TABLES * 512)
#define FRAMES 2048
#define ACCESSES 30000
#define BETWEEN_MOVES 1000
#define NORMAL (PTE_PAGE | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_PXN | PTE_UXN)

extern u64 level1[512];
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[PAGES] __attribute__((section(".noinit"), aligned(4096)));
static u64 frames[FRAMES][512] __attribute__((section(".noinit"), aligned(4096)));

static u32 state = 2463534242;
static u32 random(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static volatile u64 *word(u32 page, u32 at) {
    return (volatile u64 *)(WINDOW + page * 4096ul) + at;
}

static void move(u32 page, u32 frame) {
    volatile u64 *entry = &level3[page];
    *entry = 0;
    dsb(ishst);
    asm volatile("tlbi vaae1is, %0" : : "r"((WINDOW >> 12) + page) : "memory");
    dsb(ish);
    *entry = (u64)frames[frame] | NORMAL;
    dsb(ishst);
    isb();
}

int guest(void) {
    for (u32 i = 0; i < FRAMES; i++) {
        frames[i][0] = i;
        frames[i][1] = 0;
    }
    for (u32 page = 0; page < PAGES; page++) {
        level3[page] = (u64)frames[page * 7 % FRAMES] | NORMAL;
    }
    for (u32 i = 0; i < TABLES; i++) {
        level2[i] = (u64)(level3 + 512 * i) | PTE_TABLE;
    }
    level1[WINDOW >> 30] = (u64)level2 | PTE_TABLE;
    dsb(ishst);
    isb();
    u64 sum = 0, accesses = ACCESSES * option("repeat", 1);
    for (u64 i = 0; i < accesses; i++) {
        u32 page = random() % PAGES;
        sum = sum * 31 + *word(page, 0);
        *word(page, 1) += i;
        if (i % BETWEEN_MOVES == 0) {
            move(page, random() % FRAMES);
        }
    }
    u64 stored = 0;
    for (u32 i = 0; i < FRAMES; i++) {
        stored += frames[i][1];
    }
    check(stored == accesses * (accesses - 1) / 2, "every store has reached its frame");
    print("random-pages: %lu accesses to %u pages, sum %016lx\n", accesses, (u32)PAGES, sum);
    return 0;
}
