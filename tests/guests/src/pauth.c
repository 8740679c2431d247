/* FEAT_PAuth: codes of each key in several layouts of a pointer, authentication of good and of damaged pointers, the combined branches and
 * loads, keys that are not enabled, and the traps of EL2. Each line has a digest of 100 results. */
#include "guest.h"

#define PAUTH ".arch armv8.3-a\n\t"
#define ENIA (1ull << 31)
#define ENIB (1ull << 30)
#define ENDA (1ull << 27)
#define ENDB (1ull << 13)
#define API (1ull << 41)
#define APK (1ull << 40)
enum { cases = 100 };

u64 branch_and_back(u64 pointer, u64 modifier, u64 which), return_to(u64 pointer, u64 which);

/* EL2: HVC gives HCR_EL2 the bits in X0; everything else is reported and stepped over. */
static void at_el2(struct frame *f, unsigned vector) {
    (void)vector;
    if (exception_class(f->esr) == 0x16) {
        WRITE(hcr_el2, (READ(hcr_el2) & ~(API | APK)) | f->x[0]);
        isb();
        return;
    }
    print_raw("  trapped to EL2: EC 0x%02x ISS 0x%x\n", exception_class(f->esr), (u32)f->esr & 0x1ffffff);
    f->elr += 4;
}
void (*handler_el2)(struct frame *, unsigned) = at_el2;

static void set_hcr(u64 bits) {
    register u64 x0 asm("x0") = bits;
    asm volatile("hvc #0" : "+r"(x0)::"memory");
}

static u64 seed = 0x9e3779b97f4a7c15ull;
static u64 draw(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Bits 63 and 55 choose different ranges, whose layouts are different: QEMU 7.2 takes another one there than the Arm ARM (AddPAC). */
static bool ranges_differ;

/* A pointer: canonical, with a tag, or any. */
static u64 draw_pointer(void) {
    u64 p = draw();
    switch (draw() % 5) {
    case 0: p &= 0x0000007fffffffffull; break;
    case 1: p |= 0xffffff8000000000ull; break;
    case 2: p = (p & 0x0000007fffffffffull) | draw() << 56; break;
    case 3: p = (p & 0xff00ffffffffffffull) | 0x00ff000000000000ull; break;
    }
    return ranges_differ ? (p & ~(1ull << 63)) | (p >> 55 & 1) << 63 : p;
}

#define OPERATION(name)                                                              \
    static u64 do_##name(u64 x, u64 y) {                                             \
        asm volatile(PAUTH #name " %0, %1" : "+r"(x) : "r"(y));                      \
        return x;                                                                    \
    }
#define ZERO_OPERATION(name)                                                         \
    static u64 do_##name(u64 x, u64 y) {                                             \
        (void)y;                                                                     \
        asm volatile(PAUTH #name " %0" : "+r"(x));                                   \
        return x;                                                                    \
    }
OPERATION(pacia) OPERATION(pacib) OPERATION(pacda) OPERATION(pacdb)
OPERATION(autia) OPERATION(autib) OPERATION(autda) OPERATION(autdb)
ZERO_OPERATION(paciza) ZERO_OPERATION(pacizb) ZERO_OPERATION(pacdza) ZERO_OPERATION(pacdzb)
ZERO_OPERATION(autiza) ZERO_OPERATION(autizb) ZERO_OPERATION(autdza) ZERO_OPERATION(autdzb)
ZERO_OPERATION(xpaci) ZERO_OPERATION(xpacd)
static u64 do_pacga(u64 x, u64 y) {
    u64 r;
    asm volatile(PAUTH "pacga %0, %1, %2" : "=r"(r) : "r"(x), "r"(y));
    return r;
}
/* Of the hints: X17 with X16, X30 with zero, and X30 with the stack pointer, which `y` is for a moment. */
#define HINT_1716(name)                                                              \
    static u64 do_##name(u64 x, u64 y) {                                             \
        register u64 x17 asm("x17") = x;                                             \
        register u64 x16 asm("x16") = y;                                             \
        asm volatile(PAUTH #name : "+r"(x17) : "r"(x16));                            \
        return x17;                                                                  \
    }
#define HINT_30(name)                                                                \
    static u64 do_##name(u64 x, u64 y) {                                             \
        asm volatile(PAUTH "mov x9, sp\n\tmov x30, %0\n\tmov sp, %1\n\t" #name       \
                     "\n\tmov sp, x9\n\tmov %0, x30"                                 \
                     : "+r"(x) : "r"(y) : "x9", "x30");                              \
        return x;                                                                    \
    }
HINT_1716(pacia1716) HINT_1716(pacib1716) HINT_1716(autia1716) HINT_1716(autib1716)
HINT_30(paciasp) HINT_30(pacibsp) HINT_30(autiasp) HINT_30(autibsp)
HINT_30(paciaz) HINT_30(pacibz) HINT_30(autiaz) HINT_30(autibz) HINT_30(xpaclri)

/* An operation, and the one that makes the codes that it checks. */
static const struct operation {
    const char *name;
    u64 (*run)(u64, u64);
    u64 (*before)(u64, u64);
} operations[] = {
    {"pacia", do_pacia, 0},          {"pacib", do_pacib, 0},          {"pacda", do_pacda, 0},
    {"pacdb", do_pacdb, 0},          {"paciza", do_paciza, 0},        {"pacizb", do_pacizb, 0},
    {"pacdza", do_pacdza, 0},        {"pacdzb", do_pacdzb, 0},        {"autia", do_autia, do_pacia},
    {"autib", do_autib, do_pacib},   {"autda", do_autda, do_pacda},   {"autdb", do_autdb, do_pacdb},
    {"autiza", do_autiza, do_paciza}, {"autizb", do_autizb, do_pacizb}, {"autdza", do_autdza, do_pacdza},
    {"autdzb", do_autdzb, do_pacdzb}, {"xpaci", do_xpaci, do_pacia},    {"xpacd", do_xpacd, do_pacdb},
    {"pacga", do_pacga, 0},          {"pacia1716", do_pacia1716, 0},  {"pacib1716", do_pacib1716, 0},
    {"autia1716", do_autia1716, do_pacia}, {"autib1716", do_autib1716, do_pacib}, {"paciasp", do_paciasp, 0},
    {"pacibsp", do_pacibsp, 0},      {"autiasp", do_autiasp, do_pacia}, {"autibsp", do_autibsp, do_pacib},
    {"paciaz", do_paciaz, 0},        {"pacibz", do_pacibz, 0},        {"autiaz", do_autiaz, do_paciza},
    {"autibz", do_autibz, do_pacizb}, {"xpaclri", do_xpaclri, do_pacib},
};

static void draw_keys(void) {
    WRITE(s3_0_c2_c1_0, draw()); WRITE(s3_0_c2_c1_1, draw()); WRITE(s3_0_c2_c1_2, draw()); WRITE(s3_0_c2_c1_3, draw());
    WRITE(s3_0_c2_c2_0, draw()); WRITE(s3_0_c2_c2_1, draw()); WRITE(s3_0_c2_c2_2, draw()); WRITE(s3_0_c2_c2_3, draw());
    WRITE(s3_0_c2_c3_0, draw()); WRITE(s3_0_c2_c3_1, draw());
    isb();
}

/* A pointer with its code, every other time with one bit turned. */
static u64 draw_operand(const struct operation *op, u64 modifier) {
    u64 p = draw_pointer();
    if (!op->before)
        return p;
    p = op->before(p, modifier);
    return draw() & 1 ? p ^ 1ull << (draw() & 63) : p;
}

static void digests(void) {
    for (u32 i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const struct operation *op = &operations[i];
        u64 digest = 0xcbf29ce484222325ull, last = 0;
        for (u32 n = 0; n < cases; n++) {
            if (n % 10 == 0)
                draw_keys();
            u64 modifier = draw() & ~15ull;
            last = op->run(draw_operand(op, modifier), modifier);
            digest = (digest ^ last) * 0x100000001b3ull;
            digest ^= digest >> 29;
        }
        print("  %s: %016lx, last %016lx\n", op->name, digest, last);
    }
}

static void enable(u64 keys) {
    WRITE(sctlr_el1, (READ(sctlr_el1) & ~(ENIA | ENIB | ENDA | ENDB)) | keys);
    isb();
}

/* T1SZ, TBI0, TBI1, TBID0, TBID1. */
static const struct layout {
    u8 t1sz, tbi0, tbi1, tbid0, tbid1;
} layouts[] = {{25, 0, 0, 0, 0}, {16, 1, 0, 0, 0}, {39, 0, 1, 0, 0}, {31, 1, 1, 0, 0}, {16, 1, 1, 1, 0}, {20, 1, 1, 1, 1}};

static u64 resume;
static void on_fault(struct frame *f, unsigned vector) {
    (void)vector;
    print("  EC 0x%02x ISS 0x%x FAR %016lx\n", exception_class(f->esr), (u32)f->esr & 0x1ffffff, f->far);
    f->elr = resume;
}

extern u64 landed[], after_fault[];
static u64 words[64] __attribute__((aligned(512)));

static void combined(void) {
    static const char *const names[] = {"braa", "brab", "braaz", "brabz", "blraa", "blrab", "blraaz", "blrabz"};
    draw_keys();
    for (u32 i = 0; i < 8; i++) {
        u64 modifier = i & 2 ? 0 : draw();
        u64 target = (u64)landed;
        u64 pointer = i & 1 ? do_pacib(target, modifier) : do_pacia(target, modifier);
        print("%s: %lu\n", names[i], branch_and_back(pointer, modifier, i));
        resume = (u64)after_fault;
        branch_and_back(pointer ^ 1ull << 45, modifier, i);
    }
    for (u32 i = 0; i < 4; i++)
        print("%s: %lu\n", i & 2 ? (i & 1 ? "eretab" : "eretaa") : (i & 1 ? "retab" : "retaa"), return_to(0, i));
    for (u32 i = 0; i < 64; i++)
        words[i] = i;
    u64 a = do_pacdza((u64)&words[32], 0), b = do_pacdzb((u64)&words[32], 0), x, y = a;
    asm volatile(PAUTH "ldraa %0, [%1, #24]" : "=r"(x) : "r"(a) : "memory");
    print("ldraa: %lu\n", x);
    asm volatile(PAUTH "ldraa %0, [%1, #-64]!" : "=&r"(x), "+r"(y)::"memory");
    print("ldraa!: %lu, base moved by %ld\n", x, (long)(y - (u64)&words[32]));
    y = b;
    asm volatile(PAUTH "ldrab %0, [%1, #8]!" : "=&r"(x), "+r"(y)::"memory");
    print("ldrab!: %lu, base moved by %ld\n", x, (long)(y - (u64)&words[32]));
    y = a;
    asm volatile(PAUTH "adr x9, 1f\n\tstr x9, [%2]\n\tldrab %0, [%1, #8]!\n1:" : "=&r"(x), "+r"(y) : "r"(&resume) : "x9", "memory");
    print("ldrab of another key leaves its base: %u\n", y == a);
}

int guest(void) {
    print("pauth\n");
    u64 keys = ENIA | ENIB | ENDA | ENDB;
    print("without HCR_EL2.API and APK\n");
    print("  a key that is not enabled: %016lx\n", do_pacia(0x1234, 0));
    enable(keys);
    do_pacia(0, 0);
    do_autdzb(0, 0);
    do_pacga(0, 0);
    print("  xpaci: %016lx\n", do_xpaci(0x00ff000000001234ull, 0));
    WRITE(s3_0_c2_c1_0, 1);
    (void)READ(s3_0_c2_c3_1);
    set_hcr(API | APK);
    WRITE(s3_0_c2_c2_1, 0x123456789abcdef0ull);
    print("APDAKeyHi_EL1 %016lx\n", READ(s3_0_c2_c2_1));
    u64 tcr = READ(tcr_el1);
    for (u32 i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        const struct layout *l = &layouts[i];
        u64 value = (tcr & ~(63ull << 16)) | (u64)l->t1sz << 16 | (u64)l->tbi0 << 37 | (u64)l->tbi1 << 38 | (u64)l->tbid0 << 51 | (u64)l->tbid1 << 52;
        WRITE(tcr_el1, value);
        isb();
        print("T1SZ %u, TBI0 %u, TBI1 %u, TBID0 %u, TBID1 %u\n", l->t1sz, l->tbi0, l->tbi1, l->tbid0, l->tbid1);
        ranges_differ = l->tbi0 != l->tbi1 || l->tbid0 != l->tbid1 || (l->t1sz != 25 && (!l->tbi0 || l->tbid0));
        digests();
    }
    ranges_differ = true;
    WRITE(tcr_el1, tcr);
    isb();
    on_sync = on_fault;
    combined();
    for (u32 n = 0; n < 4; n++) {
        static const u64 one[] = {ENIA, ENIB, ENDA, ENDB};
        enable(one[n]);
        print("only one key enabled\n");
        digests();
    }
    return 0;
}
