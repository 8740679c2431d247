/* Cores add to one counter by LDR, ADD, STR. How many additions are lost depends on the schedule: with one core none,
 * with more the total can be anything from 2 to cores * ROUNDS. */
#include "guest.h"

#define ROUNDS 2000

static u64 counter __attribute__((aligned(64)));

static void work(void) {
    meet_all();
    for (u32 i = 0; i < ROUNDS; i++) {
        u64 value;
        asm volatile("ldr %0, %1\n add %0, %0, #1\n str %0, %1" : "=&r"(value), "+Q"(counter) : : "memory");
    }
    meet_all();
}

int guest(void) {
    u64 added = (u64)core_count() * ROUNDS;
    title("racy-counter");
    on_all_cores(work);
    print("%lu added, total %lu, lost %lu\n", added, counter, added - counter);
    return 0;
}
