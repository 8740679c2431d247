/* The virtual CPU interface of GICv3: this program is a small hypervisor at EL2, which fills list registers, and the virtual
 * machine at EL1 that takes what they hold. Order, preemption, EOImode 0 and 1, list registers of every state, EOIcount, the
 * maintenance interrupt, more interrupts than list registers, virtual interrupts linked to a timer and to an SPI, traps.
 *
 * EL1 asks EL2 by HVC: x0 what, x1 and x2 operands, x0 the result. What EL2 knows, only EL2 touches (its MMU is off). Physical
 * interrupts are let through only where EL1 waits for them, so that the order of what is printed does not depend on time. */
#include "guest.h"

#define ICH_AP0R0_EL2 s3_4_c12_c8_0
#define ICH_AP1R0_EL2 s3_4_c12_c9_0
#define ICH_HCR_EL2 s3_4_c12_c11_0
#define ICH_VTR_EL2 s3_4_c12_c11_1
#define ICH_MISR_EL2 s3_4_c12_c11_2
#define ICH_EISR_EL2 s3_4_c12_c11_3
#define ICH_ELRSR_EL2 s3_4_c12_c11_5
#define ICH_VMCR_EL2 s3_4_c12_c11_7
#define ICH_LR0_EL2 s3_4_c12_c12_0
#define ICH_LR1_EL2 s3_4_c12_c12_1
#define ICH_LR2_EL2 s3_4_c12_c12_2
#define ICH_LR3_EL2 s3_4_c12_c12_3
#define ICC_AP0R0_EL1 s3_0_c12_c8_4

#define LRS 4
#define PENDING (1ull << 62)
#define ACTIVE (1ull << 63)
#define GROUP1 (1ull << 60)
#define EOI_MAINTENANCE (1ull << 41)
#define HW(pintid) (1ull << 61 | (u64)(pintid) << 32)
#define LR(state, priority, intid) ((state) | GROUP1 | (u64)(priority) << 48 | (intid))

#define EN 1
#define UIE 2
#define LRENPIE 4
#define NPIE 8
#define VGRP0EIE 0x10
#define VGRP0DIE 0x20
#define VGRP1EIE 0x40
#define VGRP1DIE 0x80
#define TC 0x400
#define TALL0 0x800
#define TALL1 0x1000
#define TDIR 0x4000

#define INTID_MAINTENANCE 25
#define SPI 44 /* nothing on the board drives it */

enum call { START, READ_REG, WRITE_REG, OPEN, CLOSE, QUEUE, LOG, LOG_COUNT, LOG_ENTRY };
enum reg { LR_0, HCR = 16, VTR, MISR, EISR, ELRSR, VMCR, AP0R0, AP1R0 };
enum event { VIRQ, VFIQ, END, MAINTENANCE, PHYSICAL, REFILL };

static u64 hypercall(enum call what, u64 a, u64 b) {
    register u64 x0 asm("x0") = what;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    asm volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2) : "memory");
    return x0;
}

/* EL2 */

static u64 queue[16];
static u32 queue_first, queue_last;
static u64 events[64][3];
static u32 event_count;

static u64 el2_read(u32 reg) {
    switch (reg) {
    case LR_0: return READ_(ICH_LR0_EL2);
    case LR_0 + 1: return READ_(ICH_LR1_EL2);
    case LR_0 + 2: return READ_(ICH_LR2_EL2);
    case LR_0 + 3: return READ_(ICH_LR3_EL2);
    case HCR: return READ_(ICH_HCR_EL2);
    case VTR: return READ_(ICH_VTR_EL2);
    case MISR: return READ_(ICH_MISR_EL2);
    case EISR: return READ_(ICH_EISR_EL2);
    case ELRSR: return READ_(ICH_ELRSR_EL2);
    case VMCR: return READ_(ICH_VMCR_EL2);
    case AP0R0: return READ_(ICH_AP0R0_EL2);
    case AP1R0: return READ_(ICH_AP1R0_EL2);
    default: return ~0ull;
    }
}

static void el2_write(u32 reg, u64 value) {
    switch (reg) {
    case LR_0: WRITE_(ICH_LR0_EL2, value); break;
    case LR_0 + 1: WRITE_(ICH_LR1_EL2, value); break;
    case LR_0 + 2: WRITE_(ICH_LR2_EL2, value); break;
    case LR_0 + 3: WRITE_(ICH_LR3_EL2, value); break;
    case HCR: WRITE_(ICH_HCR_EL2, value); break;
    case VMCR: WRITE_(ICH_VMCR_EL2, value); break;
    case AP0R0: WRITE_(ICH_AP0R0_EL2, value); break;
    case AP1R0: WRITE_(ICH_AP1R0_EL2, value); break;
    }
    isb();
}

static void el2_log(enum event event, u64 a, u64 b) {
    if (event_count < 64) {
        events[event_count][0] = event;
        events[event_count][1] = a;
        events[event_count][2] = b;
        event_count++;
    }
}

static int el2_free_lr(void) {
    u64 free = READ_(ICH_ELRSR_EL2);
    for (int n = 0; n < LRS; n++) {
        if (free >> n & 1) {
            return n;
        }
    }
    return -1;
}

/* Fills the free list registers from the queue; without a queue nobody needs to hear that they are free. */
static void el2_refill(void) {
    for (int n; queue_first != queue_last && (n = el2_free_lr()) >= 0;) {
        el2_log(REFILL, (u64)n, queue[queue_first]);
        el2_write(LR_0 + (u32)n, queue[queue_first++]);
    }
    if (queue_first == queue_last) {
        el2_write(HCR, READ_(ICH_HCR_EL2) & ~(u64)(UIE | NPIE));
    }
}

static void el2_maintain(void) {
    u64 misr = READ_(ICH_MISR_EL2);
    u64 eisr = READ_(ICH_EISR_EL2);
    u64 hcr = READ_(ICH_HCR_EL2);
    el2_log(MAINTENANCE, misr, eisr | READ_(ICH_ELRSR_EL2) << 8 | hcr >> 27 << 16);
    for (u32 n = 0; n < LRS; n++) {
        if (eisr >> n & 1) {
            el2_write(LR_0 + n, 0);
        }
    }
    /* Of the groups each state is told once. EOIcount is taken note of. */
    el2_write(HCR, hcr & ~(misr & 0xf0) & ~(31ull << 27));
    if (misr & (UIE | NPIE)) {
        el2_refill();
    }
}

static void el2_interrupt(void) {
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    if (intid == INTID_MAINTENANCE) {
        el2_maintain();
    } else {
        int n = el2_free_lr();
        el2_log(PHYSICAL, intid, (u64)n);
        el2_write(LR_0 + (u32)n, LR(PENDING, 0x80, intid) | HW(intid));
    }
    gic_end(intid); /* priority drop */
    if (intid == INTID_MAINTENANCE) {
        WRITE_(ICC_DIR_EL1, intid);
        isb();
    }
}

static u64 el2_call(enum call what, u64 a, u64 b) {
    switch (what) {
    case START:
        WRITE(hcr_el2, READ(hcr_el2) | 3 << 3); /* FMO, IMO */
        WRITE_(ICC_CTLR_EL1, 2);                /* EOImode */
        WRITE_(ICC_PMR_EL1, 0);
        isb();
        return 0;
    case READ_REG: return el2_read((u32)a);
    case WRITE_REG: el2_write((u32)a, b); return 0;
    case OPEN:
    case CLOSE:
        WRITE_(ICC_PMR_EL1, what == OPEN ? 0xff : 0);
        isb();
        return 0;
    case QUEUE: queue[queue_last++] = a; return 0;
    case LOG: el2_log((enum event)(a & 0xff), a >> 8, b); return 0;
    case LOG_COUNT:
        if (a) {
            event_count = 0;
            queue_first = queue_last = 0;
        }
        return event_count;
    case LOG_ENTRY: return events[a][b];
    }
    return ~0ull;
}

static void at_el2(struct frame *f, unsigned vector) {
    if (vector == 9) {
        el2_interrupt();
    } else if (exception_class(f->esr) == 0x16) {
        f->x[0] = el2_call((enum call)f->x[0], f->x[1], f->x[2]);
    } else if (exception_class(f->esr) == 0x18) {
        u32 iss = (u32)f->esr & 0x1ffffff;
        print_raw("    trapped: %s of S3_%u_C%u_C%u_%u\n", iss & 1 ? "MRS" : "MSR", iss >> 14 & 7, iss >> 10 & 15, iss >> 1 & 15,
                  iss >> 17 & 7);
        if (iss & 1) {
            f->x[iss >> 5 & 31] = 0x7e57;
        }
        f->elr += 4;
    } else {
        print_raw("EL2: vector 0x%x ESR 0x%lx ELR 0x%lx\n", vector * 0x80, f->esr, f->elr);
        exit(127);
    }
}
void (*handler_el2)(struct frame *, unsigned) = at_el2;

/* EL1 */

static u64 ich(u32 reg) {
    return hypercall(READ_REG, reg, 0);
}
static void set(u32 reg, u64 value) {
    hypercall(WRITE_REG, reg, value);
}

static volatile u32 taken;
static volatile u32 split; /* EOImode */
static volatile bool is_open;

/* Lets physical interrupts through, or not. */
static void gate(bool open) {
    hypercall(open ? OPEN : CLOSE, 0, 0);
}

/* Time for a physical interrupt that is on its way. */
static void breathe(void) {
    for (u32 i = 0; i < 4000; i++) {
        asm volatile("yield");
    }
}

/* "I" and "F" where a virtual IRQ or FIQ is pending. */
static const char *signals(void) {
    static const char *const names[] = {"-", "F", "I", "IF"};
    isb();
    return names[READ(isr_el1) >> 6 & 3];
}

static void handled(bool is_fiq) {
    gate(false); /* what the acknowledge causes is told after it */
    u32 intid = (u32)(is_fiq ? READ_(ICC_IAR0_EL1) : READ_(ICC_IAR1_EL1));
    hypercall(LOG, (is_fiq ? VFIQ : VIRQ) | intid << 8, READ_(ICC_RPR_EL1));
    gate(is_open);
    if (intid >= 1020) {
        return;
    }
    breathe();
    if (intid == INTID_CNTV) {
        WRITE(cntv_ctl_el0, 0);
        isb();
        breathe(); /* the line is low at the redistributor */
    }
    hypercall(LOG, END | intid << 8, 0);
    if (is_fiq) {
        WRITE_(ICC_EOIR0_EL1, intid);
    } else {
        WRITE_(ICC_EOIR1_EL1, intid);
    }
    isb();
    if (split) {
        WRITE_(ICC_DIR_EL1, intid);
        isb();
    }
    taken++;
    breathe();
}
static void irq(struct frame *f) {
    (void)f;
    handled(false);
}
static void fiq(struct frame *f) {
    (void)f;
    handled(true);
}

static void say_log(void) {
    u64 count = hypercall(LOG_COUNT, 0, 0);
    for (u64 i = 0; i < count; i++) {
        u64 event = hypercall(LOG_ENTRY, i, 0), a = hypercall(LOG_ENTRY, i, 1), b = hypercall(LOG_ENTRY, i, 2);
        switch (event) {
        case VIRQ:
        case VFIQ: print("  EL1: virtual %s %lu, running priority 0x%02lx\n", event == VIRQ ? "IRQ" : "FIQ", a, b); break;
        case END: print("  EL1: end of %lu\n", a); break;
        case MAINTENANCE:
            print("  EL2: maintenance, MISR 0x%02lx EISR 0x%lx ELRSR 0x%lx EOIcount %lu\n", a, b & 0xff, b >> 8 & 0xff, b >> 16);
            break;
        case PHYSICAL: print("  EL2: physical %lu goes to LR%lu\n", a, b); break;
        case REFILL: print("  EL2: LR%lu = 0x%016lx\n", a, b); break;
        }
    }
    hypercall(LOG_COUNT, 1, 0);
}

/* Everything that is signalled is taken. */
static void take(void) {
    irq_unmask();
    fiq_unmask();
    isb();
    irq_mask();
    fiq_mask();
    say_log();
}
static void clear(void) {
    for (u32 n = 0; n < LRS; n++) {
        set(LR_0 + n, 0);
    }
    set(AP0R0, 0);
    set(AP1R0, 0);
    set(HCR, EN);
    WRITE_(ICC_PMR_EL1, 0xf8);
    WRITE_(ICC_BPR0_EL1, 0);
    WRITE_(ICC_BPR1_EL1, 0);
    WRITE_(ICC_CTLR_EL1, 0);
    WRITE_(ICC_IGRPEN0_EL1, 1);
    WRITE_(ICC_IGRPEN1_EL1, 1);
    isb();
    taken = 0;
    split = 0;
}
static void say_lists(void) {
    print("  LRs");
    for (u32 n = 0; n < LRS; n++) {
        print(" %016lx", ich(LR_0 + n));
    }
    print("\n  MISR 0x%02lx EISR 0x%lx ELRSR 0x%lx EOIcount %lu AP0R0 %08lx AP1R0 %08lx\n", ich(MISR), ich(EISR), ich(ELRSR),
          ich(HCR) >> 27, ich(AP0R0), ich(AP1R0));
}

static void registers(void) {
    print("ICH_VTR_EL2 0x%lx, ICC_SRE_EL1 0x%lx\n", ich(VTR), READ_(ICC_SRE_EL1));
    set(VMCR, 0);
    print("ICH_VMCR_EL2 0: 0x%lx\n", ich(VMCR));
    set(VMCR, 0xf8fc021b);
    print("  all ones: 0x%lx, from EL1 PMR 0x%lx BPR0 %lu BPR1 %lu CTLR 0x%lx IGRPEN0 %lu IGRPEN1 %lu\n", ich(VMCR),
          READ_(ICC_PMR_EL1), READ_(ICC_BPR0_EL1), READ_(ICC_BPR1_EL1), READ_(ICC_CTLR_EL1), READ_(ICC_IGRPEN0_EL1),
          READ_(ICC_IGRPEN1_EL1));
    WRITE_(ICC_PMR_EL1, 0x57);
    WRITE_(ICC_CTLR_EL1, 0);
    WRITE_(ICC_BPR0_EL1, 4);
    WRITE_(ICC_BPR1_EL1, 1);
    WRITE_(ICC_IGRPEN1_EL1, 0);
    print("  EL1 has written: 0x%lx, PMR 0x%lx BPR1 %lu\n", ich(VMCR), READ_(ICC_PMR_EL1), READ_(ICC_BPR1_EL1));
    WRITE_(ICC_CTLR_EL1, 1);
    WRITE_(ICC_BPR1_EL1, 7);
    print("  CBPR: 0x%lx, BPR0 %lu BPR1 %lu\n", ich(VMCR), READ_(ICC_BPR0_EL1), READ_(ICC_BPR1_EL1));
    set(AP1R0, 0x10000);
    set(AP0R0, 0x80000000);
    print("  active priorities: RPR 0x%02lx", READ_(ICC_RPR_EL1));
    WRITE_(ICC_AP0R0_EL1, 2);
    print(", then 0x%02lx, AP0R0 0x%lx AP1R0 0x%lx\n", READ_(ICC_RPR_EL1), ich(AP0R0), READ_(ICC_AP1R0_EL1));
}

static void order(void) {
    print("order of four list registers, one of them in Group 0\n");
    clear();
    set(LR_0, LR(PENDING, 0xa0, 40));
    set(LR_0 + 1, LR(PENDING, 0x60, 41));
    set(LR_0 + 2, LR(PENDING, 0x60, 42));
    set(LR_0 + 3, LR(PENDING, 0x80, 43) & ~GROUP1);
    print("  signals %s, HPPIR0 %lu HPPIR1 %lu\n", signals(), READ_(ICC_HPPIR0_EL1), READ_(ICC_HPPIR1_EL1));
    take();

    print("priority mask 0x80, group enables, En\n");
    clear();
    set(LR_0, LR(PENDING, 0x80, 40));
    WRITE_(ICC_PMR_EL1, 0x80);
    print("  PMR 0x80: signals %s, HPPIR1 %lu, IAR1 %lu\n", signals(), READ_(ICC_HPPIR1_EL1), READ_(ICC_IAR1_EL1));
    WRITE_(ICC_PMR_EL1, 0x88);
    print("  PMR 0x88: signals %s\n", signals());
    WRITE_(ICC_IGRPEN1_EL1, 0);
    print("  IGRPEN1 0: signals %s, HPPIR1 %lu, IAR1 %lu\n", signals(), READ_(ICC_HPPIR1_EL1), READ_(ICC_IAR1_EL1));
    WRITE_(ICC_IGRPEN1_EL1, 1);
    set(HCR, 0);
    print("  En 0: signals %s, HPPIR1 %lu, IAR1 %lu\n", signals(), READ_(ICC_HPPIR1_EL1), READ_(ICC_IAR1_EL1));
    set(HCR, EN);
    take();
}

static void preempt(u32 bpr1, u32 outer, u32 inner, bool group0, bool common) {
    print("%s%s 0x%02x inside 0x%02x, binary point %u\n", common ? "CBPR, " : "", group0 ? "Group 0" : "Group 1", inner, outer, bpr1);
    clear();
    WRITE_(ICC_BPR0_EL1, common ? bpr1 - 1 : 2);
    WRITE_(ICC_BPR1_EL1, bpr1);
    WRITE_(ICC_CTLR_EL1, common ? 1 : 0);
    set(LR_0, LR(PENDING, outer, 50));
    u32 intid = (u32)READ_(ICC_IAR1_EL1);
    print("  %u runs at 0x%02lx, AP1R0 %08lx\n", intid, READ_(ICC_RPR_EL1), ich(AP1R0));
    set(LR_0 + 1, LR(PENDING, inner, 51) & ~(group0 ? GROUP1 : 0));
    print("  51 pending: signals %s\n", signals());
    take();
    print("  end of %u\n", intid);
    WRITE_(ICC_EOIR1_EL1, intid);
    isb();
    take();
}

static void nested(void) {
    print("three deep\n");
    clear();
    set(LR_0, LR(PENDING, 0xa0, 60));
    u32 first = (u32)READ_(ICC_IAR1_EL1);
    set(LR_0 + 1, LR(PENDING, 0x80, 61));
    u32 second = (u32)READ_(ICC_IAR1_EL1);
    set(LR_0 + 2, LR(PENDING, 0x40, 62) & ~GROUP1);
    u32 third = (u32)READ_(ICC_IAR0_EL1);
    print("  %u %u %u\n", first, second, third);
    say_lists();
    WRITE_(ICC_EOIR0_EL1, third);
    print("  running priority 0x%02lx", READ_(ICC_RPR_EL1));
    WRITE_(ICC_EOIR1_EL1, second);
    print(" 0x%02lx", READ_(ICC_RPR_EL1));
    WRITE_(ICC_EOIR1_EL1, first);
    print(" 0x%02lx\n", READ_(ICC_RPR_EL1));
    say_lists();
}

static void end_modes(void) {
    print("EOImode 0: active and pending again\n");
    clear();
    set(LR_0, LR(PENDING, 0x80, 70));
    READ_(ICC_IAR1_EL1);
    set(LR_0, ich(LR_0) | PENDING);
    print("  signals %s, HPPIR1 %lu\n", signals(), READ_(ICC_HPPIR1_EL1));
    say_lists();
    WRITE_(ICC_DIR_EL1, 70); /* no effect */
    WRITE_(ICC_EOIR1_EL1, 70);
    print("  EOIR: signals %s\n", signals());
    say_lists();
    take();

    print("EOImode 1\n");
    clear();
    WRITE_(ICC_CTLR_EL1, 2);
    set(LR_0, LR(PENDING, 0x80, 71));
    READ_(ICC_IAR1_EL1);
    WRITE_(ICC_EOIR1_EL1, 71);
    print("  EOIR: running priority 0x%02lx\n", READ_(ICC_RPR_EL1));
    say_lists();
    WRITE_(ICC_DIR_EL1, 71);
    print("  DIR\n");
    say_lists();
    WRITE_(ICC_DIR_EL1, 72);
    print("  DIR of what is in no list register\n");
    say_lists();
    split = 1;
    set(LR_0 + 1, LR(PENDING, 0x80, 73));
    take();
}

static void counts(void) {
    print("EOIcount: three are active, two of them taken away\n");
    clear();
    set(LR_0, LR(PENDING, 0xa0, 80));
    READ_(ICC_IAR1_EL1);
    set(LR_0 + 1, LR(PENDING, 0x80, 81));
    READ_(ICC_IAR1_EL1);
    set(LR_0 + 2, LR(PENDING, 0x60, 82));
    READ_(ICC_IAR1_EL1);
    set(LR_0, 0);
    set(LR_0 + 2, 0);
    WRITE_(ICC_EOIR1_EL1, 82);
    WRITE_(ICC_EOIR1_EL1, 81);
    say_lists();
    WRITE_(ICC_EOIR1_EL1, 80);
    WRITE_(ICC_EOIR1_EL1, 80); /* nothing is active: no effect */
    WRITE_(ICC_EOIR1_EL1, 1023);
    say_lists();
}

static void statuses(void) {
    print("every state of a list register\n");
    clear();
    set(HCR, EN | UIE | NPIE);
    set(LR_0, LR(0, 0x80, 90) | EOI_MAINTENANCE);
    set(LR_0 + 1, LR(PENDING, 0xf0, 91) | EOI_MAINTENANCE);
    set(LR_0 + 2, LR(ACTIVE, 0x80, 92));
    set(LR_0 + 3, LR(ACTIVE | PENDING, 0x80, 93));
    say_lists();
    set(LR_0 + 1, LR(0, 0x80, 91) | HW(SPI));
    say_lists();
    set(LR_0 + 2, 0);
    say_lists();
    print("group interrupts, both groups on and off\n");
    set(HCR, EN | VGRP0EIE | VGRP0DIE | VGRP1EIE | VGRP1DIE);
    set(LR_0, 0);
    print("  MISR 0x%02lx", ich(MISR));
    WRITE_(ICC_IGRPEN0_EL1, 0);
    WRITE_(ICC_IGRPEN1_EL1, 0);
    print(" 0x%02lx\n", ich(MISR));
}

/* Physical interrupts come while it lasts. */
static void open(u32 wanted) {
    gate(is_open = true);
    irq_unmask();
    for (u32 i = 0; taken < wanted && i < 1000000; i++) {
        asm volatile("yield");
    }
    breathe();
    irq_mask();
    gate(is_open = false);
    say_log();
}

static void maintenance(void) {
    print("maintenance: end of an interrupt that wants it\n");
    clear();
    gic_enable(INTID_MAINTENANCE);
    set(LR_0 + 2, LR(PENDING, 0x80, 100) | EOI_MAINTENANCE);
    set(LR_0 + 3, LR(PENDING, 0x80, 101));
    open(2);

    print("maintenance: EOIcount\n");
    clear();
    set(LR_0, LR(PENDING, 0x80, 102));
    READ_(ICC_IAR1_EL1);
    set(LR_0, 0);
    set(HCR, EN | LRENPIE);
    WRITE_(ICC_EOIR1_EL1, 102);
    open(0);

    print("maintenance: group enables\n");
    clear();
    WRITE_(ICC_IGRPEN1_EL1, 0);
    set(HCR, EN | VGRP1EIE);
    open(0);
    WRITE_(ICC_IGRPEN1_EL1, 1);
    open(0);
    set(HCR, EN | VGRP1DIE);
    open(0);
    WRITE_(ICC_IGRPEN1_EL1, 0);
    open(0);
    set(HCR, VGRP1DIE | VGRP0EIE);
    open(0);
    print("  En 0: MISR 0x%02lx, and none taken\n", ich(MISR));
}

static void overflow(u32 enable, const char *name) {
    print("eleven interrupts through four list registers by %s\n", name);
    clear();
    for (u32 i = 0; i < 11; i++) {
        hypercall(QUEUE, LR(PENDING, 0x80 + 8 * (i * 5 % 11), 200 + i), 0);
    }
    set(HCR, EN | enable);
    open(11);
    say_lists();
}

static void say_physical(const char *when, u32 intid) {
    print("  %s: physical %u active %u pending %u, LR0 state %lu\n", when, intid, gic_test(intid, 0x300), gic_test(intid, 0x200),
          ich(LR_0) >> 62);
}

static void await_lr0(u64 state) {
    gate(true);
    for (u32 i = 0; ich(LR_0) >> 62 != state && i < 1000000; i++) {
        asm volatile("yield");
    }
    breathe();
    gate(false);
    say_log();
}

static void linked(void) {
    print("the virtual timer, linked\n");
    clear();
    gic_set_priority(INTID_CNTV, 0x80);
    gic_enable(INTID_CNTV);
    WRITE(cntv_tval_el0, 1000);
    WRITE(cntv_ctl_el0, 1);
    isb();
    await_lr0(1);
    breathe();
    say_physical("injected", INTID_CNTV);
    u32 intid = (u32)READ_(ICC_IAR1_EL1);
    say_physical("acknowledged", INTID_CNTV);
    WRITE(cntv_ctl_el0, 0);
    isb();
    breathe();
    WRITE_(ICC_EOIR1_EL1, intid);
    dsb(sy);
    breathe();
    say_physical("ended", INTID_CNTV);

    print("twice more, asleep between\n");
    for (u32 i = 1; i <= 2; i++) {
        WRITE(cntv_tval_el0, 1000);
        WRITE(cntv_ctl_el0, 1);
        isb();
        gate(is_open = true);
        while (taken < i) {
            wfi();
            irq_unmask();
            isb();
            irq_mask();
        }
        breathe();
        gate(is_open = false);
        say_log();
    }
    gic_disable(INTID_CNTV);

    print("an SPI, linked, EOImode 1; pending again while active\n");
    clear();
    WRITE_(ICC_CTLR_EL1, 2);
    u64 icfgr = GICD_ICFGR + SPI / 16 * 4;
    mmio_write32(icfgr, mmio_read32(icfgr) | 2u << SPI % 16 * 2);
    gic_set_priority(SPI, 0x80);
    gic_route(SPI, 0);
    gic_enable(SPI);
    gic_set(SPI, 0x200);
    await_lr0(1);
    say_physical("injected", SPI);
    intid = (u32)READ_(ICC_IAR1_EL1);
    gic_set(SPI, 0x200);
    say_physical("pending again", SPI);
    WRITE_(ICC_EOIR1_EL1, intid);
    dsb(sy);
    breathe();
    say_physical("EOIR", SPI);
    WRITE_(ICC_DIR_EL1, intid);
    dsb(sy);
    breathe();
    say_physical("DIR", SPI);
    await_lr0(1);
    say_physical("injected", SPI);
    split = 1;
    open(1);
    say_physical("handled", SPI);
    gic_disable(SPI);
}

static void trapped(void) {
    clear();
    set(AP1R0, 0x100);
    static const struct {
        u32 bits;
        const char *name;
    } kinds[] = {{0, "none"}, {TC, "TC"}, {TALL0, "TALL0"}, {TALL1, "TALL1"}, {TDIR, "TDIR"}};
    for (u32 i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        print("traps: %s\n", kinds[i].name);
        set(HCR, EN | kinds[i].bits);
        print("  PMR 0x%lx\n", READ_(ICC_PMR_EL1));
        print("  RPR 0x%lx\n", READ_(ICC_RPR_EL1));
        print("  CTLR 0x%lx\n", READ_(ICC_CTLR_EL1));
        print("  IAR0 0x%lx\n", READ_(ICC_IAR0_EL1));
        print("  BPR0 0x%lx\n", READ_(ICC_BPR0_EL1));
        print("  AP0R0 0x%lx\n", READ_(ICC_AP0R0_EL1));
        print("  IGRPEN0 0x%lx\n", READ_(ICC_IGRPEN0_EL1));
        print("  HPPIR1 0x%lx\n", READ_(ICC_HPPIR1_EL1));
        print("  AP1R0 0x%lx\n", READ_(ICC_AP1R0_EL1));
        print("  IGRPEN1 0x%lx\n", READ_(ICC_IGRPEN1_EL1));
        WRITE_(ICC_EOIR0_EL1, 1023);
        WRITE_(ICC_EOIR1_EL1, 1023);
        WRITE_(ICC_DIR_EL1, 1023);
        WRITE_(ICC_SGI1R_EL1, 1);
        WRITE_(ICC_SGI0R_EL1, 1);
        WRITE_(s3_0_c12_c11_6, 1); /* ICC_ASGI1R_EL1 */
    }
    set(HCR, EN);
}

int guest(void) {
    title("vgic");
    gic_init();
    gic_init_core();
    on_irq = irq;
    on_fiq = fiq;
    hypercall(START, 0, 0);
    registers();
    order();
    preempt(3, 0x88, 0x80, false, false);
    preempt(4, 0x88, 0x80, false, false);
    preempt(4, 0x88, 0x78, false, false);
    preempt(7, 0xf0, 0x80, false, false);
    preempt(7, 0xf0, 0x78, false, false);
    preempt(5, 0x88, 0x80, true, false);
    preempt(5, 0x88, 0x80, true, true);
    preempt(5, 0xb8, 0x98, false, true);
    nested();
    end_modes();
    counts();
    statuses();
    maintenance();
    overflow(NPIE, "NP");
    overflow(UIE, "U");
    linked();
    trapped();
    return 0;
}
