/* WFE and SEV: a mutex whose waiters sleep until the holder's SEV; a flag that all cores wait for; SEVL. Correct only
 * because the event register remembers: an event that comes between a core's test and its WFE ends that WFE. */
#include "guest.h"

#define ROUNDS 500

static u32 count;
static struct {
    u32 held;
    u32 go __attribute__((aligned(64)));
    u64 total __attribute__((aligned(64)));
} __attribute__((aligned(64))) shared;

static bool try_take(u32 *p) {
    u32 value, failed;
    asm volatile("   mov %w1, #1\n"
                 "   ldaxr %w0, %2\n"
                 "   cbnz %w0, 1f\n"
                 "   stxr %w1, %w3, %2\n"
                 "1: clrex\n"
                 : "=&r"(value), "=&r"(failed), "+Q"(*p)
                 : "r"(1)
                 : "memory");
    return !failed;
}

static void take(void) {
    while (!try_take(&shared.held)) {
        wfe();
    }
}

static void give(void) {
    store_release(&shared.held, 0);
    dsb(ish); /* the store is visible before the event */
    sev();
}

static void work(void) {
    meet_all();
    if (core_index() == 0) {
        store_release(&shared.go, 1);
        dsb(ish);
        sev();
    } else {
        while (!load_acquire(&shared.go)) {
            wfe();
        }
    }
    for (u32 i = 0; i < ROUNDS; i++) {
        take();
        ++*(volatile u64 *)&shared.total;
        give();
    }
    meet_all();
}

int guest(void) {
    count = core_count();
    title("wfe-mutex");
    for (u32 i = 0; i < 3; i++) {
        sevl();
        wfe(); /* the local event is there: no sleep, or the run never ends */
    }
    sev();
    wfe();
    print("SEVL and SEV set the event register of this core\n");
    on_all_cores(work);
    print("%lu of %lu increments\n", shared.total, (u64)count * ROUNDS);
    return shared.total != (u64)count * ROUNDS;
}
