/* Start of every core in C, and PSCI (Arm DEN 0022). The interface is that of the runtime's core.h. */
#include "kernel.h"
#include "rhyper.h"

struct core cores[MAX_CORES] __attribute__((aligned(64)));
u32 entry_el;
u64 entry_x0;
void intc_connect(void);
extern u8 image_start[], image_end[];

/* A program without a device tree says so by a definition of its own. Not const: the compiler would take this one for the only one. */
bool takes_end_of_memory __attribute__((weak)) = false;

/* SMCCC lets a call change x0-x17. */
#define CLOBBERS "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"

long psci(u64 function, u64 a, u64 b, u64 c) {
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    register u64 x3 asm("x3") = c;
    if (machine.psci_by_hvc) {
        asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5", "x6", "x7", CLOBBERS);
    } else {
        asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5", "x6", "x7", CLOBBERS);
    }
    return (int)x0; /* 32-bit functions return a 32-bit value */
}

u32 core_count(void) {
    return machine.cpu_count;
}

void introduce(const char *name) {
    u64 bytes = 0;
    for (u32 i = 0; i < machine.memories; i++) {
        bytes += machine.memory[i].bytes;
    }
    print("%s: GICv%u, %u core%s, %lu MiB of RAM at 0x%lx, console %s\n", name, machine.gic_version, machine.cpu_count,
          machine.cpu_count == 1 ? "" : "s", bytes >> 20, machine.memory[0].base, console_name());
}

static void identify(u32 n) {
    cores[n].index = n;
    WRITE(tpidr_el1, &cores[n]);
    isb();
}

static void use_vectors(void) {
    extern u8 vectors_el1[];
    WRITE(vbar_el1, vectors_el1);
    isb();
}

/* Called by start.S. */
void kernel_start(u64 x0, u64 el) {
    entry_x0 = x0;
    entry_el = (u32)el;
    use_vectors();
    identify(0);
    /* Without a device tree Rhyper passes the end of memory, where nothing may be read. */
    u64 id;
    bool is_end = takes_end_of_memory && x0 > (u64)image_end && rhyper_present(&id);
    if (is_end) {
        machine.under_rhyper = machine.has_psci = true;
        machine.memory[machine.memories++] = (struct region){(u64)image_start, x0 - (u64)image_start};
        x0 = 0;
    }
    machine_read(x0, !is_end);
    /* The core that runs is number 0, wherever the tree lists it. */
    u64 self = READ(mpidr_el1) & 0xff00ffffffull;
    for (u32 i = 1; i < machine.cpu_count; i++) {
        if (machine.cpus[i] == self) {
            machine.cpus[i] = machine.cpus[0];
            machine.cpus[0] = self;
        }
    }
    mmu_build();
    mmu_on();
    if (machine.gicd) {
        intc_connect();
        intc_init();
        intc_init_core();
    }
    console_init();
    irq_unmask();
    exit(guest());
}

void kernel_start_secondary(u64 n) {
    mmu_on();
    use_vectors();
    identify((u32)n);
    intc_init_core();
    irq_unmask();
    cores[n].main();
    for (;;) {
        sleep_once();
    }
}

void start_core(u32 n, void (*main)(void)) {
    cores[n].main = main;
    dsb(sy);
    check(psci(PSCI_CPU_ON, machine.cpus[n], (u64)secondary_start, n) == PSCI_SUCCESS, "CPU_ON succeeds");
}
