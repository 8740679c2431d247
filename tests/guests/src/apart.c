/* Work that divides without remainder: every core fills an array of its own, sorts it, looks its values up again, and adds them up; no line
 * of memory is shared until the end. Each core does as much as a single one would. repeat=N times as often. */
#include "guest.h"
#include "option.h"

#define LENGTH 512

static u32 repeat;
static u64 sums[MAX_CORES];
static u32 values[MAX_CORES][LENGTH] __attribute__((aligned(64)));

static u32 next(u32 *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Shell's sort. */
static __attribute__((noinline)) void sort(u32 *v) {
    for (u32 gap = LENGTH / 2; gap; gap /= 2) {
        for (u32 i = gap; i < LENGTH; i++) {
            u32 value = v[i], at = i;
            for (; at >= gap && v[at - gap] > value; at -= gap) {
                v[at] = v[at - gap];
            }
            v[at] = value;
        }
    }
}

/* By halving. */
static __attribute__((noinline)) u32 place(const u32 *v, u32 value) {
    u32 low = 0, high = LENGTH;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (v[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void work(void) {
    u32 *mine = values[core_index()];
    u64 sum = 0;
    meet_all();
    for (u32 round = 0; round < repeat; round++) {
        u32 seed = round + 1, again = round + 1;
        for (u32 i = 0; i < LENGTH; i++) {
            mine[i] = next(&seed);
        }
        sort(mine);
        for (u32 i = 0; i < LENGTH; i++) {
            sum = sum * 31 + place(mine, next(&again));
        }
    }
    sums[core_index()] = sum;
    meet_all();
}

int guest(void) {
    u32 count = core_count();
    repeat = (u32)option("repeat", 10);
    title("apart");
    on_all_cores(work);
    u32 same = 0;
    for (u32 core = 0; core < count; core++) {
        same += sums[core] == sums[0];
    }
    if (same == count) {
        print("each core has found %lx\n", sums[0]);
    } else {
        print("CORES DIFFER\n");
    }
    return same != count;
}
