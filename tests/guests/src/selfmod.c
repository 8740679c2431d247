/* Code that changes code: by the sequence of code.h, with an ISB on every core that executes the result. And the exception
 * to it: B, NOP, BL, BRK, HVC, ISB, SMC and SVC may replace each other while others execute them; a core then sees the old
 * or the new one. */
#include "guest.h"
#include "code.h"

#define ROUNDS 100

#define B_PLUS_8 0x14000002u
#define B_PLUS_12 0x14000003u

static u32 count;
static u32 stop;
static u64 wrong;
static u32 code[64] __attribute__((aligned(4096)));

static void expect(u32 got, u32 wanted) {
    if (got != wanted) {
        fetch_add(&wrong, 1);
    }
}

/* One core changes its own code, through the addresses it runs at and through an alias of them. */
static void own(void) {
    volatile u32 *alias = (volatile u32 *)el0_data(code);
    for (u32 round = 0; round < ROUNDS; round++) {
        volatile u32 *at = round & 1 ? alias : code;
        at[0] = MOVZ_W0(round);
        at[1] = RET;
        synchronize(code, 8);
        expect(run(code), round);
    }
    /* The last instruction of one line and the first of the next, and code that is generated behind itself. */
    for (u32 i = 0; i < 63; i++) {
        code[i] = 0x11000400; /* ADD W0, W0, #1 */
    }
    code[63] = RET;
    synchronize(code, sizeof code);
    expect(run(code), 0xdead + 63);
    code[15] = code[16] = NOP;
    synchronize(code + 15, 8);
    expect(run(code), 0xdead + 61);
}

/* One core changes, all execute: after the rendezvous each needs an ISB of its own. */
static void shared(u32 n) {
    for (u32 round = 0; round < ROUNDS; round++) {
        if (round % count == n) {
            *(volatile u32 *)code = MOVZ_W0(round + 1000);
            *(volatile u32 *)(code + 1) = RET;
            synchronize(code, 8);
        }
        meet_all();
        isb();
        expect(run(code), round + 1000);
        meet_all();
    }
}

/* NOP and B exchanged under the other cores: they see 1 (through NOP) or 2 (through B), nothing else. */
static void live(u32 n) {
    if (n == 0) {
        /* 0 falls through to 1, which goes to 4, or goes to 2. */
        code[0] = NOP;
        code[1] = B_PLUS_12;
        code[2] = MOVZ_W0(2);
        code[3] = RET;
        code[4] = MOVZ_W0(1);
        code[5] = RET;
        synchronize(code, 24);
        expect(run(code), 1);
    }
    meet_all();
    isb();
    if (n == 0) {
        for (u32 round = 0; round < ROUNDS; round++) {
            *(volatile u32 *)code = round & 1 ? NOP : B_PLUS_8;
            synchronize(code, 4);
        }
        store_release(&stop, 1);
    } else {
        while (!load_acquire(&stop)) {
            u32 got = run(code);
            if (got != 1 && got != 2) {
                fetch_add(&wrong, 1);
            }
            asm volatile("yield");
        }
    }
    /* QEMU 7.2 may keep a translation of what was replaced while another core translated it, hence once more in peace. */
    meet_all();
    if (n == 0) {
        *(volatile u32 *)code = NOP;
        synchronize(code, 4);
    }
    meet_all();
    isb();
    expect(run(code), 1);
    meet_all();
}

static void work(void) {
    meet_all();
    shared(core_index());
    live(core_index());
}

int guest(void) {
    count = core_count();
    title("selfmod");
    own();
    print("own code: %lu wrong\n", wrong);
    on_all_cores(work);
    print("code of others: %lu wrong\n", wrong);
    return wrong != 0;
}
