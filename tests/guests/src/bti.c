/* FEAT_BTI: what each kind of branch may reach in a guarded page, from a page that is guarded and from one that is not. The first gigabyte of
 * RAM is mapped again, guarded, at 6 GiB. Every case is made often enough to be translated. */
#include "guest.h"

#define GUARDED 0x180000000ull
#define OFFSET (GUARDED - 0x40000000ull)
#define PTE_GP (1ull << 50)
#define BT1 (1ull << 36)
enum { rounds = 60, branches = 8, targets = 8 };

extern u64 level1[512];
u64 bti_try(u64 target, u64 source);
extern u32 sources[], reached[];

static const char *const branch_names[branches] = {"br x2", "br x16", "br x17", "blr x2", "ret x2", "braaz x2", "braaz x16", "blraaz x2"};
static const char *const target_names[targets] = {"nop", "bti", "bti c", "bti j", "bti jc", "paciasp", "pacibsp", "brk"};

static void on_fault(struct frame *f, unsigned vector) {
    (void)vector;
    u64 btype = f->spsr >> 10 & 3;
    /* The result: the class, the syndrome and SPSR_EL1.BTYPE; the case ends where X9 says. */
    f->x[0] = exception_class(f->esr) << 8 | (f->esr & 0xf) << 4 | btype;
    f->elr = f->x[9];
    f->spsr &= ~0xc00ull;
}

static void cases(bool strict, u64 offset) {
    WRITE(sctlr_el1, strict ? READ(sctlr_el1) | BT1 : READ(sctlr_el1) & ~BT1);
    isb();
    print("BT1 %u, from a page that is %s\n", strict, offset ? "guarded" : "not guarded");
    for (u32 b = 0; b < branches; b++)
        for (u32 t = 0; t < targets; t++) {
            u64 target = (u64)&reached[4 * t] + OFFSET, source = (u64)&sources[2 * b] + offset;
            u64 first = bti_try(target, source);
            for (u32 n = 1; n < rounds; n++)
                check(bti_try(target, source) == first, "a branch does the same every time");
            print("  %s to %s: 0x%lx\n", branch_names[b], target_names[t], first);
        }
}

int guest(void) {
    print("bti\n");
    check((READ(id_aa64pfr1_el1) & 15) == 1, "ID_AA64PFR1_EL1.BT is 1");
    level1[GUARDED >> 30] = 0x40000000ull | PTE_BLOCK | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN | PTE_GP;
    dsb(ishst);
    isb();
    on_sync = on_fault;
    for (u32 strict = 0; strict < 2; strict++) {
        cases(strict, 0);
        cases(strict, OFFSET);
    }
    print("to a page that is not guarded: 0x%lx, from a guarded one 0x%lx\n", bti_try((u64)&reached[0], (u64)&sources[0]),
          bti_try((u64)&reached[0], (u64)&sources[0] + OFFSET));
    print("to nowhere: 0x%lx, by a call 0x%lx\n", bti_try(0x300000000ull, (u64)&sources[0]), bti_try(0x300000000ull, (u64)&sources[6]));
    return 0;
}
