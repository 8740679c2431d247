/* The control side of virtualization, walked from EL2: every trap control of HCR_EL2, CPTR_EL2, MDCR_EL2, CNTHCTL_EL2 and of EL1 against
 * every access of a list, at EL1 and at EL0, without and with HCR_EL2.TGE and E2H; virtual interrupts by HCR_EL2; the register names of
 * a host (FEAT_VHE) and of its guest.
 *
 * It runs at EL2 with the MMU off and comes down for one access at a time. What a control changes is printed, with the level that took
 * the exception, EC and ISS; what is as before is not. */
#include "guest.h"

struct access {
    const char *name;
    const void *at_el1, *at_el0;
    u64 flags;
};
struct redirection {
    const char *name;
    const void *code, *write, *read;
    u64 value, mask;
};
extern const struct access accesses[], accesses_end[];
extern const struct redirection redirections[], redirections_end[];
extern const u8 trap_vectors_el2[], trap_vectors_el1[], trap_vectors_el1_smc[], level1[];
extern u64 seen[10];
u64 run(const void *code, u64 spsr, u64 x3, u64 x0);
void on_stack(void (*function)(void), void *top) __attribute__((noreturn));
void see_isr(void), do_nothing(void), wait_for_interrupt(void), wait_at_el0(void), call_firmware(void), call_hypervisor(void);
void see_midr(void), see_mpidr(void), see_dczid(void), see_counters(void), see_counters_at_el0(void);

#define AT_EL1 1
#define AT_EL0 2
#define BY_ADDRESS 4
#define WRITES 8

static u8 stack[16384] __attribute__((aligned(16), section(".noinit")));
static u8 target[4096] __attribute__((aligned(4096), section(".noinit")));

/* HCR_EL2 */
#define FMO (1ull << 3)
#define IMO (1ull << 4)
#define AMO (1ull << 5)
#define VF (1ull << 6)
#define VI (1ull << 7)
#define VSE (1ull << 8)
#define TWI (1ull << 13)
#define TSC (1ull << 19)
#define TGE (1ull << 27)
#define TDZ (1ull << 28)
#define HCD (1ull << 29)
#define RW (1ull << 31)
#define E2H (1ull << 34)

#define MASKED 0x3c0ull
#define EL0t 0ull
#define EL1h 5ull
#define EL2h 9ull

/* An outcome: which level took the exception (0: none did, the code has completed), by which vector, with which syndrome. */
struct outcome {
    u32 el, vector, esr;
};

/* Goes down with this HCR_EL2. Here, in between, E2H is 0, so that the names mean what they say. */
static struct outcome go(u64 hcr, const void *code, u64 spsr, u64 x3, u64 x0) {
    WRITE(hcr_el2, hcr);
    isb();
    u32 vector = (u32)run(code, spsr, x3, x0);
    u64 taken = READ(hcr_el2);
    WRITE(hcr_el2, RW);
    isb();
    seen[9] = taken;
    u32 esr = (u32)READ(esr_el2);
    u32 ec = esr >> 26, imm = esr & 0xffff;
    struct outcome o = {2, vector, esr};
    if (vector % 4 == 0 && (ec == 0x16 || ec == 0x17) && imm >= 0x80 && imm < 0x90) {
        o = (struct outcome){1, imm - 0x80, (u32)READ(esr_el1)};
        ec = o.esr >> 26;
        imm = o.esr & 0xffff;
    }
    if (o.vector % 4 == 0 && ((ec == 0x16 && o.el == 2) || ec == 0x15) && imm == 1) {
        o.el = 0;
    }
    return o;
}

static void say(struct outcome o) {
    if (o.el == 0) {
        print_raw("completes\n");
    } else if (o.vector % 4 == 0) {
        print_raw("EL%u EC 0x%02x ISS 0x%07x\n", o.el, o.esr >> 26, o.esr & 0x1ffffff);
    } else {
        print_raw("EL%u vector 0x%03x\n", o.el, o.vector * 0x80);
    }
}

static bool same(struct outcome a, struct outcome b) {
    return a.el == b.el && (a.el == 0 || (a.vector == b.vector && a.esr == b.esr));
}

#define MAX_ACCESSES 256
static struct outcome before[2][MAX_ACCESSES] __attribute__((section(".noinit")));

enum reg { hcr, cptr, mdcr, cnthctl, hstr, sctlr1, sctlr2, cntkctl, pmuserenr, cpacr, mdscr, registers };

static const char *const register_name[registers] = {
    "HCR_EL2",     "CPTR_EL2",      "MDCR_EL2",  "CNTHCTL_EL2", "HSTR_EL2", "SCTLR_EL1", "SCTLR_EL2",
    "CNTKCTL_EL1", "PMUSERENR_EL0", "CPACR_EL1", "MDSCR_EL1",
};

/* TGE turns stage 1 of EL1&0 off by itself; QEMU does not. */
#define flat_sctlr ((SCTLR_VALUE | 1 << 9) & ~1ull)

/* What everything is worth while nothing is trapped. SCTLR_EL2 has the bits of a host as well. */
static const u64 permissive[registers] = {
    [hcr] = RW,
    [cptr] = 0x33ff & ~(1ull << 10),
    [mdcr] = 0,
    [cnthctl] = 3,
    [hstr] = 0,
    [sctlr1] = SCTLR_VALUE | 1 << 9,
    [sctlr2] = SCTLR_HIGHER_VALUE,
    [cntkctl] = 0x303,
    [pmuserenr] = 1,
    [cpacr] = 3 << 20,
    [mdscr] = 0,
};
static u64 value[registers] __attribute__((section(".noinit")));

static void flush(void) {
    isb();
    asm volatile("tlbi alle1\n dsb nsh\n isb" : : : "memory");
}

static void apply(void) {
    WRITE(cptr_el2, value[cptr]);
    WRITE(mdcr_el2, value[mdcr]);
    WRITE(cnthctl_el2, value[cnthctl]);
    WRITE(hstr_el2, value[hstr]);
    WRITE(sctlr_el1, value[sctlr1]);
    WRITE(sctlr_el2, value[sctlr2]);
    WRITE(cntkctl_el1, value[cntkctl]);
    WRITE(pmuserenr_el0, value[pmuserenr]);
    WRITE(cpacr_el1, value[cpacr]);
    WRITE(mdscr_el1, value[mdscr]);
    flush();
}

static struct outcome make(const struct access *a, bool from_el0, u64 x3) {
    u64 mode = value[hcr];
    bool flat = mode & TGE;
    const void *code = from_el0 ? a->at_el0 : a->at_el1;
    if (from_el0 && !flat) {
        code = (const void *)el0_text(code);
    }
    if (a->flags & BY_ADDRESS) {
        x3 = from_el0 && !flat ? el0_data(target) : (u64)target;
    }
    return go(mode, code, (from_el0 ? EL0t : EL1h) | MASKED, x3, 0);
}

/* Every access of the list; those whose outcome is not that of the last sweep that was to be remembered. */
static void sweep(bool remember) {
    bool only_el0 = value[hcr] & TGE;
    for (const struct access *a = accesses; a < accesses_end; a++) {
        u32 n = (u32)(a - accesses);
        for (u32 from_el0 = only_el0; from_el0 < 2; from_el0++) {
            if (!(a->flags & (from_el0 ? AT_EL0 : AT_EL1))) {
                continue;
            }
            u64 x3 = 0;
            if (a->flags & WRITES) {
                /* The value that it has, read at EL2. */
                go(RW, a[-1].at_el1, EL2h | MASKED, 0, 0);
                x3 = seen[3];
            }
            struct outcome o = make(a, from_el0, x3);
            if (remember ? o.el != 0 : !same(o, before[from_el0][n])) {
                print_raw("  EL%u %s: ", 1 - from_el0, a->name);
                say(o);
            }
            if (remember) {
                before[from_el0][n] = o;
            }
        }
    }
}

static void mode(const char *name, const u64 *changes) {
    for (u32 i = 0; i < registers; i++) {
        value[i] = permissive[i];
    }
    for (; changes && *changes != registers; changes += 2) {
        value[changes[0]] = changes[1];
    }
    print_raw("%s\n", name);
    apply();
    sweep(true);
}

/* Some bits of a control set or cleared. */
static void control(const char *name, enum reg r, u64 set, u64 clear) {
    u64 kept = value[r];
    value[r] = (kept & ~clear) | set;
    print_raw("%s.%s\n", register_name[r], name);
    apply();
    sweep(false);
    value[r] = kept;
    apply();
}
#define SET(r, field, bit) control(#field " = 1", r, 1ull << (bit), 0)
#define CLEAR(r, field, bit) control(#field " = 0", r, 0, 1ull << (bit))

static void guest_controls(void) {
    SET(hcr, FB, 9);
    SET(hcr, TID0, 15);
    SET(hcr, TID1, 16);
    SET(hcr, TID2, 17);
    SET(hcr, TID3, 18);
    SET(hcr, TSC, 19);
    SET(hcr, TACR, 21);
    SET(hcr, TSW, 22);
    SET(hcr, TPCP, 23);
    SET(hcr, TPU, 24);
    SET(hcr, TTLB, 25);
    SET(hcr, TVM, 26);
    SET(hcr, TDZ, 28);
    SET(hcr, TRVM, 30);
    SET(hcr, TLOR, 35);
    SET(hcr, FMO, 3);
    SET(hcr, IMO, 4);
    SET(hcr, AMO, 5);
    SET(cptr, TCPAC, 31);
    SET(mdcr, TPM, 6);
    SET(mdcr, TDE, 8);
    SET(mdcr, TDA, 9);
    SET(mdcr, TDOSA, 10);
    SET(mdcr, TDRA, 11);
}

static void user_controls(void) {
    CLEAR(sctlr1, UMA, 9);
    CLEAR(sctlr1, DZE, 14);
    CLEAR(sctlr1, UCT, 15);
    CLEAR(sctlr1, UCI, 26);
    CLEAR(cntkctl, EL0PCTEN, 0);
    CLEAR(cntkctl, EL0VCTEN, 1);
    control("EL0PCTEN, EL0VCTEN = 0", cntkctl, 0, 3);
    CLEAR(cntkctl, EL0VTEN, 8);
    CLEAR(cntkctl, EL0PTEN, 9);
    control("none", pmuserenr, 0, 0xf);
    control("SW alone", pmuserenr, 2, 1);
    control("CR alone", pmuserenr, 4, 1);
    control("ER alone", pmuserenr, 8, 1);
    control("FPEN = 0", cpacr, 0, 3 << 20);
    control("FPEN = 1", cpacr, 1 << 20, 2 << 20);
    control("FPEN = 2", cpacr, 2 << 20, 1 << 20);
}

static void walk_traps(void) {
    mode("With a guest", 0);
    guest_controls();
    user_controls();
    SET(cptr, TFP, 10);
    /* QEMU traps CNTPCT_EL0 from EL0 by EL1PCEN. */
    control("EL1PCTEN, EL1PCEN = 0", cnthctl, 0, 3);
    control("all", hstr, 0xffff, 0);

    /* Of two traps, the one to EL1 comes first. */
    value[sctlr1] &= ~(1ull << 15);
    value[cpacr] = 0;
    print_raw("SCTLR_EL1.UCT = 0 and CPACR_EL1.FPEN = 0, and then besides:\n");
    apply();
    sweep(true);
    SET(hcr, TID2, 17);
    SET(cptr, TFP, 10);

    static const u64 host_with_guest[] = {
        hcr, RW | E2H, cptr, 3 << 20, cnthctl, 0x303 | 3 << 10, registers,
    };
    mode("With a guest of a host (E2H = 1)", host_with_guest);
    control("FPEN = 0", cptr, 0, 3 << 20);
    control("FPEN = 1", cptr, 1 << 20, 2 << 20);
    control("FPEN = 2", cptr, 2 << 20, 1 << 20);
    SET(cptr, TCPAC, 31);
    CLEAR(cnthctl, EL0PCTEN, 0);
    CLEAR(cnthctl, EL1PCTEN, 10);
    CLEAR(cnthctl, EL1PTEN, 11);
    SET(hcr, TID2, 17);
    SET(hcr, TVM, 26);

    static const u64 application[] = {hcr, RW | TGE, sctlr1, flat_sctlr, registers};
    mode("With an application of EL2 (TGE = 1)", application);
    guest_controls();
    user_controls();
    SET(cptr, TFP, 10);
    /* QEMU traps CNTPCT_EL0 from EL0 by EL1PCEN. */
    control("EL1PCTEN, EL1PCEN = 0", cnthctl, 0, 3);

    static const u64 host[] = {
        hcr, RW | E2H | TGE, cptr, 3 << 20, cnthctl, 0x303, sctlr2, SCTLR_HIGHER_VALUE | 1 << 26 | 1 << 15 | 1 << 14,
        sctlr1, flat_sctlr, registers,
    };
    mode("With an application of a host (E2H = 1, TGE = 1)", host);
    guest_controls();
    user_controls();
    control("FPEN = 0", cptr, 0, 3 << 20);
    control("FPEN = 1", cptr, 1 << 20, 2 << 20);
    control("FPEN = 2", cptr, 2 << 20, 1 << 20);
    CLEAR(sctlr2, DZE, 14);
    CLEAR(sctlr2, UCT, 15);
    CLEAR(sctlr2, UCI, 26);
    CLEAR(cnthctl, EL0PCTEN, 0);
    CLEAR(cnthctl, EL0VCTEN, 1);
    CLEAR(cnthctl, EL0VTEN, 8);
    CLEAR(cnthctl, EL0PTEN, 9);
}

static void reset_controls(void) {
    for (u32 i = 0; i < registers; i++) {
        value[i] = permissive[i];
    }
    apply();
}

static void walk_names(void) {
    print_raw("Names in a host: alias of what EL1 has; then name, EL2's, alias after different writes to name and alias\n");
    for (const struct redirection *r = redirections; r < redirections_end; r++) {
        go(RW, r->read, EL2h | MASKED, 0, 0);
        u64 kept = seen[3];
        go(RW, r->write, EL2h | MASKED, r->value ^ (r->mask & 1), 0);
        u64 other = r->value ^ (r->mask & 0x200804);
        struct outcome o = go(RW | E2H, r->code, EL2h | MASKED, other, r->value);
        print_raw("  %s: ", r->name);
        if (o.el) {
            say(o);
        } else {
            print_raw("0x%lx; 0x%lx 0x%lx 0x%lx\n", seen[5] & r->mask, seen[6] & r->mask, seen[7] & r->mask, seen[8] & r->mask);
        }
        go(RW, r->write, EL2h | MASKED, kept, 0);
    }
}

static void walk_interrupts(void) {
    static const struct {
        const char *name;
        u64 route, pending, mask;
    } kinds[] = {{"VI", IMO, VI, 0x80}, {"VF", FMO, VF, 0x40}, {"VSE", AMO, VSE, 0x100}};
    print_raw("Virtual interrupts by HCR_EL2\n");
    for (u32 i = 0; i < 3; i++) {
        u64 on = RW | kinds[i].route | kinds[i].pending;
        print_raw("  %s: ISR_EL1 ", kinds[i].name);
        go(on, see_isr, EL1h | MASKED, 0, 0);
        print_raw("0x%lx, at EL2 ", seen[3]);
        go(on, see_isr, EL2h | MASKED, 0, 0);
        print_raw("0x%lx, not routed ", seen[3]);
        go(RW | kinds[i].pending, see_isr, EL1h | MASKED, 0, 0);
        print_raw("0x%lx\n    masked ", seen[3]);
        say(go(on, do_nothing, EL1h | kinds[i].mask, 0, 0));
        print_raw("    not masked ");
        say(go(on, do_nothing, EL1h, 0, 0));
        print_raw("    pending after it %u\n    from EL0 ", (seen[9] & kinds[i].pending) != 0);
        say(go(on, (const void *)el0_text((void *)do_nothing), EL0t, 0, 0));
        print_raw("    not routed ");
        say(go(RW | kinds[i].pending, do_nothing, EL1h, 0, 0));
        print_raw("    at EL2 ");
        say(go(on, do_nothing, EL2h, 0, 0));
        print_raw("    WFI, masked ");
        say(go(on, wait_for_interrupt, EL1h | MASKED, 0, 0));
        print_raw("    WFI, masked, trapped ");
        say(go(on | TWI, wait_for_interrupt, EL1h | MASKED, 0, 0));
    }
    print_raw("WFI\n  HCR_EL2.TWI at EL1 ");
    say(go(RW | TWI, wait_for_interrupt, EL1h | MASKED, 0, 0));
    print_raw("  at EL0 ");
    say(go(RW | TWI, (const void *)el0_text((void *)wait_at_el0), EL0t | MASKED, 0, 0));
    WRITE(sctlr_el1, value[sctlr1] & ~(1ull << 16));
    print_raw("  at EL0 with SCTLR_EL1.nTWI = 0 ");
    say(go(RW | TWI, (const void *)el0_text((void *)wait_at_el0), EL0t | MASKED, 0, 0));
    print_raw("  and TGE ");
    WRITE(sctlr_el1, flat_sctlr & ~(1ull << 16));
    flush();
    say(go(RW | TGE, wait_at_el0, EL0t | MASKED, 0, 0));
    WRITE(sctlr_el2, value[sctlr2] & ~(1ull << 16));
    print_raw("  at EL0 with SCTLR_EL2.nTWI = 0, E2H and TGE ");
    say(go(RW | E2H | TGE, wait_at_el0, EL0t | MASKED, 0, 0));
    reset_controls();
}

static void walk_the_rest(void) {
    print_raw("SMC\n  with PSCI behind it ");
    say(go(RW, call_firmware, EL1h | MASKED, 0, 0));
    print_raw("  HCR_EL2.TSC ");
    say(go(RW | TSC, call_firmware, EL1h | MASKED, 0, 0));
    print_raw("HVC\n  ");
    say(go(RW, call_hypervisor, EL1h | MASKED, 0, 0));
    print_raw("  HCR_EL2.HCD ");
    WRITE(vbar_el1, trap_vectors_el1_smc);
    say(go(RW | HCD | TSC, call_hypervisor, EL1h | MASKED, 0, 0));
    WRITE(vbar_el1, trap_vectors_el1);

    u64 midr = READ(vpidr_el2), mpidr = READ(vmpidr_el2);
    WRITE(vpidr_el2, 0x410fd034);
    WRITE(vmpidr_el2, 0x80000123);
    print_raw("Identity at EL1: ");
    go(RW, see_midr, EL1h | MASKED, 0, 0);
    print_raw("MIDR_EL1 0x%lx ", seen[3]);
    go(RW, see_mpidr, EL1h | MASKED, 0, 0);
    print_raw("MPIDR_EL1 0x%lx\n", seen[3]);
    WRITE(vpidr_el2, midr);
    WRITE(vmpidr_el2, mpidr);

    go(RW, see_dczid, EL1h | MASKED, 0, 0);
    print_raw("DCZID_EL0.DZP %u, ", (u32)seen[3] >> 4 & 1);
    go(RW | TDZ, see_dczid, EL1h | MASKED, 0, 0);
    print_raw("with HCR_EL2.TDZ %u\n", (u32)seen[3] >> 4 & 1);

    /* A second is more than what passes between two reads. */
    u64 second = READ(cntfrq_el0), offset = second * 1000;
    WRITE(cntvoff_el2, offset);
    static const struct {
        const char *name;
        u64 hcr, spsr;
    } views[] = {{"EL1", RW, EL1h},     {"EL2", RW, EL2h},
                 {"EL2 of a host", RW | E2H, EL2h},  {"EL1 of its guest", RW | E2H, EL1h},
                 {"EL0 with TGE", RW | TGE, EL0t}, {"EL0 of a host", RW | E2H | TGE, EL0t}};
    WRITE(cnthctl_el2, 0xf03);
    WRITE(sctlr_el1, flat_sctlr);
    flush();
    for (u32 i = 0; i < sizeof views / sizeof *views; i++) {
        const void *code = views[i].spsr == EL0t ? see_counters_at_el0 : see_counters;
        go(views[i].hcr, code, views[i].spsr | MASKED, 0, 0);
        u64 difference = seen[3];
        print_raw("CNTVCT_EL0 at %s is %s CNTPCT_EL0\n", views[i].name,
                  difference < second ? "as" : difference - offset < second || offset - difference < second ? "CNTVOFF_EL2 less than" : "?");
    }
    WRITE(cntvoff_el2, 0);
    reset_controls();
}

static void walk(void) {
    console_init();
    WRITE(vbar_el2, trap_vectors_el2);
    WRITE(vbar_el1, trap_vectors_el1);
    WRITE(ttbr0_el1, level1);
    WRITE(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2ull << 32); /* TCR_VALUE, which is not for C */
    WRITE(mair_el1, MAIR_VALUE);
    WRITE(contextidr_el1, 0);
    WRITE(oslar_el1, 0);
    flush();
    print_raw("traps\n");
    walk_traps();
    reset_controls();
    walk_names();
    walk_interrupts();
    walk_the_rest();
    print_raw("done\n");
    exit(0);
}

static void arrive_at_el2(void) {
    on_stack(walk, stack + sizeof stack);
}
void (*hook_el2)(void) = arrive_at_el2;

int guest(void) {
    return 1; /* not entered: the walk ends the run */
}
