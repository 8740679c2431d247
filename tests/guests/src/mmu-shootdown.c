/* Translation tables that change while all cores use them: break-before-make, every kind of broadcast TLBI, faults and
 * what they report, address translation instructions. A window of 4 KiB pages at 8 GiB, not global, ASID 5. */
#include "guest.h"

#define WINDOW 0x200000000ul
#define ASID 5ull
#define ROUNDS 60
#define FLIPS 60
#define FRAMES 4

#define NORMAL (PTE_PAGE | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_PXN | PTE_UXN | NOT_GLOBAL)
#define NOT_GLOBAL (1 << 11)

enum page { MOVING, LIVE, INVALID, READ_ONLY, NO_ACCESS_FLAG, NO_EXECUTE, FOR_EL0 };

extern u64 level1[512];
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));
static volatile u64 frames[FRAMES][512] __attribute__((aligned(4096)));

static u32 count;
static u32 completed, stop;
static u64 violations;

static struct fault {
    u64 esr, far;
} seen[MAX_CORES][7];
static struct {
    struct fault last;
    bool expected;
} __attribute__((aligned(64))) local[MAX_CORES];

static volatile u64 *page(enum page p) {
    return (volatile u64 *)(WINDOW + p * 4096);
}

static void write_entry(u64 *entry, u64 value) {
    *(volatile u64 *)entry = value;
    dsb(ishst);
}

/* Removes one page's translations from every core's TLB, by one of the operations that can. */
static void invalidate(enum page p, u32 how) {
    u64 va = (WINDOW >> 12) + p;
    switch (how % 6) {
    case 0: asm volatile("tlbi vae1is, %0" : : "r"(ASID << 48 | va) : "memory"); break;
    case 1: asm volatile("tlbi vaae1is, %0" : : "r"(va) : "memory"); break;
    case 2: asm volatile("tlbi vale1is, %0" : : "r"(ASID << 48 | va) : "memory"); break;
    case 3: asm volatile("tlbi vaale1is, %0" : : "r"(va) : "memory"); break;
    case 4: asm volatile("tlbi aside1is, %0" : : "r"(ASID << 48) : "memory"); break;
    case 5: asm volatile("tlbi vmalle1is" : : : "memory"); break;
    }
    dsb(ish);
    isb();
}

static void remap(enum page p, u32 frame, u64 attributes, u32 how) {
    write_entry(&level3[p], 0);
    invalidate(p, how);
    write_entry(&level3[p], (u64)frames[frame] | attributes);
    isb();
}

static void on_fault(struct frame *f, unsigned vector) {
    (void)vector;
    u32 n = core_index();
    local[n].last = (struct fault){f->esr, f->far};
    if (local[n].expected) {
        f->elr = exception_class(f->esr) == 0x21 ? f->x[30] : f->elr + 4;
    } else {
        /* Between break and make a translation fault at level 3 is right, and the access is tried again. */
        check((f->esr & 0x3f) == 0x07, "only translation faults at level 3 while a page moves");
        asm volatile("yield");
    }
}

/* The core that changes the mapping moves on every round; all cores must see the new frame after the rendezvous. */
static void moving(u32 n) {
    for (u32 round = 0; round < ROUNDS; round++) {
        if (round % count == n) {
            remap(MOVING, round % FRAMES, NORMAL, round);
        }
        meet_all();
        if (page(MOVING)[1] != round % FRAMES) {
            fetch_add(&violations, 1);
        }
        meet_all();
    }
}

/* Core 0 moves a page while the others read it. A frame holds the number of its flip, and a core that knows flip s to
   be complete may never read an older one. */
static void live(u32 n) {
    if (n == 0) {
        for (u32 flip = 1; flip <= FLIPS; flip++) {
            frames[flip % FRAMES][2] = flip;
            remap(LIVE, flip % FRAMES, NORMAL, flip);
            store_release(&completed, flip);
            if (page(LIVE)[2] != flip) {
                fetch_add(&violations, 1);
            }
        }
        store_release(&stop, 1);
    } else {
        while (!load_acquire(&stop)) {
            u32 known = load_acquire(&completed);
            if (page(LIVE)[2] < known) {
                fetch_add(&violations, 1);
            }
            asm volatile("yield");
        }
    }
    meet_all();
}

static void fault_of(u32 n, u32 i, u64 address, char access) {
    local[n].expected = true;
    local[n].last = (struct fault){0, 0};
    if (access == 'r') {
        asm volatile("ldr w1, [%0]" : : "r"(address) : "x1", "memory");
    } else if (access == 'w') {
        asm volatile("str wzr, [%0]" : : "r"(address) : "memory");
    } else {
        asm volatile("blr %0" : : "r"(address) : "x30", "memory");
    }
    local[n].expected = false;
    seen[n][i] = local[n].last;
}

static const struct {
    const char *name;
    u64 address;
    char access;
} faults[7] = {
    {"read, invalid at level 3", WINDOW + INVALID * 4096 + 0x123, 'r'},
    {"read, invalid at level 2", WINDOW + 0x200000 + 0x456, 'r'},
    {"read, invalid at level 1", WINDOW + 0x40000000 + 0x789, 'r'},
    {"write, read-only", WINDOW + READ_ONLY * 4096 + 0x18, 'w'},
    {"read, Access flag clear", WINDOW + NO_ACCESS_FLAG * 4096 + 0x20, 'r'},
    {"execute, execute-never", WINDOW + NO_EXECUTE * 4096 + 0x40, 'x'},
    {"read, above the 39 bits of TTBR0", 1ull << 40, 'r'},
};

static void say(u32 n) {
    u32 same = 0;
    for (u32 i = 0; i < 7; i++) {
        same += seen[n][i].esr == seen[0][i].esr && seen[n][i].far == faults[i].address;
    }
    print("core %u: %u of 7 faults as on core 0\n", n, same);
}

static void work(void) {
    u32 n = core_index();
    WRITE(ttbr0_el1, (u64)level1 | ASID << 48);
    isb();
    meet_all();
    moving(n);
    if (n == 0) {
        remap(LIVE, 0, NORMAL, 0);
    }
    meet_all();
    live(n);
    for (u32 i = 0; i < 7; i++) {
        fault_of(n, i, faults[i].address, faults[i].access);
    }
    meet_all();
    if (n == 0) {
        for (u32 i = 0; i < 7; i++) {
            print("%s: EC 0x%02x, fault status 0x%02x, WnR %u, FAR +0x%lx\n", faults[i].name, exception_class(seen[0][i].esr),
                  (u32)seen[0][i].esr & 0x3f, exception_class(seen[0][i].esr) == 0x21 ? 0 : (u32)seen[0][i].esr >> 6 & 1,
                  seen[0][i].far - WINDOW);
        }
    }
    in_core_order(say);

    /* Less restrictive permissions need no break, only the TLBI. */
    if (n == 0) {
        write_entry(&level3[READ_ONLY], (u64)frames[1] | NORMAL);
        invalidate(READ_ONLY, 0);
    }
    meet_all();
    page(READ_ONLY)[100 + n % 400] = n; /* would end the run if it faulted */
    meet_all();
}

static u64 translate(u64 address, char access) {
    if (access == 'r') {
        asm volatile("at s1e1r, %0" : : "r"(address) : "memory");
    } else if (access == 'w') {
        asm volatile("at s1e1w, %0" : : "r"(address) : "memory");
    } else {
        asm volatile("at s1e0r, %0" : : "r"(address) : "memory");
    }
    isb();
    return READ(par_el1);
}

static void say_translation(const char *name, u64 address, char access) {
    u64 par = translate(address, access);
    if (par & 1) {
        print("%s: fault status 0x%02x\n", name, (u32)(par >> 1) & 0x3f);
    } else {
        print("%s: frame %lu\n", name, ((par & 0xfffffff000) - (u64)frames) / 4096);
    }
}

int guest(void) {
    count = core_count();
    title("mmu-shootdown");
    on_sync = on_fault;
    for (u32 i = 0; i < FRAMES; i++) {
        frames[i][1] = i;
    }
    level3[READ_ONLY] = (u64)frames[1] | NORMAL | PTE_RO;
    level3[NO_ACCESS_FLAG] = ((u64)frames[2] | NORMAL) & ~(u64)PTE_AF;
    level3[NO_EXECUTE] = (u64)frames[3] | NORMAL;
    level3[FOR_EL0] = (u64)frames[2] | NORMAL | PTE_EL0;
    level2[0] = (u64)level3 | PTE_TABLE;
    write_entry(&level1[WINDOW >> 30], (u64)level2 | PTE_TABLE);
    isb();

    on_all_cores(work);
    say_translation("AT S1E1R of a mapped page", (u64)page(NO_EXECUTE) + 8, 'r');
    say_translation("AT S1E1W of a page that became writable", (u64)page(READ_ONLY), 'w');
    say_translation("AT S1E0R of a page for EL0", (u64)page(FOR_EL0), '0');
    say_translation("AT S1E0R of a page for EL1", (u64)page(NO_EXECUTE), '0');
    say_translation("AT S1E1R of an invalid page", (u64)page(INVALID), 'r');
    say_translation("AT S1E1R with the Access flag clear", (u64)page(NO_ACCESS_FLAG), 'r');
    print("%u moves, %u moves under readers, %lu stale reads\n", (u32)ROUNDS, (u32)FLIPS, violations);
    return violations != 0;
}
