/* Stage 2 translation from both sides: EL2 builds tables by VTTBR_EL2 and reports the faults that come to it, EL1 and
 * EL0 run behind them. EL2 runs with its MMU off; EL1 asks it by HVC to run a function there.
 * IPA 0x1_0000_0000 and up are for the tests; the first 2 GiB are mapped to themselves. Output depends on nothing. */
#include "guest.h"

#define IPA_BASE 0x100000000ull
#define GIB 0x40000000ull
#define VA_OF(index) ((u64)(index) * GIB)
/* Entries of the level 1 table of stage 1 that the tests add. */
enum { NORMAL = 8, USER, NONCACHEABLE, DEVICE, OUTER, UNSHARED, WRITE_THROUGH, MIXED, GRE, BEYOND, WALK, READ_ONLY, HIGH, VARIED };

#define S2_AF (1ull << 10)
#define S2_R (1ull << 6)
#define S2_W (2ull << 6)
#define S2_RW (S2_R | S2_W)
#define S2_SH(n) ((u64)(n) << 8)
#define S2_MEM(n) ((u64)(n) << 2)
#define S2_XN(n) ((u64)(n) << 53)
#define S2_CONTIGUOUS (1ull << 52)
#define S2_OK (S2_MEM(15) | S2_RW | S2_SH(3) | S2_AF)

#define HCR_VM (1ull << 0)
#define HCR_PTW (1ull << 2)
#define HCR_DC (1ull << 12)
#define HCR_RW (1ull << 31)

/* T0SZ 28 (36-bit IPAs) from level 1, 36-bit PAs, Non-cacheable walks. */
#define VTCR (0x80000000 | 1 << 16 | 1 << 6 | 28)
#define VTCR_VS (1 << 19)
/* 40-bit IPAs from two concatenated level 1 tables. */
#define VTCR_CONCATENATED (0x80000000 | 2 << 16 | 1 << 6 | 24)

extern u64 level1[512];
extern const struct { void (*code)(void); const char *name; } stage2_accesses[];
extern u64 stage2_load(u64 va), stage2_add(u64 va, u64 value);
extern void stage2_store(u64 va, u64 value), stage2_call(u64 va), stage2_at(u64 va);
extern u8 stage2_el0_exit[], stage2_el0_load[];

#define NOINIT __attribute__((section(".noinit.stage2"), aligned(8192)))
static u64 root[1024] NOINIT, other_root[512] NOINIT;
static u64 middle[512] NOINIT, leaves[512] NOINIT, other_middle[512] NOINIT, other_leaves[512] NOINIT;
static u64 walk_table[512] NOINIT, walk_middle[512] NOINIT;
#define PAGES 40
static u64 pages[PAGES][512] NOINIT;
static u8 el0_stack[1024] __attribute__((aligned(16)));

/* ---- At EL2 ---- */

static bool is_terse __attribute__((section(".noinit")));

static void report(struct frame *f) {
    u32 iss = (u32)f->esr & 0x1ffffff;
    u32 fsc = iss & 0x3f;
    bool s1ptw = iss & (1 << 7);
    bool has_ipa = fsc < 0x0c || (fsc < 0x10 && s1ptw);
    if (is_terse) {
        print_raw("ISS 0x%07x FAR +0x%lx\n", iss, f->far & 0xfff);
        return;
    }
    print_raw("    EL2: EC 0x%02x from EL%u, ISS 0x%07x, FAR 0x%lx", exception_class(f->esr), (u32)(f->spsr >> 2) & 3, iss, f->far);
    if (has_ipa) {
        print_raw(", HPFAR 0x%lx\n", READ(hpfar_el2));
    } else {
        print_raw("\n");
    }
}

static void taken_at_el2(struct frame *f, unsigned vector) {
    (void)vector;
    bool from_el0 = (f->spsr & 15) == 0;
    switch (exception_class(f->esr)) {
    case 0x16:
        f->x[0] = ((u64(*)(u64, u64, u64))f->x[0])(f->x[1], f->x[2], f->x[3]);
        break;
    case 0x24:
        report(f);
        f->elr += 4;
        break;
    case 0x20:
        report(f);
        f->elr = from_el0 ? el0_text(stage2_el0_exit) : f->x[30];
        break;
    default:
        print_raw("unexpected at EL2: ESR 0x%lx\n", f->esr);
        exit(127);
    }
}
void (*handler_el2)(struct frame *, unsigned) = taken_at_el2;

static void flush_all(void) {
    dsb(ish);
    asm volatile("tlbi alle1is" : : : "memory");
    dsb(ish);
    isb();
}

static u64 build(u64 unused, u64 unused2, u64 unused3) {
    (void)unused, (void)unused2, (void)unused3;
    memset(root, 0, sizeof root);
    memset(other_root, 0, sizeof other_root);
    memset(middle, 0, sizeof middle);
    memset(leaves, 0, sizeof leaves);
    memset(other_middle, 0, sizeof other_middle);
    memset(other_leaves, 0, sizeof other_leaves);
    other_root[0] = root[0] = 0x00000000 | PTE_BLOCK | S2_MEM(1) | S2_RW | S2_AF;
    other_root[1] = root[1] = 0x40000000 | PTE_BLOCK | S2_OK;
    root[4] = (u64)middle | PTE_TABLE;
    other_root[4] = (u64)other_middle | PTE_TABLE;
    middle[0] = (u64)leaves | PTE_TABLE;
    other_middle[0] = (u64)other_leaves | PTE_TABLE;
    is_terse = false;
    WRITE(vtcr_el2, VTCR);
    WRITE(vttbr_el2, (u64)root | 1ull << 48);
    flush_all();
    WRITE(hcr_el2, HCR_RW | HCR_VM);
    isb();
    return 0;
}

static u64 set_leaf(u64 index, u64 descriptor, u64 is_other) {
    (is_other ? other_leaves : leaves)[index] = descriptor;
    flush_all();
    return 0;
}
/* Without TLB maintenance. */
static u64 set_leaf_only(u64 index, u64 descriptor, u64 is_other) {
    (is_other ? other_leaves : leaves)[index] = descriptor;
    dsb(ish);
    return 0;
}
static u64 set_middle(u64 index, u64 descriptor, u64 unused) {
    (void)unused;
    middle[index] = descriptor;
    flush_all();
    return 0;
}
static u64 set_root(u64 index, u64 descriptor, u64 unused) {
    (void)unused;
    root[index] = descriptor;
    flush_all();
    return 0;
}
static u64 set_hcr(u64 value, u64 unused, u64 unused2) {
    (void)unused, (void)unused2;
    WRITE(hcr_el2, value);
    flush_all();
    return 0;
}
static u64 set_vtcr(u64 value, u64 unused, u64 unused2) {
    (void)unused, (void)unused2;
    WRITE(vtcr_el2, value);
    flush_all();
    return 0;
}
static u64 set_world(u64 is_other, u64 vmid, u64 unused) {
    (void)unused;
    WRITE(vttbr_el2, (u64)(is_other ? other_root : root) | vmid << 48);
    isb();
    return 0;
}
static u64 set_terse(u64 value, u64 unused, u64 unused2) {
    (void)unused, (void)unused2;
    is_terse = value;
    return 0;
}

enum { S1E1R, S1E1W, S12E1R, S12E1W, S12E0R, S12E0W };
static u64 at(u64 kind, u64 va, u64 hcr) {
    u64 before = READ(hcr_el2);
    if (hcr) {
        WRITE(hcr_el2, hcr);
        isb();
    }
    switch (kind) {
    case S1E1R: asm volatile("at s1e1r, %0" : : "r"(va)); break;
    case S1E1W: asm volatile("at s1e1w, %0" : : "r"(va)); break;
    case S12E1R: asm volatile("at s12e1r, %0" : : "r"(va)); break;
    case S12E1W: asm volatile("at s12e1w, %0" : : "r"(va)); break;
    case S12E0R: asm volatile("at s12e0r, %0" : : "r"(va)); break;
    default: asm volatile("at s12e0w, %0" : : "r"(va)); break;
    }
    isb();
    u64 par = READ(par_el1);
    WRITE(hcr_el2, before);
    isb();
    /* Bit 9 is NS, UNKNOWN here, where the address translates. */
    return par & 1 ? par : par & ~((u64)3 << 9);
}

static u64 at_with_vtcr(u64 vtcr, u64 ipa, u64 unused) {
    (void)unused;
    u64 before = READ(vtcr_el2);
    set_vtcr(vtcr, 0, 0);
    u64 par = at(S12E1R, ipa, HCR_RW | HCR_DC);
    set_vtcr(before, 0, 0);
    return par;
}

/* What TLB maintenance a hypervisor does after it has changed a leaf. */
static u64 invalidate(u64 kind, u64 ipa, u64 va) {
    dsb(ish);
    switch (kind) {
    case 0: asm volatile("tlbi ipas2e1is, %0\n dsb ish\n tlbi vmalle1is" : : "r"(ipa >> 12)); break;
    case 1: asm volatile("tlbi ipas2le1, %0\n dsb ish\n tlbi vmalle1" : : "r"(ipa >> 12)); break;
    case 2: asm volatile("tlbi ipas2e1is, %0\n dsb ish\n tlbi vae1is, %1" : : "r"(ipa >> 12), "r"(va >> 12)); break;
    case 3: asm volatile("tlbi vmalls12e1is"); break;
    case 4: asm volatile("tlbi vmalls12e1"); break;
    case 5: asm volatile("tlbi alle1is"); break;
    default: asm volatile("tlbi alle1"); break;
    }
    dsb(ish);
    isb();
    return 0;
}

/* ---- At EL1 ---- */

static u64 el2(u64 (*function)(u64, u64, u64), u64 a, u64 b, u64 c) {
    register u64 x0 asm("x0") = (u64)function;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    register u64 x3 asm("x3") = c;
    asm volatile("hvc #2" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0;
}

static void taken_at_el1(struct frame *f, unsigned vector) {
    (void)vector;
    if (exception_class(f->esr) == 0x15) {
        leave_el0(f, f->x[0]);
        return;
    }
    print("    EL1: EC 0x%02x, ISS 0x%07x, FAR 0x%lx\n", exception_class(f->esr), (u32)f->esr & 0x1ffffff, f->far);
    f->elr = exception_class(f->esr) == 0x21 ? f->x[30] : f->elr + 4;
}

static u64 block(u64 ipa, u32 attribute, u64 more) {
    return ipa | PTE_BLOCK | (u64)attribute << 2 | PTE_AF | more;
}

static void build_stage1(void) {
    /* 3 Write-Through, 4 outer Non-cacheable and inner Write-Back, 5 Device-GRE, 6 Write-Back without allocation. */
    WRITE(mair_el1, MAIR_VALUE | 0xbbull << 24 | 0x4full << 32 | 0x0cull << 40 | 0xccull << 48);
    level1[NORMAL] = block(IPA_BASE, 1, PTE_INNER | PTE_UXN);
    level1[USER] = block(IPA_BASE, 1, PTE_INNER | PTE_PXN | PTE_EL0);
    level1[NONCACHEABLE] = block(IPA_BASE, 2, PTE_INNER | PTE_UXN);
    level1[DEVICE] = block(IPA_BASE, 0, PTE_UXN | PTE_PXN);
    level1[OUTER] = block(IPA_BASE, 1, 2 << 8 | PTE_UXN);
    level1[UNSHARED] = block(IPA_BASE, 1, PTE_UXN);
    level1[WRITE_THROUGH] = block(IPA_BASE, 3, PTE_UXN);
    level1[MIXED] = block(IPA_BASE, 4, PTE_UXN);
    level1[GRE] = block(IPA_BASE, 5, PTE_UXN | PTE_PXN);
    level1[VARIED] = block(IPA_BASE, 6, PTE_INNER | PTE_UXN);
    level1[BEYOND] = block(0x1000000000, 1, PTE_INNER | PTE_UXN);
    /* The tables of level 3 are behind stage 2, in pages that the tests change. */
    walk_middle[0] = (IPA_BASE + 0x1e000) | PTE_TABLE;
    walk_middle[1] = (IPA_BASE + 0x1d000) | PTE_TABLE;
    level1[WALK] = (u64)walk_middle | PTE_TABLE;
    level1[READ_ONLY] = block(IPA_BASE, 1, PTE_INNER | PTE_UXN | PTE_RO);
    level1[HIGH] = block(0x8000000000, 1, PTE_INNER | PTE_UXN);
    dsb(ish);
    asm volatile("tlbi vmalle1is" : : : "memory");
    dsb(ish);
    isb();
}

static u64 page(u64 index, u64 fields) {
    return (u64)pages[index] | PTE_PAGE | fields;
}
static void leaf(u64 index, u64 fields) {
    el2(set_leaf, index, page(index, fields), 0);
}

static void try_all(const char *name, u64 va) {
    print("  %s\n", name);
    u64 value = stage2_load(va);
    print("    load %lx\n", value);
    stage2_store(va + 8, 0x77);
    stage2_call(va + 16);
}

static void faults(void) {
    print("faults of loads, stores and fetches\n");
    leaf(0, S2_OK);
    el2(set_leaf, 1, 0, 0);
    leaf(2, S2_MEM(15) | S2_R | S2_AF);
    leaf(3, S2_MEM(15) | S2_W | S2_AF);
    leaf(4, S2_MEM(15) | S2_AF);
    leaf(5, S2_MEM(15) | S2_RW);
    el2(set_leaf, 6, 0x1000000000 | PTE_PAGE | S2_OK, 0);
    el2(set_leaf, 7, (u64)pages[7] | 1 | S2_OK, 0);
    leaf(8, S2_OK | S2_XN(2));
    try_all("everything permitted", VA_OF(NORMAL));
    try_all("invalid page", VA_OF(NORMAL) + 0x1000);
    try_all("read-only page", VA_OF(NORMAL) + 0x2000);
    try_all("write-only page", VA_OF(NORMAL) + 0x3000);
    try_all("page without access", VA_OF(NORMAL) + 0x4000);
    try_all("page with AF 0", VA_OF(NORMAL) + 0x5000);
    try_all("page beyond the physical addresses", VA_OF(NORMAL) + 0x6000);
    try_all("reserved descriptor", VA_OF(NORMAL) + 0x7000);
    try_all("page that is not executable", VA_OF(NORMAL) + 0x8000);
    try_all("invalid level 2", VA_OF(NORMAL) + 0x200000);
    el2(set_middle, 2, 0x40000000 | PTE_BLOCK | S2_MEM(15) | S2_AF | S2_XN(2), 0);
    try_all("level 2 block without access", VA_OF(NORMAL) + 0x400000);
    el2(set_middle, 3, 0x40000000 | PTE_BLOCK | S2_MEM(15) | S2_RW, 0);
    try_all("level 2 block with AF 0", VA_OF(NORMAL) + 0x600000);
    el2(set_middle, 4, 0x1000000000 | PTE_TABLE, 0);
    try_all("level 3 table beyond the physical addresses", VA_OF(NORMAL) + 0x800000);
    try_all("beyond the IPAs", VA_OF(BEYOND) + 0x123000);
    el2(set_root, 4, 0, 0);
    try_all("invalid level 1", VA_OF(NORMAL));
    el2(set_root, 4, 0x40000000 | PTE_BLOCK | S2_MEM(15) | S2_AF | S2_XN(2), 0);
    try_all("level 1 block without access", VA_OF(NORMAL));
    el2(set_root, 4, (u64)middle | PTE_TABLE, 0);
    print("  atomic on read-only, write-only, without access\n");
    stage2_add(VA_OF(NORMAL) + 0x2000, 1);
    stage2_add(VA_OF(NORMAL) + 0x3000, 1);
    stage2_add(VA_OF(NORMAL) + 0x4000, 1);
    print("  stage 1 comes first: a store to what it makes read-only and stage 2 does not map\n");
    stage2_store(VA_OF(READ_ONLY) + 0x1000, 1);
    print("  and then stage 2: a load from there\n");
    stage2_load(VA_OF(READ_ONLY) + 0x1000);
    print("  from EL0: a load without translation, without permission, with both\n");
    for (u64 i = 1; i <= 8; i += i == 1 ? 3 : 4) {
        u64 value = call_el0(el0_text(stage2_el0_load), el0_data(el0_stack + sizeof el0_stack), VA_OF(USER) + i * 0x1000);
        print("    %lx\n", value);
    }
}

static void execute_never(void) {
    print("XN, at EL1 and at EL0\n");
    for (u64 xn = 0; xn < 4; xn++) {
        leaf(9, S2_OK | S2_XN(xn));
        print("  XN %lu\n", xn);
        stage2_call(VA_OF(NORMAL) + 0x9010);
        print("    EL0: %lx\n", call_el0(VA_OF(USER) + 0x9018, el0_data(el0_stack + sizeof el0_stack), 0x99));
    }
}

static void walks(void) {
    print("the walk of stage 1 through stage 2\n");
    /* At level 3, as stage 2 is: QEMU 7.2 reports the level of stage 1. */
    u64 va = VA_OF(WALK), device = VA_OF(WALK) + 0x200000;
    static const struct { const char *name; u64 fields; } kinds[] = {
        {"readable", S2_MEM(15) | S2_R | S2_AF},
        {"write-only", S2_MEM(15) | S2_W | S2_AF},
        {"AF 0", S2_MEM(15) | S2_RW},
    };
    leaf(1, S2_OK);
    for (u32 i = 0; i < 4; i++) {
        print("  table in a page that is %s\n", i < 3 ? kinds[i].name : "not mapped");
        el2(set_leaf, 0x1e, i < 3 ? ((u64)walk_table | PTE_PAGE | kinds[i].fields) : 0, 0);
        print("    load %lx\n", stage2_load(va));
        stage2_store(va + 8, 0x55);
        stage2_call(va + 16);
        print("    AT S1E1R from EL1\n");
        stage2_at(va);
        print("    AT from EL2: S1E1R PAR 0x%lx, S12E1R PAR 0x%lx\n", el2(at, S1E1R, va, 0),
              el2(at, S12E1R, va, 0));
    }
    print("  table in Device memory, PTW 0\n");
    el2(set_leaf, 0x1d, (u64)walk_table | PTE_PAGE | S2_MEM(1) | S2_RW | S2_AF, 0);
    print("    load %lx\n", stage2_load(device));
    print("  table in Device memory, PTW 1\n");
    el2(set_hcr, HCR_RW | HCR_VM | HCR_PTW, 0, 0);
    print("    load %lx\n", stage2_load(device));
    stage2_at(device);
    el2(set_hcr, HCR_RW | HCR_VM, 0, 0);
}

static void syndromes(void) {
    print("what the syndrome says of an access: ISV, SAS, SSE, SRT, SF, AR\n");
    el2(set_leaf, 1, 0, 0);
    el2(set_terse, 1, 0, 0);
    for (u32 i = 0; stage2_accesses[i].code; i++) {
        print("  %s: ", stage2_accesses[i].name);
        register u64 x0 asm("x0") = VA_OF(USER) + 0x1000;
        register u64 x8 asm("x18") = (u64)stage2_accesses[i].code;
        asm volatile("blr x18" : "+r"(x0), "+r"(x8) : : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                     "x14", "x15", "x16", "x17", "x30", "memory");
    }
    el2(set_terse, 0, 0, 0);
}

static void attributes(void) {
    static const u8 memattr[] = {0, 1, 2, 3, 5, 7, 10, 11, 13, 14, 15};
    static const u32 stage1[] = {NORMAL, NONCACHEABLE, DEVICE, OUTER, UNSHARED, WRITE_THROUGH, MIXED, GRE, VARIED};
    print("attributes of both stages (AT S12E1R: ATTR and SH), by MemAttr[3:0] and SH of stage 2\n");
    for (u32 sh = 0; sh < 4; sh += sh ? 1 : 2) {
        print("  SH %u     ", sh);
        for (u32 i = 0; i < sizeof memattr; i++) {
            print(" %02x  ", memattr[i]);
            leaf(10 + i, S2_MEM(memattr[i]) | S2_SH(sh) | S2_RW | S2_AF);
        }
        print("\n");
        for (u32 j = 0; j < sizeof stage1 / sizeof *stage1; j++) {
            print("    %08lx", level1[stage1[j]] & 0xfff);
            for (u32 i = 0; i < sizeof memattr; i++) {
                /* QEMU 7.2 takes an inner Non-cacheable of one stage for Device-nGnRE where the other stage is Device. */
                bool is_misread = (stage1[j] == NONCACHEABLE && (memattr[i] == 2 || memattr[i] == 3)) ||
                                  (stage1[j] == GRE && (memattr[i] & 3) == 1 && memattr[i] > 3);
                if (is_misread) {
                    print("  -  ");
                    continue;
                }
                u64 par = el2(at, S12E1R, VA_OF(stage1[j]) + (10 + i) * 0x1000, 0);
                print(" %02x.%u", (u32)(par >> 56), (u32)(par >> 7) & 3);
            }
            print("\n");
        }
    }
    print("  HCR_EL2.DC: EL1 is not translated, and is Write-Back; stage 2 is on without VM\n");
    for (u32 i = 0; i < sizeof memattr; i += 2) {
        u64 par = el2(at, S12E1R, IPA_BASE + (10 + i) * 0x1000, HCR_RW | HCR_DC);
        print("    %02x: %02x.%u %s\n", memattr[i], (u32)(par >> 56), (u32)(par >> 7) & 3,
              (par & 0xfffffffff000) == (u64)pages[10 + i] ? "its page" : "?");
    }
}

static void translations(void) {
    print("AT from EL2 and from EL1\n");
    leaf(0, S2_OK);
    leaf(2, S2_MEM(15) | S2_R | S2_AF);
    el2(set_leaf, 1, 0, 0);
    u64 ok = VA_OF(NORMAL), read_only = VA_OF(NORMAL) + 0x2000, invalid = VA_OF(NORMAL) + 0x1000;
    print("  S1E1R gives the IPA: 0x%lx, also where stage 2 maps nothing: 0x%lx\n", el2(at, S1E1R, ok, 0), el2(at, S1E1R, invalid, 0));
    asm volatile("at s1e1r, %0\n isb" : : "r"(invalid));
    print("  from EL1 as well: 0x%lx\n", READ(par_el1) & ~((u64)3 << 9));
    u64 par = el2(at, S12E1R, ok, 0);
    print("  S12E1R gives the PA: %s, attributes 0x%lx\n", (par & 0xfffffffff000) == (u64)pages[0] ? "yes" : "no", par & 0xff00000000000fff);
    print("  S12E1R of nothing 0x%lx; S12E1W of a read-only page 0x%lx, S12E1R of it %lu\n", el2(at, S12E1R, invalid, 0),
          el2(at, S12E1W, read_only, 0), el2(at, S12E1R, read_only, 0) & 1);
    print("  S12E0R of EL1's page 0x%lx, of EL0's %lu, S12E0W of EL0's read-only page 0x%lx\n", el2(at, S12E0R, ok, 0),
          el2(at, S12E0R, VA_OF(USER), 0) & 1, el2(at, S12E0W, VA_OF(USER) + 0x2000, 0));
    print("  S12E1W of a page that stage 1 makes read-only 0x%lx\n", el2(at, S12E1W, VA_OF(READ_ONLY), 0));
    print("  beyond the IPAs 0x%lx\n", el2(at, S12E1R, VA_OF(BEYOND), 0));
    print("  stage 1 invalid 0x%lx\n", el2(at, S12E1R, VA_OF(40), 0));
}

static void worlds(void) {
    print("VMIDs and ASIDs tell translations apart without maintenance\n");
    for (u64 i = 0; i < 4; i++) {
        pages[24 + i][0] = 0xa0 + i;
    }
    for (u64 i = 0; i < 2; i++) {
        el2(set_leaf, 24 + i, page(24 + i, S2_OK), 0);
        el2(set_leaf, 24 + i, page(26 + i, S2_OK), 1);
    }
    u64 ttbr = READ(ttbr0_el1), tcr = READ(tcr_el1);
    static u64 other[512] __attribute__((aligned(4096)));
    static u64 other_middle_s1[512] __attribute__((aligned(4096))), other_leaves_s1[512] __attribute__((aligned(4096)));
    memcpy(other, level1, sizeof other);
    u64 va = VA_OF(NORMAL) + 24 * 0x1000;
    /* The same VA: the first ASID has IPA page 24, the second 25; both non-global. */
    level1[NORMAL] |= 1 << 11;
    other_middle_s1[0] = (u64)other_leaves_s1 | PTE_TABLE;
    other_leaves_s1[24] = (IPA_BASE + 25 * 0x1000) | PTE_PAGE | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN | 1 << 11;
    other[NORMAL] = (u64)other_middle_s1 | PTE_TABLE;
    dsb(ish);
    asm volatile("tlbi vmalle1is\n dsb ish\n isb" : : : "memory");
    for (u32 bits = 8; bits <= 16; bits += 8) {
        if (bits == 16) {
            el2(set_vtcr, VTCR | VTCR_VS, 0, 0);
            WRITE(tcr_el1, tcr | 1ull << 36);
            isb();
        }
        print("  of %u bits\n", bits);
        u64 high = bits == 16 ? 0x100 : 0;
        for (u32 round = 0; round < 2; round++) {
            for (u32 vm = 0; vm < 2; vm++) {
                /* With 16 bits, 0x101 and 1: they differ in the upper half. */
                el2(set_world, vm, vm ? (high ? high | 1 : 2) : 1, 0);
                for (u32 process = 0; process < 2; process++) {
                    u64 asid = process ? (high ? high | 1 : 2) : 1;
                    WRITE(ttbr0_el1, (process ? (u64)other : ttbr) | asid << 48);
                    isb();
                    print("    VM %u, process %u: %lx\n", vm, process, stage2_load(va));
                }
            }
        }
        WRITE(ttbr0_el1, ttbr);
        isb();
    }
    WRITE(tcr_el1, tcr);
    isb();
    el2(set_vtcr, VTCR, 0, 0);
    el2(set_world, 0, 1, 0);
    level1[NORMAL] &= ~(1ull << 11);
    dsb(ish);
    asm volatile("tlbi vmalle1is\n dsb ish\n isb" : : : "memory");
}

static void maintenance(void) {
    static const char *const names[] = {"IPAS2E1IS, VMALLE1IS", "IPAS2LE1, VMALLE1", "IPAS2E1IS, VAE1IS", "VMALLS12E1IS",
                                        "VMALLS12E1", "ALLE1IS", "ALLE1"};
    print("a leaf of stage 2 is changed, then maintained\n");
    u64 va = VA_OF(NORMAL) + 24 * 0x1000, ipa = IPA_BASE + 24 * 0x1000;
    el2(set_leaf, 24, page(24, S2_OK), 0);
    u64 now = 24;
    for (u32 kind = 0; kind < sizeof names / sizeof *names; kind++) {
        stage2_load(va);
        now ^= 1;
        /* Break before make. */
        el2(set_leaf_only, 24, 0, 0);
        el2(invalidate, kind, ipa, va);
        el2(set_leaf_only, 24, page(now, S2_OK), 0);
        print("  TLBI %s: %lx, expected %lx\n", names[kind], stage2_load(va), pages[now][0]);
    }
    el2(set_leaf, 24, page(24, S2_OK), 0);
}

static void sizes(void) {
    print("other sizes\n");
    for (u64 i = 0; i < 16; i++) {
        pages[16 + i][0] = 0xc0 + i;
    }
    /* The group of 16 pages must be aligned: find the one inside `pages`. */
    u64 first = (0x10000 - ((u64)pages[0] & 0xffff)) % 0x10000 / 0x1000;
    for (u64 i = 0; i < 16; i++) {
        pages[first + i][1] = 0xd0 + i;
        el2(set_leaf, 0x20 + i, page(first + i, S2_OK | S2_CONTIGUOUS), 0);
    }
    print("  contiguous pages: %lx %lx\n", stage2_load(VA_OF(NORMAL) + 0x20008), stage2_load(VA_OF(NORMAL) + 0x2f008));
    u64 start = (u64)pages[0] & ~0x1fffffull;
    el2(set_middle, 5, start | PTE_BLOCK | S2_OK, 0);
    print("  2 MiB block: %lx\n", stage2_load(VA_OF(NORMAL) + 0xa00000 + ((u64)pages[24] - start)));
    el2(set_vtcr, VTCR_CONCATENATED, 0, 0);
    el2(set_root, 512, 0x40000000 | PTE_BLOCK | S2_OK, 0);
    print("  in the second of two concatenated tables: %lx\n", stage2_load(VA_OF(HIGH) + ((u64)pages[24] - 0x40000000)));
    el2(set_root, 512, 0, 0);
    stage2_load(VA_OF(HIGH));
    el2(set_vtcr, VTCR, 0, 0);
    print("  with 36 bits again\n");
    stage2_load(VA_OF(HIGH));
    print("  start levels that do not fit 36 bits: 2 and 0\n");
    u64 ipa = IPA_BASE;
    u64 two = (VTCR & ~0xc0ull), zero = (VTCR & ~0xc0ull) | 2 << 6;
    u64 par[2];
    for (u32 i = 0; i < 2; i++) {
        /* EL1 cannot run meanwhile. */
        par[i] = el2(at_with_vtcr, i ? zero : two, ipa, 0);
    }
    print("    PAR 0x%lx, 0x%lx\n", par[0], par[1]);
}

int guest(void) {
    on_sync = taken_at_el1;
    for (u64 i = 0; i < PAGES; i++) {
        pages[i][0] = 0x1000 + i;
        pages[i][1] = 0x2000 + i;
        pages[i][2] = 0xd65f03c0; /* RET */
        pages[i][3] = 0xd41fffe1d2800860; /* MOV X0, #0x43; SVC #0xffff */
    }
    memset(walk_table, 0, sizeof walk_table);
    memset(walk_middle, 0, sizeof walk_middle);
    walk_table[0] = IPA_BASE | PTE_PAGE | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN;
    for (u64 i = 0; i < PAGES; i++) {
        for (u64 line = 0; line < 4096; line += 64) {
            asm volatile("dc cvau, %0" : : "r"((u64)pages[i] + line) : "memory");
        }
    }
    dsb(ish);
    asm volatile("ic ialluis\n dsb ish\n isb" : : : "memory");
    build_stage1();
    el2(build, 0, 0, 0);
    print("stage2: EL1 behind stage 2\n");
    faults();
    execute_never();
    walks();
    syndromes();
    attributes();
    translations();
    worlds();
    maintenance();
    sizes();
    print("done\n");
    return 0;
}
