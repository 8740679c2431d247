/* SGIs to many: every core in turn sends one to all others (ICC_SGI1R_EL1.IRM = 1), then one to a list of targets in
 * one write (every other core of its cluster, itself included when it is one of them). All count what they get. */
#include "guest.h"

#define SGI_ALL 2
#define SGI_LIST 5

static u32 count, answers;
static struct {
    u32 all, list;
} __attribute__((aligned(64))) got[MAX_CORES];

static void received(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    if (intid == SGI_ALL) {
        got[core_index()].all++;
    } else if (intid == SGI_LIST) {
        got[core_index()].list++;
    }
    gic_end(intid);
    fetch_add(&answers, 1);
}

/* The even cores of the cluster of core n, which exist. */
static u32 even_targets(u32 n) {
    u32 targets = 0;
    for (u32 i = 0; i < 16; i += 2) {
        targets |= (n & ~15u) + i < count ? 1u << i : 0;
    }
    return targets;
}

static void say(u32 n) {
    print("core %u: %u broadcasts, %u from lists\n", n, got[n].all, got[n].list);
}

static void await_answers(u32 wanted) {
    while (load_acquire(&answers) < wanted) {
        irq_unmask();
        isb();
        irq_mask();
        asm volatile("yield");
    }
}

static void work(void) {
    u32 n = core_index(), expected = 0;
    gic_init_core();
    meet_all();
    for (u32 sender = 0; sender < count; sender++) {
        if (sender == n) {
            send_sgi_to_all_others(SGI_ALL);
        }
        expected += count - 1;
        await_answers(expected);
        meet_all();

        u32 targets = even_targets(sender);
        if (sender == n) {
            dsb(ishst);
            WRITE_(ICC_SGI1R_EL1, (u64)(n >> 4) << 16 | SGI_LIST << 24 | targets);
            isb();
        }
        for (u32 rest = targets; rest; rest &= rest - 1) {
            expected++;
        }
        await_answers(expected);
        meet_all();
    }
    check(!gic_test(SGI_ALL, 0x200) && !gic_test(SGI_LIST, 0x200), "nothing is left pending");
    in_core_order(say);
}

int guest(void) {
    count = core_count();
    title("ipi-broadcast");
    gic_init();
    on_irq = received;
    on_all_cores(work);
    print("%u interrupts in all\n", answers);
    return 0;
}
