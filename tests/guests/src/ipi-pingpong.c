/* Pairs of cores send an SGI to and fro; each sleeps in WFI until the other's arrives. INTIDs 1 to 15 in turn. A core
 * without a partner plays with itself. rounds=N for more than 300. */
#include "guest.h"
#include "option.h"

static u32 count, rounds;
static struct {
    u32 received;
    u32 by_intid[16];
} __attribute__((aligned(64))) players[MAX_CORES];

static void received(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid >= 1020) {
        return;
    }
    players[core_index()].by_intid[intid & 15]++;
    players[core_index()].received++;
    gic_end(intid);
}

static u32 partner(u32 n) {
    return (n ^ 1) < count ? n ^ 1 : n;
}

static void say(u32 n) {
    u32 lowest = ~0u, highest = 0, other = players[n].by_intid[0];
    for (u32 i = 1; i < 16; i++) {
        u32 v = players[n].by_intid[i];
        lowest = v < lowest ? v : lowest;
        highest = v > highest ? v : highest;
    }
    print("core %u with core %u: %u received, %u to %u of each INTID%s\n", n, partner(n), players[n].received, lowest, highest,
          other ? ", OTHERS TOO" : "");
}

static void play(void) {
    u32 n = core_index();
    bool serves = n <= partner(n);
    gic_init_core();
    meet_all();
    for (u32 round = 1; round <= rounds; round++) {
        u32 intid = 1 + round % 15;
        if (serves) {
            send_sgi(partner(n), intid);
            sleep_until(&players[n].received, round);
        } else {
            sleep_until(&players[n].received, round);
            send_sgi(partner(n), intid);
        }
    }
    meet_all();
    in_core_order(say);
}

int guest(void) {
    count = core_count();
    title("ipi-pingpong");
    rounds = (u32)option("rounds", 300);
    gic_init();
    on_irq = received;
    on_all_cores(play);
    return 0;
}
