/* A pointer chase: each load's address is the result of the one before. Rings of one node per 64 bytes in an order
 * that Sattolo's algorithm makes one cycle, of 16 KiB to 4 MiB: where a cache model shows its levels. About 17 million instructions;
 * repeat=N times as many. */
#include "guest.h"
#include "option.h"

#define NODES 65536
#define STEPS 1000000

static struct node {
    struct node *next;
    u64 visits;
} __attribute__((aligned(64))) nodes[NODES] __attribute__((section(".noinit")));

static u64 random_state = 88172645463325252ull;
static u32 random_below(u32 n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (u32)((random_state >> 32) * n >> 32);
}

static void chase(u32 n) {
    for (u32 i = 0; i < n; i++) {
        nodes[i].next = &nodes[i];
        nodes[i].visits = 0;
    }
    for (u32 i = n - 1; i > 0; i--) {
        u32 j = random_below(i);
        struct node *next = nodes[i].next;
        nodes[i].next = nodes[j].next;
        nodes[j].next = next;
    }
    struct node *at = nodes;
    for (u32 i = 0; i < STEPS; i++) {
        at = at->next;
        asm volatile("" : "+r"(at));
    }
    u32 end = (u32)(at - nodes);
    u32 length = 0;
    do {
        at->visits++;
        at = at->next;
        length++;
    } while (at->visits == 0);
    print("%4u KiB: %u steps end at node %u, the cycle has %u nodes\n", n / 16, (u32)STEPS, end, length);
}

int guest(void) {
    print("chase\n");
    for (u64 repeat = option("repeat", 1); repeat > 0; repeat--) {
        for (u32 n = 256; n <= NODES; n *= 4) {
            chase(n);
        }
    }
    return 0;
}
