/* A periodic real-time task: it programs the virtual timer, sleeps in WFI, and records how late it wakes, as CNTVCT_EL0 in
 * the handler minus the CNTV_CVAL_EL0 that was programmed. Deadlines are absolute: a late wake-up does not move the next one.
 *
 * Options: period=MICROSECONDS (1000), count=WAKE-UPS (1000), warmup=WAKE-UPS that are not counted (10). The histogram is in
 * `latencies`, one number of wake-ups per tick of latency; what is later than its end falls into its last place.
 */
#include "kernel.h"

enum { places = 16384 };

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
    print("deadlines: %u missed of %u\n", missed, wanted);
    print("rt-task: done\n");
    return 0;
}
