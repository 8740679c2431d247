/* Every core there is: boots by PSCI, sends an IPI to its neighbour, sleeps in WFI until its own arrives. The last one
 * reports and turns the system off by PSCI (or, entered at EL3, exits). For 1 to 1,024 cores. */
#include "guest.h"

static u32 count, received_in_all;
static struct {
    u32 ready, received;
} __attribute__((aligned(64))) local[MAX_CORES];

static void received(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid < 1020) {
        local[core_index()].received++;
        gic_end(intid);
    }
}

static void work(void) {
    u32 n = core_index();
    u32 neighbour = n + 1 == count ? 0 : n + 1;
    gic_init_core();
    store_release(&local[n].ready, 1);
    await_equal(&local[neighbour].ready, 1); /* an SGI that comes before would be cleared by gic_init_core() */
    send_sgi(neighbour, 1);
    sleep_until(&local[n].received, 1);
    if (fetch_add(&received_in_all, 1) + 1 < count) {
        for (;;) {
            wfi();
        }
    }
    print("%u cores, %u IPIs received\n", count, received_in_all);
    if (entry_el != 3) {
        psci(PSCI_SYSTEM_OFF, 0, 0, 0);
    }
    exit(0);
}

int guest(void) {
    count = core_count();
    gic_init();
    on_irq = received;
    on_all_cores(work);
    return 1;
}
