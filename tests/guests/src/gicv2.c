/* GICv2 (-M virt,gic-version=2): SGIs with their sources, PPIs, SPIs and their targets, priorities, groups, EOImode 0 and 1, and the
 * virtual CPU interface by GICH and GICV. Physical interrupts are taken at EL1 in the first half and at EL2 in the second, where EL1
 * is a virtual machine; there is no stage 2, so that EL1 writes the list registers itself. Priorities are multiples of 16 and
 * binary points at least 3: any GIC has those.
 *
 * The runtime sets ICC_SRE_EL2 and ICH_HCR_EL2 on its way to EL1. A GICv2 has no system registers, so that both are UNDEFINED,
 * and the handler of EL2 goes on behind them. */
#include "guest.h"

#define GICC_BASE 0x08010000
#define GICH_BASE 0x08030000
#define GICV_BASE 0x08040000

#define GICD_ITARGETSR (GICD_BASE + 0x800)
#define GICD_SGIR (GICD_BASE + 0xf00)
#define GICD_CPENDSGIR (GICD_BASE + 0xf10)
#define GICD_SPENDSGIR (GICD_BASE + 0xf20)

/* Offsets in GICC and GICV. */
#define CTLR 0x00
#define PMR 0x04
#define BPR 0x08
#define IAR 0x0c
#define EOIR 0x10
#define RPR 0x14
#define HPPIR 0x18
#define ABPR 0x1c
#define DIR 0x1000

#define ENABLE_GRP0 1
#define ENABLE_GRP1 2
#define ACK_CTL 4
#define FIQ_EN 8
#define CBPR 0x10
#define EOI_MODE 0x200

#define GICH_HCR (GICH_BASE + 0x00)
#define GICH_VTR (GICH_BASE + 0x04)
#define GICH_VMCR (GICH_BASE + 0x08)
#define GICH_MISR (GICH_BASE + 0x10)
#define GICH_EISR0 (GICH_BASE + 0x20)
#define GICH_ELRSR0 (GICH_BASE + 0x30)
#define GICH_APR (GICH_BASE + 0xf0)
#define GICH_LR(n) (GICH_BASE + 0x100 + 4 * (n))

#define LRS 4
#define PENDING (1u << 28)
#define ACTIVE (1u << 29)
#define GROUP1 (1u << 30)
#define HW(pintid) (1u << 31 | (u32)(pintid) << 10)
#define EOI_MAINTENANCE (1u << 19)
#define LR(state, priority, vintid) ((state) | (u32)(priority) / 8 << 23 | (vintid))

#define EN 1
#define UIE 2
#define LRENPIE 4
#define NPIE 8

#define INTID_MAINTENANCE 25
#define SPI 44 /* nothing on the board drives it */
#define SELF (2u << 24)
#define ALL_OTHERS (1u << 24)

static u32 count;
static volatile u32 taken;
static volatile u32 inside; /* an SGI to send to oneself from within the handler */
static volatile u32 seen[8];
static u32 done[8];
static u64 interface = GICC_BASE;

static u32 cpu(u32 offset) {
    return mmio_read32(interface + offset);
}
static void set_cpu(u32 offset, u32 value) {
    mmio_write32(interface + offset, value);
}

static u8 mmio_read8(u64 address) {
    u8 value;
    asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static u32 await_nonzero(const u32 *p) {
    u32 value;
    while (!(value = load_acquire_exclusive(p))) {
        wfe();
    }
    return value;
}

static bool state_of(u32 intid, u32 offset) {
    return mmio_read32(GICD_BASE + offset + intid / 32 * 4) >> intid % 32 & 1;
}
static void change(u32 intid, u32 offset) {
    mmio_write32(GICD_BASE + offset + intid / 32 * 4, 1u << intid % 32);
}
static void set_priority(u32 intid, u8 priority) {
    mmio_write8(GICD_IPRIORITYR + intid, priority);
}
static void set_group(u32 intid, u32 group) {
    u64 address = GICD_IGROUPR + intid / 32 * 4;
    u32 bit = 1u << intid % 32;
    mmio_write32(address, group ? mmio_read32(address) | bit : mmio_read32(address) & ~bit);
}
static void send(u32 to, u32 intid) {
    dsb(ishst);
    mmio_write32(GICD_SGIR, to | intid);
}

static const char *signals(void) {
    static const char *const names[] = {"-", "F", "I", "IF"};
    isb();
    return names[READ(isr_el1) >> 6 & 3];
}
static void breathe(void) {
    for (u32 i = 0; i < 4000; i++) {
        asm volatile("yield");
    }
}
static void let_in(void) {
    irq_unmask();
    fiq_unmask();
    isb();
    irq_mask();
    fiq_mask();
}

static void init_core(void) {
    mmio_write32(GICD_ICENABLER, 0xffff0000);
    for (u32 i = 0; i < 32; i++) {
        set_priority(i, 0xa0);
    }
    mmio_write32(GICC_BASE + PMR, 0xf0);
    mmio_write32(GICC_BASE + BPR, 3);
    mmio_write32(GICC_BASE + CTLR, ENABLE_GRP0 | ENABLE_GRP1);
}

/* EL2 */

static u32 log_of[32][4];
static u32 log_count;

static void el2_interrupt(void) {
    u32 intid = mmio_read32(GICC_BASE + IAR);
    if (intid >= 1020) {
        return;
    }
    u32 hcr = mmio_read32(GICH_HCR);
    u32 *entry = log_of[log_count++ & 31];
    entry[0] = intid;
    entry[1] = mmio_read32(GICH_MISR);
    entry[2] = mmio_read32(GICH_EISR0) | mmio_read32(GICH_ELRSR0) << 8;
    entry[3] = hcr >> 27;
    if (intid == INTID_MAINTENANCE) {
        for (u32 n = 0; n < LRS; n++) {
            if (entry[2] >> n & 1) {
                mmio_write32(GICH_LR(n), 0);
            }
        }
        mmio_write32(GICH_HCR, (hcr & 0x07ffffff & ~(entry[1] & 0xf0)) & ~(u32)(UIE | NPIE));
    } else {
        mmio_write32(GICH_LR(0), LR(PENDING, 0x80, intid) | HW(intid));
    }
    mmio_write32(GICC_BASE + EOIR, intid);
    if (intid == INTID_MAINTENANCE) {
        mmio_write32(GICC_BASE + DIR, intid);
    }
}

enum call { ROUTE, LOG_COUNT, LOG_ENTRY };

static void at_el2(struct frame *f, unsigned vector) {
    if (vector == 4 && exception_class(f->esr) == 0) {
        f->elr += 4;
    } else if (vector == 9) {
        el2_interrupt();
    } else if (exception_class(f->esr) == 0x16 && f->x[0] == ROUTE) {
        WRITE(hcr_el2, READ(hcr_el2) | 3 << 3); /* FMO, IMO */
    } else if (exception_class(f->esr) == 0x16) {
        f->x[0] = f->x[0] == LOG_COUNT ? log_count : log_of[f->x[1]][f->x[2]];
    } else {
        print_raw("EL2: vector 0x%x ESR 0x%lx ELR 0x%lx\n", vector * 0x80, f->esr, f->elr);
        exit(127);
    }
}
void (*handler_el2)(struct frame *, unsigned) = at_el2;

static u64 hypercall(enum call what, u64 a, u64 b) {
    register u64 x0 asm("x0") = what;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    asm volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2) : "memory");
    return x0;
}

/* EL1 */

static void handled(const char *kind) {
    u32 iar = cpu(IAR);
    u32 intid = iar & 0x3ff;
    print("  %s %u from %u, running priority 0x%02x\n", kind, intid, iar >> 10, cpu(RPR));
    if (intid >= 1020) {
        return;
    }
    if (inside) {
        u32 sgi = inside;
        inside = 0;
        send(SELF, sgi);
        print("  SGI %u is pending: signals %s\n", sgi, signals());
        let_in();
    }
    if (intid == INTID_CNTV) {
        WRITE(cntv_ctl_el0, 0);
        isb();
        breathe();
    }
    taken++;
    print("  end of %u\n", intid);
    set_cpu(EOIR, iar);
    if (cpu(CTLR) & EOI_MODE) {
        set_cpu(DIR, iar);
    }
}
static void irq(struct frame *f) {
    (void)f;
    u32 n = core_index();
    if (n) {
        u32 iar = mmio_read32(GICC_BASE + IAR);
        mmio_write32(GICC_BASE + EOIR, iar);
        store_release((u32 *)&seen[n], iar + 1);
    } else {
        handled("IRQ");
    }
}
static void fiq(struct frame *f) {
    (void)f;
    handled("FIQ");
}

static void registers(void) {
    print("GICD_TYPER: lines %u, CPUs as many as cores %u, Security Extensions %u\n", mmio_read32(GICD_TYPER) & 31,
          (mmio_read32(GICD_TYPER) >> 5 & 7) + 1 == count, mmio_read32(GICD_TYPER) >> 10 & 1);
    print("ISENABLER0 0x%08x ICFGR0 0x%08x, ID_AA64PFR0_EL1.GIC %u\n", mmio_read32(GICD_ISENABLER), mmio_read32(GICD_ICFGR),
          (u32)(READ(id_aa64pfr0_el1) >> 24 & 15));
    u32 all = count == 1 ? 0 : ((1u << count) - 1) * 0x01010101;
    mmio_write32(GICD_ITARGETSR + SPI, all);
    print("ITARGETSR of PPIs names this core %u, of SPIs has a bit for each %u\n",
          mmio_read32(GICD_ITARGETSR + 16) == (count == 1 ? 0 : 0x01010101), mmio_read32(GICD_ITARGETSR + SPI) == all);
    mmio_write32(GICD_ITARGETSR + SPI, 0);
    mmio_write32(GICD_CTLR, 0xffffffff);
    set_cpu(CTLR, 0x21f);
    set_cpu(PMR, 0x70);
    set_cpu(BPR, 5);
    set_cpu(ABPR, 6);
    print("GICD_CTLR 0x%x GICC_CTLR 0x%x PMR 0x%x BPR %u ABPR %u RPR 0x%x HPPIR %u IAR %u\n", mmio_read32(GICD_CTLR), cpu(CTLR),
          cpu(PMR), cpu(BPR), cpu(ABPR), cpu(RPR), cpu(HPPIR), cpu(IAR));
}

static void priorities(void) {
    static const u8 priority[] = {0x90, 0x30, 0xd0, 0x30, 0x70, 0xb0};
    print("order of six SGIs\n");
    set_cpu(PMR, 0xf0);
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1);
    for (u32 i = 0; i < 6; i++) {
        set_priority(1 + i, priority[i]);
        send(SELF, 1 + i);
    }
    print("  ISPENDR0 0x%08x HPPIR %u signals %s\n", mmio_read32(GICD_ISPENDR), cpu(HPPIR), signals());
    let_in();
    print("priority mask 0x80\n");
    set_cpu(PMR, 0x80);
    set_priority(1, 0x80);
    send(SELF, 1);
    print("  0x80: signals %s, IAR %u\n", signals(), cpu(IAR));
    set_priority(1, 0x70);
    print("  0x70: signals %s\n", signals());
    let_in();
    set_cpu(PMR, 0xf0);
    print("disabled at the distributor, at the CPU interface\n");
    send(SELF, 1);
    mmio_write32(GICD_CTLR, 0);
    print("  signals %s, IAR %u\n", signals(), cpu(IAR));
    mmio_write32(GICD_CTLR, 3);
    set_cpu(CTLR, 0);
    print("  signals %s, IAR %u\n", signals(), cpu(IAR));
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1);
    let_in();
}

static void preempt(u32 binary_point, u32 outer, u32 inner) {
    print("binary point %u, 0x%02x inside 0x%02x\n", binary_point, inner, outer);
    set_cpu(BPR, binary_point);
    set_priority(1, (u8)outer);
    set_priority(2, (u8)inner);
    inside = 2;
    send(SELF, 1);
    let_in();
    let_in();
}

static void say_state(const char *when, u32 intid) {
    print("  %s: running priority 0x%02x, active %u, pending %u, signals %s\n", when, cpu(RPR), state_of(intid, 0x300),
          state_of(intid, 0x200), signals());
}

static void end_modes(void) {
    set_cpu(BPR, 3);
    for (u32 mode = 0; mode <= 1; mode++) {
        print("EOImode %u\n", mode);
        set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1 | (mode ? EOI_MODE : 0));
        set_priority(1, 0xa0);
        send(SELF, 1);
        say_state("pending     ", 1);
        u32 iar = cpu(IAR);
        say_state("acknowledged", 1);
        send(SELF, 1);
        say_state("sent again  ", 1);
        set_cpu(EOIR, iar);
        say_state("EOIR        ", 1);
        if (mode) {
            set_cpu(DIR, iar);
            say_state("DIR         ", 1);
        }
        let_in();
        say_state("handled     ", 1);
    }
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1);
}

static void groups(void) {
    print("SGI 6 in Group 1\n");
    set_group(6, 1);
    set_priority(6, 0x60);
    send(SELF, 6);
    print("  signals %s, HPPIR %u, IAR %u\n", signals(), cpu(HPPIR), cpu(IAR));
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1 | ACK_CTL);
    print("  AckCtl: HPPIR %u\n", cpu(HPPIR));
    let_in();
    print("FIQEn: SGI 7 in Group 0 inside\n");
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1 | ACK_CTL | FIQ_EN);
    set_cpu(ABPR, 4);
    set_priority(7, 0x40);
    inside = 7;
    send(SELF, 6);
    let_in();
    print("CBPR: 0x60 in Group 0 inside 0x80 in Group 1, binary point 6\n");
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1 | ACK_CTL | FIQ_EN | CBPR);
    set_cpu(BPR, 6);
    set_priority(6, 0xc0);
    set_priority(7, 0x90);
    inside = 7;
    send(SELF, 6);
    let_in();
    let_in();
    set_cpu(BPR, 3);
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1);
    set_group(6, 0);
}

static void other_core(void) {
    u32 n = core_index();
    init_core();
    send(1u << 16, 8);
    store_release(&done[n], 1);
    irq_unmask();
    for (;;) {
        wfi();
    }
}

static void sources(void) {
    print("SGI 8 from every core\n");
    set_priority(8, 0x80);
    for (u32 n = 1; n < count; n++) {
        start_core(n, other_core);
        await_equal(&done[n], 1);
    }
    send(SELF, 8);
    print("  sources are all cores %u\n", mmio_read8(GICD_SPENDSGIR + 8) == (1u << count) - 1);
    for (u32 n = 0; n < count; n++) {
        u32 iar = cpu(IAR);
        if (iar != (n << 10 | 8)) {
            print("  UNEXPECTED IAR 0x%x\n", iar);
        }
        set_cpu(EOIR, iar);
    }
    print("  one after the other; then signals %s, pending %u\n", signals(), state_of(8, 0x200));

    print("SGI 9 to all others, then to each\n");
    send(ALL_OTHERS, 9);
    u32 right = 1;
    for (u32 n = 1; n < count; n++) {
        right &= await_nonzero((u32 *)&seen[n]) == 9 + 1;
        seen[n] = 0;
        send(1u << (16 + n), 10);
        right &= await_nonzero((u32 *)&seen[n]) == 10 + 1;
        seen[n] = 0;
    }
    print("  taken by each once %u, signals here %s\n", right, signals());

    print("SPENDSGIR and CPENDSGIR\n");
    mmio_write8(GICD_SPENDSGIR + 11, 1);
    print("  SPENDSGIR %u CPENDSGIR %u ISPENDR0 0x%08x signals %s\n", mmio_read8(GICD_SPENDSGIR + 11), mmio_read8(GICD_CPENDSGIR + 11),
          mmio_read32(GICD_ISPENDR), signals());
    mmio_write32(GICD_ICPENDR, 1u << 11); /* no effect on an SGI */
    print("  ICPENDR: signals %s\n", signals());
    mmio_write8(GICD_CPENDSGIR + 11, 1);
    print("  CPENDSGIR: signals %s\n", signals());
}

static void shared(void) {
    print("an edge SPI to each core\n");
    u64 icfgr = GICD_ICFGR + SPI / 16 * 4;
    mmio_write32(icfgr, mmio_read32(icfgr) | 2u << SPI % 16 * 2);
    set_priority(SPI, 0x80);
    for (u32 n = 0; n < count; n++) {
        mmio_write8(GICD_ITARGETSR + SPI, (u8)(1u << n));
        change(SPI, 0x200);
        change(SPI, 0x200);
        u32 before = state_of(SPI, 0x200);
        change(SPI, 0x100);
        if (n) {
            await_nonzero((u32 *)&seen[n]);
            print("  pending %u, core %u has taken %u\n", before, n, seen[n] - 1);
            seen[n] = 0;
        } else {
            print("  pending %u, signals %s\n", before, signals());
            let_in();
        }
        change(SPI, 0x180);
    }
    mmio_write8(GICD_ITARGETSR + SPI, 1);
    print("cleared before it is enabled\n");
    change(SPI, 0x200);
    change(SPI, 0x280);
    change(SPI, 0x100);
    print("  signals %s\n", signals());
}

static void private(void) {
    print("the virtual timer\n");
    set_priority(INTID_CNTV, 0x80);
    change(INTID_CNTV, 0x100);
    for (u32 i = 0; i < 2; i++) {
        WRITE(cntv_tval_el0, 1000);
        WRITE(cntv_ctl_el0, 1);
        isb();
        wfi();
        print("  awake, signals %s\n", signals());
        let_in();
    }
    print("  signals %s\n", signals());
}

/* The virtual CPU interface */

static void say_lists(void) {
    print("  LRs");
    for (u32 n = 0; n < LRS; n++) {
        print(" %08x", mmio_read32(GICH_LR(n)));
    }
    print("\n  MISR 0x%02x EISR 0x%x ELRSR 0x%x EOICount %u APR %08x, signals %s\n", mmio_read32(GICH_MISR), mmio_read32(GICH_EISR0),
          mmio_read32(GICH_ELRSR0), mmio_read32(GICH_HCR) >> 27, mmio_read32(GICH_APR), signals());
}
static void clear(void) {
    for (u32 n = 0; n < LRS; n++) {
        mmio_write32(GICH_LR(n), 0);
    }
    mmio_write32(GICH_APR, 0);
    mmio_write32(GICH_HCR, EN);
    set_cpu(CTLR, ENABLE_GRP0);
    set_cpu(PMR, 0xf0);
    set_cpu(BPR, 2);
    taken = 0;
}
static void list(u32 n, u32 value) {
    mmio_write32(GICH_LR(n), value);
}

/* What EL2 has seen since the last time. */
static void say_log(void) {
    static u64 first;
    u64 end = hypercall(LOG_COUNT, 0, 0);
    for (; first < end; first++) {
        u64 i = first & 31, lists = hypercall(LOG_ENTRY, i, 2);
        print("  EL2: %lu, MISR 0x%02lx EISR 0x%lx ELRSR 0x%lx EOICount %lu\n", hypercall(LOG_ENTRY, i, 0), hypercall(LOG_ENTRY, i, 1),
              lists & 0xff, lists >> 8, hypercall(LOG_ENTRY, i, 3));
    }
}

static void virtual_order(void) {
    print("GICH_VTR 0x%08x\n", mmio_read32(GICH_VTR));
    set_cpu(CTLR, 0x21f);
    set_cpu(PMR, 0x78);
    set_cpu(BPR, 4);
    set_cpu(ABPR, 5);
    print("GICH_VMCR 0x%08x\n", mmio_read32(GICH_VMCR));
    mmio_write32(GICH_VMCR, 0xf8fc0211);
    print("GICV_CTLR 0x%x PMR 0x%x BPR %u ABPR %u\n", cpu(CTLR), cpu(PMR), cpu(BPR), cpu(ABPR));
    print("order of four list registers\n");
    clear();
    list(0, LR(PENDING, 0xa0, 40));
    list(1, LR(PENDING, 0x60, 41));
    list(2, LR(PENDING, 0x60, 42));
    list(3, LR(PENDING, 0x80, 3 | 5 << 10)); /* an SGI from CPU 5 */
    say_lists();
    let_in();
    let_in();
    let_in();
    let_in();
    say_lists();
    print("preemption, binary point 4\n");
    clear();
    set_cpu(BPR, 4);
    list(0, LR(PENDING, 0x88, 43));
    u32 outer = cpu(IAR);
    list(1, LR(PENDING, 0x80, 44));
    say_lists();
    list(1, LR(PENDING, 0x70, 44));
    say_lists();
    let_in();
    set_cpu(EOIR, outer);
    say_lists();
    print("Group 1, AckCtl, FIQEn\n");
    clear();
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1);
    list(0, LR(PENDING, 0x80, 45) | GROUP1);
    print("  IAR %u HPPIR %u signals %s\n", cpu(IAR), cpu(HPPIR), signals());
    set_cpu(CTLR, ENABLE_GRP0 | ENABLE_GRP1 | ACK_CTL | FIQ_EN);
    list(1, LR(PENDING, 0x70, 46));
    print("  with Group 0: HPPIR %u signals %s\n", cpu(HPPIR), signals());
    let_in();
    let_in();
    print("priority mask and En\n");
    clear();
    list(0, LR(PENDING, 0x80, 47));
    set_cpu(PMR, 0x80);
    print("  PMR 0x80: signals %s IAR %u\n", signals(), cpu(IAR));
    set_cpu(PMR, 0x90);
    mmio_write32(GICH_HCR, 0);
    print("  En 0: signals %s IAR %u\n", signals(), cpu(IAR));
    mmio_write32(GICH_HCR, EN);
    let_in();
}

static void virtual_ends(void) {
    print("EOImode 1\n");
    clear();
    set_cpu(CTLR, ENABLE_GRP0 | EOI_MODE);
    list(0, LR(PENDING, 0x80, 50));
    list(1, LR(ACTIVE, 0x80, 51));
    u32 iar = cpu(IAR);
    list(0, mmio_read32(GICH_LR(0)) | PENDING);
    say_lists();
    set_cpu(EOIR, iar);
    say_lists();
    set_cpu(DIR, iar);
    set_cpu(DIR, 51);
    say_lists();
    let_in();

    print("EOICount\n");
    clear();
    list(0, LR(PENDING, 0x80, 52));
    iar = cpu(IAR);
    list(0, 0);
    set_cpu(EOIR, iar);
    say_lists();

    print("every state of a list register\n");
    clear();
    mmio_write32(GICH_HCR, EN | UIE | NPIE);
    list(0, LR(0, 0x80, 60) | EOI_MAINTENANCE);
    list(1, LR(PENDING, 0xe8, 61) | EOI_MAINTENANCE);
    list(2, LR(ACTIVE, 0x80, 62));
    list(3, LR(ACTIVE | PENDING, 0x80, 63));
    say_lists();
    list(1, LR(0, 0x80, 61) | HW(SPI));
    say_lists();
    list(2, 0);
    say_lists();
}

/* Physical interrupts come when they will; what they do is told afterwards. */
static void maintenance(void) {
    print("maintenance: an interrupt that wants it has ended\n");
    clear();
    change(INTID_MAINTENANCE, 0x100);
    list(2, LR(PENDING, 0x80, 70) | EOI_MAINTENANCE);
    list(3, LR(PENDING, 0x90, 71));
    let_in();
    breathe();
    say_log();
    let_in();
    breathe();
    say_log();
    print("maintenance: nothing is pending\n");
    clear();
    list(0, LR(PENDING, 0x80, 72));
    mmio_write32(GICH_HCR, EN | NPIE);
    u32 iar = cpu(IAR);
    breathe();
    say_log();
    print("maintenance: at most one is valid\n");
    mmio_write32(GICH_HCR, EN | UIE);
    breathe();
    say_log();
    print("maintenance: EOICount\n");
    list(0, 0);
    mmio_write32(GICH_HCR, EN | LRENPIE);
    set_cpu(EOIR, iar);
    breathe();
    say_log();
    say_lists();
    change(INTID_MAINTENANCE, 0x180);
}

static void say_physical(const char *when, u32 intid) {
    print("  %s: physical %u active %u pending %u, LR0 %08x\n", when, intid, state_of(intid, 0x300), state_of(intid, 0x200),
          mmio_read32(GICH_LR(0)));
}
static void await_list(void) {
    for (u32 i = 0; i < 1000000 && !(mmio_read32(GICH_LR(0)) & PENDING); i++) {
        asm volatile("yield");
    }
    breathe();
    say_log();
}

static void linked(void) {
    print("the virtual timer, linked\n");
    clear();
    for (u32 i = 0; i < 2; i++) {
        WRITE(cntv_tval_el0, 1000);
        WRITE(cntv_ctl_el0, 1);
        isb();
        await_list();
        say_physical("injected", INTID_CNTV);
        let_in();
        say_physical("handled", INTID_CNTV);
    }
    print("an SPI, linked, EOImode 1\n");
    clear();
    set_cpu(CTLR, ENABLE_GRP0 | EOI_MODE);
    change(SPI, 0x200);
    await_list();
    say_physical("injected", SPI);
    u32 iar = cpu(IAR);
    change(SPI, 0x200);
    set_cpu(EOIR, iar);
    breathe();
    say_physical("pending again, EOIR", SPI);
    set_cpu(DIR, iar);
    change(SPI, 0x100); /* QEMU 7.2 looks at its physical interrupts again after an access to them only */
    await_list();
    say_physical("DIR, injected", SPI);
    let_in();
    breathe();
    say_physical("handled", SPI);
}

int guest(void) {
    title("gicv2");
    count = core_count();
    on_irq = irq;
    on_fiq = fiq;
    init_core();
    registers();
    priorities();
    preempt(4, 0x80, 0x60);
    preempt(4, 0x80, 0x80);
    preempt(6, 0xe0, 0xa0);
    preempt(6, 0xe0, 0x70);
    end_modes();
    groups();
    sources();
    shared();
    private();

    print("EL1 is a virtual machine\n");
    mmio_write32(GICC_BASE + CTLR, ENABLE_GRP0 | ENABLE_GRP1 | EOI_MODE);
    hypercall(ROUTE, 0, 0);
    interface = GICV_BASE;
    virtual_order();
    virtual_ends();
    maintenance();
    linked();
    return 0;
}
