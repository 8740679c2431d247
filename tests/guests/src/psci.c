/* PSCI (Arm DEN 0022): version and features, a core that is turned off and on again, AFFINITY_INFO, CPU_SUSPEND, and
 * what wrong arguments return. Needs firmware: not for a guest entered at EL3. */
#include "guest.h"

static u32 count;
static u32 on_times[MAX_CORES];
static u32 may_go_off[MAX_CORES];
static u32 woken;

static const char *name_of(long result) {
    switch (result) {
    case PSCI_SUCCESS: return "SUCCESS";
    case PSCI_NOT_SUPPORTED: return "NOT_SUPPORTED";
    case PSCI_INVALID_PARAMETERS: return "INVALID_PARAMETERS";
    case PSCI_DENIED: return "DENIED";
    case PSCI_ALREADY_ON: return "ALREADY_ON";
    case PSCI_ON_PENDING: return "ON_PENDING";
    default: return "another value";
    }
}

static void say_result(const char *call, long result) {
    print("%s: %s\n", call, name_of(result));
}

static long affinity_info(u32 n) {
    return psci(PSCI_AFFINITY_INFO, core_affinity(n), 0, 0);
}

/* Every core's program: says that it is on, waits until it may go, turns itself off. */
static void visit(void) {
    u32 n = core_index();
    fetch_add(&on_times[n], 1);
    await_equal(&may_go_off[n], on_times[n]);
    psci(PSCI_CPU_OFF, 0, 0, 0);
    check(false, "CPU_OFF does not return");
}

static void wait_until_off(u32 n) {
    while (affinity_info(n) != 1) {
        asm volatile("yield");
    }
}

static void turn(u32 n) {
    print("core %u: %s", n, affinity_info(n) == 1 ? "off" : "NOT OFF");
    for (u32 times = 1; times <= 3; times++) {
        start_core(n, visit);
        await_equal(&on_times[n], times);
        check(affinity_info(n) == 0, "a core that runs is on");
        check(psci(PSCI_CPU_ON, core_affinity(n), (u64)secondary_start, n) == PSCI_ALREADY_ON, "ALREADY_ON of a core that is on");
        print(", on");
        store_release(&may_go_off[n], times);
        wait_until_off(n);
        print(", off");
    }
    print("\n");
}

static void wake(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid < 1020) {
        woken++;
        gic_end(intid);
    }
}

int guest(void) {
    count = core_count();
    title("psci");
    check(psci(PSCI_VERSION, 0, 0, 0) >= 0x10000, "PSCI is 1.0 or later");
    print("migration: %s\n", psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0) == 2 ? "not needed" : "of a Trusted OS");
    print("PSCI_FEATURES: CPU_ON %s, CPU_OFF %s, CPU_SUSPEND %s, AFFINITY_INFO %s, SYSTEM_OFF %s\n",
          psci(PSCI_FEATURES, PSCI_CPU_ON, 0, 0) >= 0 ? "yes" : "NO", psci(PSCI_FEATURES, PSCI_CPU_OFF, 0, 0) >= 0 ? "yes" : "NO",
          psci(PSCI_FEATURES, PSCI_CPU_SUSPEND, 0, 0) >= 0 ? "yes" : "NO",
          psci(PSCI_FEATURES, PSCI_AFFINITY_INFO, 0, 0) >= 0 ? "yes" : "NO",
          psci(PSCI_FEATURES, PSCI_SYSTEM_OFF, 0, 0) >= 0 ? "yes" : "NO");
    say_result("PSCI_FEATURES of an unknown function", psci(PSCI_FEATURES, 0x8400ffff, 0, 0));
    say_result("an unknown function", psci(0x8400fffe, 0, 0, 0));
    say_result("CPU_ON of a core that does not exist", psci(PSCI_CPU_ON, 0xff00000000, (u64)secondary_start, 0));
    say_result("AFFINITY_INFO of a core that does not exist", psci(PSCI_AFFINITY_INFO, 0xff00000000, 0, 0));
    say_result("CPU_ON of the calling core", psci(PSCI_CPU_ON, core_affinity(0), (u64)secondary_start, 0));
    print("AFFINITY_INFO of the calling core: %ld\n", affinity_info(0));

    for (u32 n = 1; n < count; n++) {
        turn(n);
    }

    gic_init();
    on_irq = wake;
    gic_init_core();
    send_sgi(0, 1);
    while (!gic_test(1, 0x200)) {
    }
    say_result("CPU_SUSPEND to standby with an interrupt pending", psci(PSCI_CPU_SUSPEND, 0, 0, 0));
    print("interrupts taken while masked: %u", woken);
    irq_unmask();
    while (*(volatile u32 *)&woken == 0) {
    }
    irq_mask();
    print(", after: %u\n", woken);
    return 0;
}
