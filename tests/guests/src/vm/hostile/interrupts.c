/* Attacks by interrupts: registers of other VMs' interrupts, SGIs to other cores, storms, timers. */
#include "hostile.h"

static volatile u32 taken;
static void take(u32 intid) {
    (void)intid;
    taken++;
}

static u64 read32(u64 address, u64 unused) {
    (void)unused;
    return mmio_read32(address);
}
static u64 write32(u64 address, u64 value) {
    mmio_write32(address, (u32)value);
    return 0;
}
static u64 write64(u64 address, u64 value) {
    mmio_write64(address, value);
    return 0;
}

/* Writes all ones to the registers of every SPI from `first` to `last` bytes of offset, tells what stuck, writes it back. */
static void overwrite(const char *what, u32 first, u32 last) {
    u64 stuck = 0;
    for (u32 offset = first; offset < last; offset += 4) {
        survives(read32, machine.gicd + offset, 0);
        u32 before = (u32)caught.result;
        count(survives(write32, machine.gicd + offset, ~0ull));
        survives(read32, machine.gicd + offset, 0);
        for (u32 changed = (u32)caught.result ^ before; changed; changed &= changed - 1) {
            stuck++;
        }
        survives(write32, machine.gicd + offset, before);
    }
    tell_counts(what);
    tell("%s: %s", what, stuck ? "some bits have changed" : "no bit has changed");
}

/* Enables stay as they were; what was made pending or active is cleared again. */
static void foreign_interrupts(void) {
    u64 d = machine.gicd;
    irq_mask();
    static u32 enabled[32];
    for (u32 i = 1; i < 32; i++) {
        enabled[i] = mmio_read32(d + 0x100 + 4 * i);
    }
    overwrite("IPRIORITYR", 0x420, 0x7fc);
    overwrite("ICFGR", 0xc08, 0xd00);
    if (machine.gic_version == 2) {
        overwrite("ITARGETSR", 0x820, 0xbfc);
    }
    overwrite("ISENABLER", 0x104, 0x180);
    overwrite("ISPENDR", 0x204, 0x280);
    overwrite("ISACTIVER", 0x304, 0x380);
    for (u32 i = 1; i < 32; i++) {
        mmio_write32(d + 0x180 + 4 * i, ~enabled[i]);
        mmio_write32(d + 0x280 + 4 * i, ~0u);
        mmio_write32(d + 0x380 + 4 * i, ~0u);
    }
    irq_unmask();
    tell("still here");
}

static void route_interrupts(void) {
    if (machine.gic_version == 3) {
        for (u32 intid = 32; intid < 256; intid++) {
            count(survives(write64, machine.gicd + 0x6000 + 8 * intid, pseudo_random() & 0xff80ffffff));
        }
        tell_counts("IROUTER");
    } else {
        for (u32 offset = 0x820; offset < 0x900; offset += 4) {
            count(survives(write32, machine.gicd + offset, pseudo_random()));
        }
        tell_counts("ITARGETSR");
    }
}

/* Every word of the distributor's first page, and bytes and halfwords of it. */
static u64 read8(u64 address, u64 unused) {
    (void)unused;
    u32 value;
    asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static u64 read16(u64 address, u64 unused) {
    (void)unused;
    u32 value;
    asm volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static u64 read64(u64 address, u64 unused) {
    (void)unused;
    return mmio_read64(address);
}
static void odd_sizes(void) {
    irq_mask();
    for (u32 offset = 0; offset < 0x1000; offset += 4) {
        survives(read32, machine.gicd + offset, 0);
        survives(read8, machine.gicd + offset + 1, 0);
        survives(read16, machine.gicd + offset + 2, 0);
        survives(read64, machine.gicd + (offset & ~7u), 0);
        survives(read16, machine.gicd + offset + 1, 0);
        survives(read32, machine.gicd + offset + 2, 0);
    }
    irq_unmask();
    tell("bytes, halfwords, words, doublewords, aligned and not: still here");
}

/* Registers with one access each that a single load or store does not describe (ESR_EL2.ISS without a valid syndrome). */
static u64 other_access(u64 at, u64 kind) {
    u64 x = 0, y = 0;
    switch (kind) {
    case 0: asm volatile("ldp %w0, %w1, [%2]" : "=r"(x), "=r"(y) : "r"(at) : "memory"); break;
    case 1: asm volatile("stp wzr, wzr, [%0]" : : "r"(at) : "memory"); break;
    case 2: asm volatile("ldr %w0, [%1], #4" : "=r"(x), "+r"(at) : : "memory"); break;
    case 3: asm volatile("str wzr, [%0, #4]!" : "+r"(at) : : "memory"); break;
    case 4: asm volatile("ldxr %w0, [%2]\n stxr %w1, %w0, [%2]" : "=&r"(x), "=&r"(y) : "r"(at) : "memory"); break;
    case 5: asm volatile("ldaxp %w0, %w1, [%2]" : "=&r"(x), "=&r"(y) : "r"(at) : "memory"); break;
    case 6: asm volatile(".arch_extension lse\n ldadd wzr, %w0, [%1]" : "=r"(x) : "r"(at) : "memory"); break;
    case 7: asm volatile(".arch_extension lse\n cas %w0, %w0, [%1]" : "+r"(x) : "r"(at) : "memory"); break;
    case 8: asm volatile("ldr q0, [%0]" : : "r"(at) : "memory"); break;
    case 9: asm volatile("st1 {v0.16b, v1.16b}, [%0]" : : "r"(at) : "memory"); break;
    case 10: asm volatile("ldar %w0, [%1]" : "=r"(x) : "r"(at) : "memory"); break;
    case 11: asm volatile("stlr wzr, [%0]" : : "r"(at) : "memory"); break;
    case 12: asm volatile("dc zva, %0" : : "r"(at) : "memory"); break;
    case 13: asm volatile("ldrsw %0, [%1]" : "=r"(x) : "r"(at) : "memory"); break;
    case 14: asm volatile("ldr xzr, [%0]" : : "r"(at) : "memory"); break;
    default: asm volatile("prfm pldl1keep, [%0]" : : "r"(at) : "memory");
    }
    return x;
}

static void other_accesses(void) {
    for (u64 kind = 0; kind < 16; kind++) {
        survives(other_access, machine.gicd + 0x080, kind);
    }
    tell("pairs, write-back, exclusives, atomics, vectors on a device: still here");
}

static void foreign_redistributors(void) {
    if (machine.gic_version != 3) {
        u64 others[] = {machine.gicc - 0x1000, machine.gicc + 0x20000, machine.gicc + 0x30000};
        for (u32 i = 0; i < 3; i++) {
            survives(read32, others[i], 0);
            survives(write32, others[i], ~0ull);
        }
        tell("beside the CPU interface: still here");
        return;
    }
    u64 base = machine.gicr[0].base;
    for (u32 n = machine.cpu_count; n < machine.cpu_count + 4; n++) {
        survives(read32, base + n * 0x20000 + 8, 0);
        survives(write32, base + n * 0x20000 + 0x10100, ~0ull);
        survives(write32, base + n * 0x20000 + 0x10200, ~0ull);
    }
    tell("redistributors that are not ours: still here");
}

static void foreign_sgis(void) {
    u32 rounds = repetitions(64);
    for (u32 i = 0; i < rounds; i++) {
        u32 intid = i & 15;
        if (machine.gic_version == 3) {
            u64 value = (u64)intid << 24 | ((pseudo_random() & 0xff) << 16) | 0xfffe;
            WRITE_(ICC_SGI1R_EL1, value);
            WRITE_(ICC_SGI1R_EL1, 1ull << 40 | (u64)intid << 24);
            u64 x = value;
            execute(MSR(3, 0, 12, 11, 6), &x); /* ICC_ASGI1R_EL1 */
            x = value;
            execute(MSR(3, 0, 12, 11, 7), &x); /* ICC_SGI0R_EL1 */
        } else {
            mmio_write32(machine.gicd + 0xf00, 0xfe << 16 | intid);
            mmio_write32(machine.gicd + 0xf00, 1 << 24 | intid);
            mmio_write32(machine.gicd + 0xf00, 3 << 24 | intid);
        }
    }
    tell("%u rounds of SGIs to everybody else: still here", rounds);
}

static void sgi_storm(void) {
    u32 rounds = repetitions(5000);
    taken = 0;
    intc_take(7, true, take);
    for (u32 i = 0; i < rounds; i++) {
        send_sgi(0, 7);
    }
    while (!taken) {
        asm volatile("yield");
    }
    tell("%u SGIs to ourselves, %s taken", rounds, taken ? "some" : "NONE");
}

static void pending_storm(void) {
    u32 rounds = repetitions(5000);
    irq_mask();
    for (u32 i = 0; i < rounds; i++) {
        u64 frame = machine.gic_version == 3 ? this_core()->gicr + 0x10000 : machine.gicd;
        mmio_write32(frame + 0x200, 0xffff0000); /* every PPI */
        mmio_write32(frame + 0x280, 0xffff0000);
    }
    irq_unmask();
    tell("%u times every PPI pending and not: still here", rounds);
}

static void storm_tick(u32 intid) {
    (void)intid;
    if (++taken >= repetitions(2000)) {
        clock_off();
    }
}

/* The deadline is always past: the interrupt comes again as soon as it is ended. */
static void timer_storm(void) {
    taken = 0;
    irq_mask();
    intc_take(machine.virtual_timer, false, storm_tick);
    clock_set(0);
    sleep_until(&taken, repetitions(2000));
    irq_unmask();
    tell("%u expiries of a deadline in the past", taken);
}

static void odd_deadlines(void) {
    static const u64 deadlines[] = {0, 1, ~0ull, 1ull << 63, 0x7fffffffffffffff, 0x80000000, 0xffffffff};
    irq_mask();
    for (u32 i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        WRITE(cntv_cval_el0, deadlines[i]);
        WRITE(cntv_ctl_el0, 3);
        WRITE(cntv_tval_el0, deadlines[i]);
        WRITE(cntp_cval_el0, deadlines[i]);
        WRITE(cntp_ctl_el0, 3);
        WRITE(cntp_tval_el0, deadlines[i]);
        isb();
    }
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
    isb();
    irq_unmask();
    u64 before = clock_now();
    tell("masked timers at odd deadlines: the counter %s", clock_now() >= before ? "goes on" : "GOES BACK");
}

static void wfi_loop(void) {
    u32 rounds = repetitions(500);
    for (u32 i = 0; i < rounds; i++) {
        clock_pause(1);
    }
    tell("%u times WFI for a microsecond", rounds);
}

static void event_storm(void) {
    u32 rounds = repetitions(5000);
    for (u32 i = 0; i < rounds; i++) {
        sev();
        wfe();
        sevl();
        wfe();
        asm volatile("yield");
    }
    tell("%u times SEV, WFE, SEVL, WFE, YIELD", rounds);
}

static void end_what_was_not_taken(void) {
    for (u32 i = 0; i < 64; i++) {
        u32 intid = (u32)pseudo_random() & 1023;
        if (machine.gic_version == 3) {
            WRITE_(ICC_EOIR1_EL1, intid);
            WRITE_(ICC_DIR_EL1, intid);
            WRITE_(ICC_EOIR0_EL1, intid);
        } else {
            mmio_write32(machine.gicc + 0x10, intid);
            mmio_write32(machine.gicc + 0x1000, intid);
        }
    }
    tell("64 interrupts ended that were not taken: still here");
}

static void storm_without_end(void) {
    irq_mask();
    intc_take(machine.virtual_timer, false, take);
    clock_set(0);
    irq_unmask();
    for (;;) {
        send_sgi(0, 7);
    }
}

const struct attack interrupt_attacks[] = {
    {"distributor registers of interrupts that are not ours", foreign_interrupts, false},
    {"routing of interrupts that are not ours", route_interrupts, false},
    {"odd access sizes to the distributor", odd_sizes, false},
    {"accesses without a syndrome to a device", other_accesses, false},
    {"redistributors and CPU interfaces that are not ours", foreign_redistributors, false},
    {"SGIs to cores that are not ours", foreign_sgis, false},
    {"a storm of SGIs", sgi_storm, false},
    {"a storm of pending bits", pending_storm, false},
    {"a timer that expires all the time", timer_storm, false},
    {"timers at odd deadlines", odd_deadlines, false},
    {"a loop of WFI", wfi_loop, false},
    {"a storm of events", event_storm, false},
    {"the end of interrupts that were not taken", end_what_was_not_taken, false},
    {"a storm without end", storm_without_end, true},
};
const u32 interrupt_attack_count = sizeof interrupt_attacks / sizeof interrupt_attacks[0];
