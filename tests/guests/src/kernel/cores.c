/* Start of every core in C, PSCI (Arm DEN 0022), and Rhyper's calls. The interface is that of the runtime's core.h. */
#include "kernel.h"

struct core cores[MAX_CORES] __attribute__((aligned(64)));
u32 entry_el;
u64 entry_x0;
void intc_connect(void);

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

u64 rhyper_call(u32 fid, u32 event, const u64 arguments[7]) {
    register u64 x0 asm("x0") = arguments[0];
    register u64 x1 asm("x1") = arguments[1];
    register u64 x2 asm("x2") = arguments[2];
    register u64 x3 asm("x3") = arguments[3];
    register u64 x4 asm("x4") = arguments[4];
    register u64 x5 asm("x5") = arguments[5];
    register u64 x6 asm("x6") = arguments[6];
    register u64 x7 asm("x7") = (u64)fid << 8 | event;
    asm volatile("hvc #0"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
                 :
                 : CLOBBERS);
    return x0;
}

/* An HVC that nobody takes is UNDEFINED: it is answered here as Rhyper answers an unknown one. */
static void answer_undefined(struct frame *frame, unsigned vector) {
    (void)vector;
    frame->x[0] = ~0ull;
    frame->elr += 4;
}

/* GET_VM_ID writes eight bytes; whatever else answers an HVC leaves them alone. */
bool rhyper_present(u64 *id) {
    static u64 answer;
    void (*before)(struct frame *, unsigned) = on_sync;
    answer = ~0ull;
    on_sync = answer_undefined;
    const u64 arguments[7] = {(u64)&answer};
    u64 result = rhyper_call(1, 8, arguments);
    on_sync = before;
    if (result != 0 || *(volatile u64 *)&answer == ~0ull) {
        return false;
    }
    *id = answer;
    return true;
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
    machine_read(x0);
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
