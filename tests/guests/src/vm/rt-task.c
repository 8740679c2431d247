/* A periodic real-time task: it programs the virtual timer, sleeps in WFI, and records how late it wakes, as CNTVCT_EL0 in
 * the handler minus the CNTV_CVAL_EL0 that was programmed. Deadlines are absolute: a late wake-up does not move the next one.
 *
 * Options: period=MICROSECONDS (1000), count=WAKE-UPS (1000), warmup=WAKE-UPS that are not counted (10). The histogram is in
 * `latencies`, one number of wake-ups per tick of latency; what is later than its end (4 ms at 62.5 MHz) falls into its last place.
 * It is printed with eight buckets to each power of two: "histogram: FIRST-LAST WAKE-UPS, ... ticks of F Hz".
 */
#include "kernel.h"

enum { places = 1 << 18, buckets_of_octave = 8 };

u32 latencies[places];
static u64 deadline, period, longest;
static volatile u32 wakeups;
static u32 missed, warmup, wanted;

static void wake(u32 intid) {
    (void)intid;
    u64 late = clock_now() - deadline;
    if (!clock_fired()) {
        return;
    }
    deadline += period;
    if (wakeups >= warmup) {
        latencies[late < places ? late : places - 1]++;
        longest = late > longest ? late : longest;
        missed += late >= period;
    }
    if (++wakeups == warmup + wanted) {
        clock_off();
    } else {
        clock_set(deadline);
    }
}

/* The latency that `per_mille` of all wake-ups do not exceed. */
static u64 quantile(u64 per_mille) {
    u64 rank = (wanted * per_mille + 999) / 1000, seen = 0;
    for (u32 i = 0; i < places - 1; i++) {
        seen += latencies[i];
        if (seen >= rank) {
            return i;
        }
    }
    return longest;
}

/* The first tick of the bucket after the one that begins at `first`. */
static u32 next_bucket(u32 first) {
    u32 width = 1;
    while (first >= 2 * buckets_of_octave * width) {
        width *= 2;
    }
    return first + width;
}

static void print_histogram(void) {
    const char *before = "histogram: ";
    for (u32 first = 0; first < places; first = next_bucket(first)) {
        u32 end = next_bucket(first), count = 0;
        for (u32 i = first; i < end; i++) {
            count += latencies[i];
        }
        if (count) {
            print("%s%u-%u %u", before, first, end - 1, count);
            before = ", ";
        }
    }
    print(" ticks of %lu Hz\n", READ(cntfrq_el0));
}

int guest(void) {
    introduce("rt-task");
    u64 microseconds = option_number("period", 1000);
    wanted = (u32)option_number("count", 1000);
    warmup = (u32)option_number("warmup", 10);
    period = clock_ticks(microseconds);
    print("rt-task: %u wake-ups, one every %lu us\n", wanted, microseconds);
    if (!wanted || !period) {
        return 0;
    }
    irq_mask();
    intc_take(machine.virtual_timer, false, wake);
    deadline = clock_now() + period;
    clock_set(deadline);
    sleep_until(&wakeups, warmup + wanted);
    irq_unmask();
    u64 shortest = 0;
    while (shortest < places - 1 && !latencies[shortest]) {
        shortest++;
    }
    print("latency: min %lu, median %lu, p99 %lu, p99.9 %lu, max %lu ticks of %lu Hz\n",
          shortest < longest ? shortest : longest, quantile(500), quantile(990), quantile(999), longest, READ(cntfrq_el0));
    print_histogram();
    print("deadlines: %u missed of %u\n", missed, wanted);
    print("rt-task: done\n");
    return 0;
}
