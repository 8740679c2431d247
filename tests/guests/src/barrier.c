/* A sense-reversing barrier. In every round each core publishes its round number by an ordinary store, passes the
 * barrier, and looks at the numbers of all others: none may be behind, and none ahead before the second barrier. */
#include "guest.h"

#define ROUNDS 100

static u32 count;
static struct {
    u32 arrived;
    u32 sense __attribute__((aligned(64)));
} __attribute__((aligned(64))) shared;
static struct {
    u32 round, sense, violations;
} __attribute__((aligned(64))) local[MAX_CORES];

static void barrier(u32 n) {
    u32 sense = local[n].sense ^= 1;
    if (fetch_add(&shared.arrived, 1) + 1 == count) {
        shared.arrived = 0;
        store_release(&shared.sense, sense);
    } else {
        await_equal(&shared.sense, sense);
    }
}

static void say(u32 n) {
    print("core %u: %u rounds, %u violations\n", n, local[n].round, local[n].violations);
}

static void work(void) {
    u32 n = core_index();
    for (u32 round = 1; round <= ROUNDS; round++) {
        *(volatile u32 *)&local[n].round = round;
        barrier(n);
        for (u32 i = 0; i < count; i++) {
            local[n].violations += *(volatile u32 *)&local[i].round != round;
        }
        barrier(n);
    }
    in_core_order(say);
}

int guest(void) {
    count = core_count();
    title("barrier");
    on_all_cores(work);
    u32 violations = 0;
    for (u32 i = 0; i < count; i++) {
        violations += local[i].violations;
    }
    return violations != 0;
}
