/* A ring between a producer and a consumer (cores 2k and 2k+1; a core without a partner is both). Ordinary loads and
 * stores; what makes it correct on Armv8 are the barriers: the producer's DMB between item and head, the consumer's
 * between head and item, and between the item and the slot's return to the producer.
 *
 * ring-racy.c is this text without them. */
#include "guest.h"

#ifdef RACY
#define NAME "ring-racy"
#define publish_barrier() asm volatile("" : : : "memory")
#define observe_barrier() asm volatile("" : : : "memory")
#define release_barrier() asm volatile("" : : : "memory")
#else
#define NAME "ring"
#define publish_barrier() dmb(ishst)
#define observe_barrier() dmb(ishld)
#define release_barrier() dmb(ish)
#endif

#define SLOTS 8
#define ITEMS 5000

struct item {
    u64 sequence;
    u64 inverse __attribute__((aligned(64))); /* on another line: it may become visible at another time */
};

static u32 count;
static struct ring {
    volatile u64 head __attribute__((aligned(64)));
    volatile u64 tail __attribute__((aligned(64)));
    volatile struct item slots[SLOTS];
    u64 sum, torn, stale;
} rings[MAX_CORES / 2 + 1];

static void produce(struct ring *r, u64 i) {
    while (i - r->tail >= SLOTS) {
        asm volatile("yield");
    }
    release_barrier();
    r->slots[i % SLOTS].sequence = i;
    r->slots[i % SLOTS].inverse = ~i;
    publish_barrier();
    r->head = i + 1;
}

static void consume(struct ring *r, u64 i) {
    while (r->head <= i) {
        asm volatile("yield");
    }
    observe_barrier();
    u64 sequence = r->slots[i % SLOTS].sequence;
    u64 inverse = r->slots[i % SLOTS].inverse;
    release_barrier();
    r->tail = i + 1;
    r->torn += sequence != ~inverse;
    r->stale += sequence != i;
    r->sum += sequence;
}

static void work(void) {
    u32 n = core_index();
    struct ring *r = &rings[n / 2];
    bool alone = (n ^ 1) >= count;
    for (u64 i = 1; i < SLOTS; i += 2) {
        if (n % 2 == 0) {
            r->slots[i].inverse = ~0ull;
            r->slots[i - 1].inverse = ~0ull;
        }
    }
    meet_all();
    for (u64 i = 0; i < ITEMS; i++) {
        if (n % 2 == 0) {
            produce(r, i);
        }
        if (n % 2 == 1 || alone) {
            consume(r, i);
        }
    }
    meet_all();
}

int guest(void) {
    count = core_count();
    title(NAME);
    print("%u items through %u slots\n", (u32)ITEMS, (u32)SLOTS);
    on_all_cores(work);
    u64 bad = 0;
    for (u32 i = 0; i < (count + 1) / 2; i++) {
        struct ring *r = &rings[i];
        print("ring %u: sum %lu, %lu torn, %lu stale\n", i, r->sum, r->torn, r->stale);
        bad += r->torn + r->stale;
    }
    print(bad ? "ITEMS LOST\n" : "every item arrived once and whole\n");
    return bad != 0;
}
