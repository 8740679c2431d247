/* Start of every core in C. */
#include "guest.h"

struct core cores[MAX_CORES];
u32 entry_el;
extern u8 pen[MAX_CORES];

long psci(u64 function, u64 a, u64 b, u64 c) {
    check(entry_el != 3, "PSCI needs firmware above the level of entry");
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    register u64 x3 asm("x3") = c;
    /* SMCCC 1.0 lets a call change x0-x17. */
#define CLOBBERS "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"
    if (entry_el == 1) {
        asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERS);
    } else {
        asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERS);
    }
    /* 32-bit functions return a 32-bit value: bits 63:32 are not part of it. */
    return (int)x0;
}

/* With PSCI: affinities are asked for until one does not exist. At EL3: the redistributors are counted, of which the
   last is marked (GICR_TYPER.Last); the first region holds 123, and no guest runs on more without PSCI. */
u32 core_count(void) {
    static u32 count;
    if (count) {
        return count;
    }
    u32 n = 1;
    if (entry_el == 3) {
        while (!(mmio_read64(GICR_BASE + (u64)(n - 1) * GICR_STRIDE + 8) & 0x10)) {
            n++;
        }
    } else {
        while (n < MAX_CORES && psci(PSCI_AFFINITY_INFO, core_affinity(n), 0, 0) >= 0) {
            n++;
        }
    }
    count = n;
    return count;
}

void title(const char *name) {
    u32 count = core_count();
    print("%s: %u core%s\n", name, count, count == 1 ? "" : "s");
}

void start_core(u32 n, void (*main)(void)) {
    cores[n].main = main;
    dsb(ish);
    if (entry_el == 3) {
        store_release(&pen[n], 1);
        dsb(ish);
        sev();
    } else {
        check(psci(PSCI_CPU_ON, core_affinity(n), (u64)secondary_start, n) == PSCI_SUCCESS, "CPU_ON succeeds");
    }
}

void on_all_cores(void (*main)(void)) {
    u32 count = core_count();
    for (u32 n = 1; n < count; n++) {
        start_core(n, main);
    }
    main();
}

static struct rendezvous everyone;

void meet_all(void) {
    meet(&everyone, core_count());
}

void in_core_order(void (*say)(u32 n)) {
    static u32 turn;
    u32 n = core_index();
    await_equal(&turn, n);
    say(n);
    store_release(&turn, n + 1 == core_count() ? 0 : n + 1);
    meet_all();
}

static void identify(u32 n) {
    cores[n].index = n;
    WRITE(tpidr_el1, &cores[n]);
    isb();
}

/* Called by start.S. */
void core0_main(u32 el) {
    entry_el = el;
    identify(0);
    console_init();
    exit(guest());
}

void core_main(u32 n) {
    identify(n);
    cores[n].main();
    for (;;) {
        wfi();
    }
}
