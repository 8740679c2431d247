/* GICv3 beyond delivery: order by priority, the priority mask, preemption by binary point, EOImode 0 and 1, active and
 * pending at once, Group 0 as FIQ beside Group 1 as IRQ (where there is one Security state), SPIs routed by IROUTER,
 * edge and level. SGIs to itself stand for most sources. Priorities are multiples of 16: any GIC has those. */
#include "guest.h"

#define SPI_EDGE 44 /* nothing on the board drives it: software sets it pending */
#define ENABLED 0x100
#define PENDING 0x200
#define ACTIVE 0x300

#define UARTDR (UART_BASE + 0x000)
#define UARTLCR_H (UART_BASE + 0x02c)
#define UARTIMSC (UART_BASE + 0x038)
#define UARTMIS (UART_BASE + 0x040)
#define UARTICR (UART_BASE + 0x044)
#define UART_TX 0x20

static u32 count;
static volatile u32 taken;
static volatile u32 raise_inside; /* an SGI to send from within the handler, and whether by Group 0 */
static volatile bool raise_group0;
static volatile u32 spi_taken_by;
static u32 go[MAX_CORES];

static u32 running_priority(void) {
    return (u32)READ_(ICC_RPR_EL1) & 0xff;
}

/* One-bit states change when the redistributor or distributor has seen the CPU interface's message: wait for it. */
static bool becomes(u32 intid, u32 state, bool wanted) {
    for (u32 i = 0; i < 100000 && gic_test(intid, state) != wanted; i++) {
    }
    return gic_test(intid, state) == wanted;
}

static void pend_self(u32 intid) {
    send_sgi(0, intid);
    check(becomes(intid, PENDING, true), "an SGI to oneself becomes pending");
}

/* Lets everything that can be taken be taken; `wanted` interrupts in all. */
static void open_until(u32 wanted) {
    irq_unmask();
    fiq_unmask();
    for (u32 i = 0; taken < wanted && i < 1000000; i++) {
        asm volatile("yield");
    }
    irq_mask();
    fiq_mask();
}

/* Time for an interrupt that must not come. */
static void open_for_a_while(void) {
    irq_unmask();
    fiq_unmask();
    for (u32 i = 0; i < 2000; i++) {
        asm volatile("yield");
    }
    irq_mask();
    fiq_mask();
}

static void nested(void) {
    u32 intid = raise_inside;
    if (!intid) {
        return;
    }
    raise_inside = 0;
    if (raise_group0) {
        dsb(ishst);
        WRITE_(ICC_SGI0R_EL1, (u64)intid << 24 | 1);
        isb();
    } else {
        send_sgi(0, intid);
    }
    check(becomes(intid, PENDING, true), "the SGI inside becomes pending");
    open_for_a_while();
}

static void irq(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    print("  IRQ %u in, running priority 0x%02x\n", intid, running_priority());
    nested();
    taken++;
    print("  IRQ %u out\n", intid);
    gic_end(intid);
}

static void fiq(struct frame *f) {
    (void)f;
    u32 intid = (u32)READ_(ICC_IAR0_EL1) & 0xffffff;
    dsb(sy);
    if (intid >= 1020) {
        return;
    }
    print("  FIQ %u in, running priority 0x%02x\n", intid, running_priority());
    nested();
    taken++;
    print("  FIQ %u out\n", intid);
    dsb(sy);
    WRITE_(ICC_EOIR0_EL1, intid);
    isb();
}

static void set_priority_mask(u32 mask) {
    WRITE_(ICC_PMR_EL1, mask);
    isb();
    dsb(sy); /* PMR is seen by the interrupts that are on the way */
}

static void priorities(void) {
    static const u8 priority[] = {0x90, 0x30, 0xd0, 0x10, 0x70, 0xb0};
    print("order of six SGIs with different priorities\n");
    for (u32 i = 0; i < 6; i++) {
        gic_set_priority(1 + i, priority[i]);
    }
    set_priority_mask(0);
    for (u32 i = 0; i < 6; i++) {
        pend_self(1 + i);
    }
    set_priority_mask(0xf0);
    taken = 0;
    open_until(6);

    print("priority mask 0x80\n");
    set_priority_mask(0x80);
    gic_set_priority(1, 0x80);
    gic_set_priority(2, 0x70);
    taken = 0;
    pend_self(1);
    open_for_a_while();
    print("  priority 0x80: taken %u, IAR %u\n", taken, (u32)READ_(ICC_IAR1_EL1) & 0xffffff);
    pend_self(2);
    open_until(1);
    print("mask 0xf0\n");
    set_priority_mask(0xf0);
    open_until(2);

    print("disabled while pending\n");
    gic_disable(3);
    pend_self(3);
    taken = 0;
    open_for_a_while();
    print("  taken %u\nenabled\n", taken);
    gic_enable(3);
    open_until(1);
}

static void preempt(u32 binary_point, u32 outer, u32 inner) {
    print("binary point %u, 0x%02x inside 0x%02x\n", binary_point, inner, outer);
    WRITE_(ICC_BPR1_EL1, binary_point);
    isb();
    gic_set_priority(1, (u8)outer);
    gic_set_priority(2, (u8)inner);
    taken = 0;
    raise_group0 = false;
    raise_inside = 2;
    pend_self(1);
    open_until(2);
}

/* Pending in the redistributor is not yet signalled to the CPU interface. */
static u32 acknowledge_when_signalled(void) {
    u32 intid;
    do {
        intid = gic_acknowledge();
    } while (intid >= 1020);
    return intid;
}

/* RPR, active, pending of SGI 1. */
static void say_state(const char *when, bool active, bool pending) {
    bool right = becomes(1, ACTIVE, active) && becomes(1, PENDING, pending);
    print("  %s: running priority 0x%02x, active %u, pending %u%s\n", when, running_priority(), gic_test(1, ACTIVE),
          gic_test(1, PENDING), right ? "" : ", UNEXPECTED");
}

static void end_modes(void) {
    gic_set_priority(1, 0xa0);
    print("EOImode 0\n");
    pend_self(1);
    say_state("pending     ", false, true);
    u32 intid = acknowledge_when_signalled();
    check(intid == 1, "IAR gives the SGI");
    say_state("acknowledged", true, false);
    send_sgi(0, 1);
    say_state("sent again  ", true, true);
    gic_end(1);
    say_state("EOIR        ", false, true);
    intid = acknowledge_when_signalled();
    gic_end(intid);
    say_state("IAR, EOIR   ", false, false);

    print("EOImode 1\n");
    WRITE_(ICC_CTLR_EL1, 2);
    isb();
    pend_self(1);
    intid = acknowledge_when_signalled();
    say_state("acknowledged", true, false);
    gic_end(intid);
    say_state("EOIR        ", true, false);
    send_sgi(0, 1);
    say_state("sent again  ", true, true);
    for (u32 i = 0; i < 1000; i++) {
        asm volatile("yield");
    }
    print("  IAR while active: %u\n", (u32)READ_(ICC_IAR1_EL1) & 0xffffff);
    WRITE_(ICC_DIR_EL1, 1);
    isb();
    say_state("DIR         ", false, true);
    intid = acknowledge_when_signalled();
    gic_end(intid);
    WRITE_(ICC_DIR_EL1, intid);
    isb();
    say_state("IAR EOIR DIR", false, false);
    WRITE_(ICC_CTLR_EL1, 0);
    isb();
}

static void groups(void) {
    if (!(mmio_read32(GICD_CTLR) & 0x40)) {
        print("two Security states: Group 0 is not ours\n");
        return;
    }
    print("one Security state: SGI 8 in Group 0\n");
    mmio_write32(GICD_CTLR, mmio_read32(GICD_CTLR) | 1);
    u64 igroupr0 = this_core()->gicr + GICR_IGROUPR0;
    mmio_write32(igroupr0, mmio_read32(igroupr0) & ~(1u << 8));
    dsb(sy);
    WRITE_(ICC_IGRPEN0_EL1, 1);
    WRITE_(ICC_BPR0_EL1, 3);
    WRITE_(ICC_BPR1_EL1, 4);
    isb();
    gic_set_priority(8, 0x40);
    gic_set_priority(1, 0x80);
    taken = 0;
    raise_group0 = true;
    raise_inside = 8;
    pend_self(1);
    open_until(2);

    print("the reverse: an IRQ does not preempt a FIQ of higher priority\n");
    raise_group0 = false;
    raise_inside = 1;
    taken = 0;
    dsb(ishst);
    WRITE_(ICC_SGI0R_EL1, 8ull << 24 | 1);
    isb();
    open_until(2);
    WRITE_(ICC_IGRPEN0_EL1, 0);
    isb();
}

static void spi_handler(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    check(intid == SPI_EDGE, "only the SPI comes");
    gic_end(intid);
    taken++;
    store_release((u32 *)&spi_taken_by, core_index());
}

static void other_core(void) {
    gic_init_core();
    store_release(&go[core_index()], 1);
    irq_unmask();
    for (;;) {
        wfi();
    }
}

static void pend_spi(void) {
    mmio_write32(GICD_ISPENDR + SPI_EDGE / 32 * 4, 1u << SPI_EDGE % 32);
    dsb(sy);
}

static void routing(void) {
    print("an edge SPI, routed to each core\n");
    u64 icfgr = GICD_ICFGR + SPI_EDGE / 16 * 4;
    mmio_write32(icfgr, mmio_read32(icfgr) | 2u << SPI_EDGE % 16 * 2);
    gic_set_priority(SPI_EDGE, 0x80);
    on_irq = spi_handler;
    for (u32 n = 0; n < count; n++) {
        if (n) {
            start_core(n, other_core);
            await_equal(&go[n], 1);
        }
        gic_disable(SPI_EDGE);
        gic_route(SPI_EDGE, n);
        spi_taken_by = ~0u;
        taken = 0;
        pend_spi();
        pend_spi(); /* still one interrupt */
        bool pending = gic_test(SPI_EDGE, PENDING);
        gic_enable(SPI_EDGE);
        irq_unmask();
        while (load_acquire((u32 *)&spi_taken_by) == ~0u) {
            asm volatile("yield");
        }
        irq_mask();
        bool over = becomes(SPI_EDGE, PENDING, false) && becomes(SPI_EDGE, ACTIVE, false);
        print("  pending %u, taken by core %u, %u time%s\n", pending, spi_taken_by, taken, over ? "" : ", NOT OVER");
    }

    print("1 of N: ");
    gic_disable(SPI_EDGE);
    mmio_write64(GICD_IROUTER + 8 * SPI_EDGE, 1ull << 31);
    dsb(sy);
    taken = 0;
    pend_spi();
    gic_enable(SPI_EDGE);
    irq_unmask();
    while (taken == 0) {
        asm volatile("yield");
    }
    for (u32 i = 0; i < 2000; i++) {
        asm volatile("yield");
    }
    irq_mask();
    print("taken %u time\n", taken);
    gic_disable(SPI_EDGE);

    print("set pending, cleared before it is enabled: ");
    gic_route(SPI_EDGE, 0);
    taken = 0;
    pend_spi();
    mmio_write32(GICD_ICPENDR + SPI_EDGE / 32 * 4, 1u << SPI_EDGE % 32);
    dsb(sy);
    gic_enable(SPI_EDGE);
    open_for_a_while();
    print("taken %u times\n", taken);
    gic_disable(SPI_EDGE);
}

/* The transmit interrupt of the UART, without its FIFO: a character that has left raises it. */
static void uart_handler(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    check(intid == INTID_UART && (mmio_read32(UARTMIS) & UART_TX), "the UART says why");
    if (++taken == 3) {
        mmio_write32(UARTICR, UART_TX);
        mmio_read32(UARTMIS); /* the write has arrived */
        becomes(INTID_UART, PENDING, false);
    }
    gic_end(intid);
}

static void level(void) {
    on_irq = uart_handler;
    mmio_write32(UARTLCR_H, 0x60); /* 8 bits, no FIFO */
    mmio_write32(UARTICR, 0x7ff);
    mmio_write32(UARTIMSC, UART_TX);
    gic_set_priority(INTID_UART, 0x80);
    gic_route(INTID_UART, 0);
    gic_enable(INTID_UART);
    taken = 0;
    mmio_write32(UARTDR, '-');
    open_until(3);
    open_for_a_while();
    mmio_write32(UARTIMSC, 0);
    mmio_write32(UARTLCR_H, 0x70);
    print(" a level SPI comes again after EOIR until its source is quiet: taken %u times, pending %u\n", taken,
          gic_test(INTID_UART, PENDING));
}

int guest(void) {
    count = core_count();
    title("gic-priorities");
    gic_init();
    gic_init_core();
    on_irq = irq;
    on_fiq = fiq;
    priorities();
    preempt(4, 0x80, 0x60);
    preempt(4, 0x80, 0x80);
    preempt(6, 0xe0, 0xa0);
    preempt(7, 0xe0, 0xa0);
    preempt(7, 0xe0, 0x60);
    end_modes();
    groups();
    routing();
    level();
    return 0;
}
