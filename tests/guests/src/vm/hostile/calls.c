/* Attacks by calls: HVC with forged arguments, SMC, PSCI. */
#include "hostile.h"
#include "rhyper.h"

struct call {
    u64 x[8];
};

/* Rhyper's registers, whoever answers. */
static u64 hvc(u64 call, u64 immediate) {
    const u64 *x = ((struct call *)call)->x;
    register u64 x0 asm("x0") = x[0];
    register u64 x1 asm("x1") = x[1];
    register u64 x2 asm("x2") = x[2];
    register u64 x3 asm("x3") = x[3];
    register u64 x4 asm("x4") = x[4];
    register u64 x5 asm("x5") = x[5];
    register u64 x6 asm("x6") = x[6];
    register u64 x7 asm("x7") = x[7];
#define CALL(instruction)                                                                                                      \
    asm volatile(instruction                                                                                                   \
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)                              \
                 :                                                                                                             \
                 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory")
    switch (immediate) {
    case 0: CALL("hvc #0"); break;
    case 1: CALL("hvc #1"); break;
    case 2: CALL("hvc #0x4a48"); break;
    case 3: CALL("hvc #0xffff"); break;
    case 4: CALL("smc #0"); break;
    case 5: CALL("smc #1"); break;
    default: CALL("smc #0xffff"); break;
    }
    return x0;
}

/* The first argument is no fast call of SMCCC (PSCI is one), which bare is made by the same instructions. */
static bool try(u64 immediate, struct call call) {
    if (call.x[0] >> 31 == 1) {
        call.x[0] = 0;
    }
    /* PSCI refuses with 32 bits of ones. */
    return survives(hvc, (u64)&call, immediate) && (u32)caught.result != (u32)RHYPER_ERROR;
}

static struct call random_call(u32 fid, u32 event) {
    struct call call;
    for (u32 i = 0; i < 7; i++) {
        static const u64 likely[] = {0, 1, ~0ull, 0xffffffff, 0x1000, 8, 0x40000000};
        u64 choice = pseudo_random() % 16;
        call.x[i] = choice < 7 ? likely[choice] : choice < 10 ? hole() + (pseudo_random() & 0xffff) : pseudo_random();
    }
    call.x[7] = fid << 8 | event;
    return call;
}

static void every_call(void) {
    u32 accepted = 0;
    for (u32 fid = 0; fid < 0x20; fid++) {
        for (u32 event = 0; event < 0x40; event++) {
            accepted += try(0, random_call(fid, event));
        }
    }
    tell("2048 functions with random arguments, %u not refused", accepted);
}

static void high_functions(void) {
    u32 accepted = 0;
    for (u32 i = 0; i < 256; i++) {
        struct call call = random_call(0, 0);
        call.x[7] = pseudo_random() << (i % 2 ? 16 : 0) | 0x7f00;
        accepted += try(0, call);
    }
    tell("256 functions that do not exist, %u not refused", accepted);
}

static void foreign_vms(void) {
    static const u8 events[][2] = {{fid_vmm, vmm_boot_vm}, {fid_vmm, 3}, {fid_vmm, vmm_reboot_vm}, {fid_vmm, vmm_vm_remove},
                                   {fid_vmm, 10}, {fid_vmm, 11}, {fid_vmm, 13}, {fid_vmm, 15}, {fid_config, config_delete_vm},
                                   {fid_config, config_memory_region}, {fid_config, config_passthrough_region}};
    u32 accepted = 0;
    for (u32 i = 0; i < sizeof events / 2; i++) {
        for (u64 id = 0; id < 9; id++) {
            u64 forged = id == 8 ? ~0ull >> 1 : id;
            accepted += try(0, (struct call){{forged | 1 << 16, 0x40000000, 0x40000000, 0x1000, 0, 0, 0, (u64)events[i][0] << 8 | events[i][1]}});
        }
    }
    tell("%u calls about other VMs, %u not refused", (u32)sizeof events / 2 * 9, accepted);
}

/* Where the caller names memory: not its own, a device, not aligned, the last bytes of RAM, an address that overflows. */
static void forged_pointers(void) {
    u64 end = machine.memory[0].base + machine.memory[0].bytes;
    const u64 pointers[] = {0, 1, hole(), machine.gicd, end - 4, end - 1, ~0ull - 7, ~0ull - 4095, 1ull << 48, 0xffff000000000000};
    static const u16 functions[] = {0x0100, 0x0108, 0x0200, 0x0330, 0x0331, 0x1100, 0x1104, 0x1109, 0x1201, 0x1203, 0x1204, 0x1207};
    u32 accepted = 0;
    for (u32 f = 0; f < sizeof functions / 2; f++) {
        for (u32 p = 0; p < sizeof pointers / 8; p++) {
            u64 a = pointers[p];
            accepted += try(0, (struct call){{a, a, a, 0x7fffffff, a, 0x7fffffff, 3, functions[f]}});
        }
    }
    tell("%u pointers that are not ours, %u not refused", (u32)(sizeof functions / 2 * (sizeof pointers / 8)), accepted);
}

static void share_memory(void) {
    u32 accepted = 0;
    static const u64 lengths[] = {0, 1, 0x1000, 0x200000, 1ull << 32, 1ull << 40, ~0ull};
    for (u64 type = 0; type < 8; type++) {
        for (u32 i = 0; i < sizeof lengths / 8; i++) {
            accepted += try(0, (struct call){{type, lengths[i], 0, 0, 0, 0, 0, fid_ivc << 8 | ivc_share_mem}});
        }
    }
    tell("56 windows asked for, %u not refused", accepted);
}

static void live_update(void) {
    tell("UPDATE with a random image is %s", try(0, (struct call){{0x100000, 0, 0, 0, 0, 0, 0, 3}}) ? "ACCEPTED" : "refused");
}

static void immediates(void) {
    for (u64 immediate = 0; immediate < 7; immediate++) {
        for (u32 i = 0; i < 16; i++) {
            struct call call = random_call((u32)pseudo_random() & 0xff, 0);
            call.x[0] = 0x01234567;
            try(immediate, call);
        }
    }
    tell("HVC and SMC with other immediates: still here");
}

static void hvc_storm(void) {
    u32 rounds = repetitions(2000);
    for (u32 i = 0; i < rounds; i++) {
        try(0, (struct call){{0, 0, 0, 0, 0, 0, 0, 0x7f00}});
    }
    tell("%u refused calls in a row", rounds);
}

static u64 call_psci(u64 arguments, u64 unused) {
    (void)unused;
    const u64 *x = ((struct call *)arguments)->x;
    return (u64)psci(x[0], x[1], x[2], x[3]);
}
static bool try_psci(u64 function, u64 a, u64 b, u64 c) {
    struct call call = {{function, a, b, c}};
    return survives(call_psci, (u64)&call, 0) && (long)caught.result >= 0;
}

static bool is_own(u64 affinity) {
    for (u32 i = 0; i < machine.cpu_count; i++) {
        if (machine.cpus[i] == affinity) {
            return true;
        }
    }
    return false;
}

static void foreign_cores(void) {
    u32 accepted = 0, asked = 0;
    for (u64 i = 0; i < 256; i++) {
        u64 affinity = i < 64 ? i : pseudo_random() & 0xff00ffffff;
        if (!is_own(affinity)) {
            asked++;
            accepted += try_psci(PSCI_CPU_ON, affinity, hole(), 0);
        }
    }
    tell("CPU_ON of %u cores that are not ours, %u not refused", asked, accepted);
}

static void odd_entries(void) {
    bool again = try_psci(PSCI_CPU_ON, machine.cpus[0], hole(), 0);
    tell("CPU_ON of the core that runs is %s", again ? "NOT refused" : "refused");
    if (machine.cpu_count > 1) {
        bool good = try_psci(PSCI_CPU_ON, machine.cpus[1], hole() | 1, 0);
        tell("CPU_ON at an entry outside RAM is %s", good ? "accepted: that core is lost" : "refused");
    }
}

static void every_psci_function(void) {
    for (u32 n = 0; n < 0x40; n++) {
        /* Not CPU_SUSPEND, CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, SYSTEM_SUSPEND, SYSTEM_RESET2: they would be obeyed. */
        if (n == 1 || n == 2 || n == 8 || n == 9 || n == 0xc || n == 0xe || n == 0x12 || n == 3 || n == 5) {
            continue;
        }
        try_psci(0x84000000 + n, pseudo_random(), hole(), pseudo_random());
        try_psci(0xc4000000 + n, pseudo_random(), hole(), pseudo_random());
    }
    for (u32 n = 0; n < 64; n++) {
        try_psci(0x80000000 | (pseudo_random() & 0x43ffffff), 0, 0, 0); /* Arm architecture, CPU, SiP, OEM services */
    }
    tell("functions of PSCI and of other services: still here");
}

static void suspend_for_ever(void) {
    irq_mask();
    psci(PSCI_CPU_SUSPEND, 0x10000, hole(), 0);
    for (;;) {
        wfi();
    }
}
static void turn_off_last_core(void) {
    psci(PSCI_CPU_OFF, 0, 0, 0);
}
static void reset_for_ever(void) {
    psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}

const struct attack call_attacks[] = {
    {"every HVC function with random arguments", every_call, false},
    {"HVC functions that do not exist", high_functions, false},
    {"HVC about other VMs", foreign_vms, false},
    {"HVC with pointers that are not ours", forged_pointers, false},
    {"shared windows without measure", share_memory, false},
    {"a live update", live_update, false},
    {"HVC and SMC with other immediates", immediates, false},
    {"a storm of calls", hvc_storm, false},
    {"CPU_ON of cores that are not ours", foreign_cores, false},
    {"CPU_ON at odd entries", odd_entries, false},
    {"every function of PSCI", every_psci_function, false},
    {"CPU_SUSPEND with nothing that wakes", suspend_for_ever, true},
    {"CPU_OFF of the last core", turn_off_last_core, true},
    {"SYSTEM_RESET again and again", reset_for_ever, true},
};
const u32 call_attack_count = sizeof call_attacks / sizeof call_attacks[0];
