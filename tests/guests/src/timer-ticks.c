/* The generic timers: on every core at once, ticks of the virtual and of the physical EL1 timer by interrupt, taken out
 * of WFI. Only what does not depend on time is printed: how many came, that none came early, and what the control
 * registers say about condition and mask. */
#include "guest.h"

#define VIRTUAL_TICKS 20
#define PHYSICAL_TICKS 8

#define ENABLE 1
#define IMASK 2
#define ISTATUS 4

static u32 count;
static struct {
    u32 virtual, physical, early, other;
} __attribute__((aligned(64))) ticks[MAX_CORES];

static u64 period(u32 per_second) {
    return READ(cntfrq_el0) / per_second;
}

static void tick(struct frame *f) {
    (void)f;
    u32 n = core_index();
    u32 intid = gic_acknowledge();
    bool due_v = READ(cntv_ctl_el0) & ISTATUS, due_p = READ(cntp_ctl_el0) & ISTATUS;
    if (intid == INTID_CNTV && due_v) {
        u64 due = READ(cntv_cval_el0);
        isb();
        ticks[n].early += READ(cntvct_el0) < due;
        if (++ticks[n].virtual == VIRTUAL_TICKS) {
            WRITE(cntv_ctl_el0, 0);
        } else {
            WRITE(cntv_cval_el0, due + period(2000));
        }
    } else if (intid == INTID_CNTP && due_p) {
        u64 due = READ(cntp_cval_el0);
        isb();
        ticks[n].early += READ(cntpct_el0) < due;
        if (++ticks[n].physical == PHYSICAL_TICKS) {
            WRITE(cntp_ctl_el0, 0);
        } else {
            WRITE(cntp_tval_el0, period(1000));
        }
    } else if (intid >= 1020) {
        return; /* spurious: the level went away before the acknowledge */
    } else if (intid != INTID_CNTV && intid != INTID_CNTP) {
        ticks[n].other++;
    } /* else: the level had not yet reached the GIC when the last interrupt ended */
    isb(); /* the timer's output has changed before the interrupt is ended */
    gic_end(intid);
}

static void say(u32 n) {
    print("core %u: %u virtual ticks, %u physical ticks, %u early, %u others\n", n, ticks[n].virtual,
          ticks[n].physical, ticks[n].early, ticks[n].other);
}

static void run(void) {
    u32 n = core_index();
    gic_init_core();
    gic_enable(INTID_CNTV);
    gic_enable(INTID_CNTP);
    meet_all();
    u64 start = READ(cntvct_el0);
    WRITE(cntv_cval_el0, start + period(2000));
    WRITE(cntv_ctl_el0, ENABLE);
    WRITE(cntp_tval_el0, period(1000));
    WRITE(cntp_ctl_el0, ENABLE);
    isb();
    sleep_until(&ticks[n].virtual, VIRTUAL_TICKS);
    sleep_until(&ticks[n].physical, PHYSICAL_TICKS);
    isb();
    check(READ(cntvct_el0) - start >= VIRTUAL_TICKS * period(2000), "the ticks took their time");
    in_core_order(say);
}

static u32 control(void) {
    isb();
    return (u32)READ(cntv_ctl_el0) & 7;
}

/* The level reaches the GIC some time after the timer's condition changes. */
static bool pending(bool wanted) {
    for (u32 i = 0; i < 10000 && gic_test(INTID_CNTV, 0x200) != wanted; i++) {
    }
    return gic_test(INTID_CNTV, 0x200);
}

static void registers(void) {
    check(READ(cntfrq_el0) != 0, "CNTFRQ_EL0 is set");
    WRITE(cntv_tval_el0, 0x7fffffff);
    WRITE(cntv_ctl_el0, ENABLE);
    print("far in the future:          CTL %u, pending %u\n", control(), pending(false));
    u64 ahead = READ(cntv_cval_el0) - READ(cntvct_el0);
    check(ahead <= 0x7fffffff, "CVAL is the counter plus TVAL");
    WRITE(cntv_tval_el0, -1);
    check((long)(READ(cntv_cval_el0) - READ(cntvct_el0)) < 0, "TVAL is signed");
    print("in the past:                CTL %u, pending %u\n", control(), pending(true));
    WRITE(cntv_ctl_el0, ENABLE | IMASK);
    u32 masked = control();
    print("in the past, masked:        CTL %u, pending %u\n", masked, pending(false));
    WRITE(cntv_ctl_el0, ENABLE);
    WRITE(cntv_cval_el0, ~0ull);
    u32 future = control();
    print("CVAL at its greatest value: CTL %u, pending %u\n", future, pending(false));
    WRITE(cntv_ctl_el0, 0);
    print("disabled:                   CTL %u\n", control() & 3);
    u64 before = READ(cntpct_el0);
    isb();
    u64 between = READ(cntvct_el0);
    isb();
    u64 after = READ(cntpct_el0);
    check(before <= between && between <= after, "CNTVOFF is 0: the counters are one");
}

int guest(void) {
    count = core_count();
    title("timer-ticks");
    gic_init();
    gic_init_core();
    registers();
    on_irq = tick;
    on_all_cores(run);
    return 0;
}
