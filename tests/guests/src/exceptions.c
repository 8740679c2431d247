/* Synchronous exceptions at EL1 and from EL0: each is caused on purpose, reported by class and syndrome, and resumed
 * behind the instruction that caused it. FAR is printed where the architecture defines it, as an offset from what was
 * accessed. */
#include "guest.h"

/* In exceptions.S; the el0_ ones run at EL0. */
void cause_undefined(void), cause_brk(void), cause_svc(void), cause_illegal_state(void);
void cause_load_fault(void), cause_store_fault(void), cause_byte_fault(void), cause_fetch_fault(void);
void cause_pc_alignment(void), cause_unaligned_exclusive(void), cause_unaligned_device(void), cause_mrs_el3(void);
void cause_unaligned_checked(void);
void el0_svc(void), el0_undefined(void), el0_brk(void), el0_load_fault(void), el0_store_read_only(void);
void el0_permission(void), el0_mrs(void), el0_fetch_xn(void), el0_wfi(void), el0_simd(void), el0_dc_cvau(void);
void el0_mrs_ctr(void);

#define LEAVE_EL0 0xffff

static u64 far_base;
static u8 el0_stack[1024] __attribute__((aligned(16)));
static u64 words[4] __attribute__((aligned(64)));

static const char *origin(unsigned vector) {
    switch (vector >> 2) {
    case 0: return "EL1t";
    case 1: return "EL1h";
    default: return "EL0";
    }
}

static bool far_is_valid(unsigned ec) {
    return ec == 0x20 || ec == 0x21 || ec == 0x22 || ec == 0x24 || ec == 0x25;
}

static void report(struct frame *f, unsigned vector) {
    unsigned ec = exception_class(f->esr);
    u32 iss = (u32)f->esr & 0x1ffffff;
    if (ec == 0x15 && (iss & 0xffff) == LEAVE_EL0) {
        leave_el0(f, f->x[0]);
        return;
    }
    print("  from %s: EC 0x%02x (%s) IL %u ISS 0x%07x", origin(vector), ec, exception_class_name(f->esr),
          (u32)(f->esr >> 25) & 1, iss);
    if (far_is_valid(ec)) {
        print(" FAR +0x%lx", f->far - far_base);
    }
    print("\n");
    if (ec == 0x0e) {
        f->spsr &= ~(1ull << 20); /* PSTATE.IL, which would fault again; the instruction itself is fine */
    } else if (ec == 0x22 || ec == 0x21 || ec == 0x20) {
        f->elr = f->x[30]; /* a branch went wrong: back to the caller */
    } else if (ec != 0x15) {
        f->elr += 4; /* SVC prefers the next instruction already */
    }
}

/* SCTLR_EL1 */
#define A (1ull << 1)
#define UCT (1ull << 15)
#define nTWI (1ull << 16)
#define UCI (1ull << 26)

#define UNMAPPED 0x180000000ull

static void at_el1(const char *name, void (*cause)(void), u64 base) {
    print("%s\n", name);
    far_base = base;
    register u64 x0 asm("x0") = base;
    register void (*x1)(void) asm("x1") = cause;
    asm volatile("blr %1" : "+r"(x0), "+r"(x1) : : "x2", "x3", "x4", "x16", "x17", "x30", "memory", "cc");
}

static void at_el0(const char *name, void (*cause)(void), u64 base) {
    print("%s\n", name);
    far_base = base;
    call_el0(el0_text((void *)cause), el0_data(el0_stack + sizeof el0_stack), base);
}

int guest(void) {
    print("exceptions\n");
    on_sync = report;

    at_el1("UDF", cause_undefined, 0);
    at_el1("MRS of an EL3 register", cause_mrs_el3, 0);
    at_el1("BRK 0x1234", cause_brk, 0);
    at_el1("SVC 0x5678", cause_svc, 0);
    at_el1("load from an unmapped address", cause_load_fault, UNMAPPED);
    at_el1("store to an unmapped address", cause_store_fault, UNMAPPED + 0xff8);
    at_el1("signed byte load from an unmapped address", cause_byte_fault, UNMAPPED + 1);
    at_el1("branch to an unmapped address", cause_fetch_fault, UNMAPPED);
    at_el1("branch to execute-never memory", cause_fetch_fault, UART_BASE);
    at_el1("branch to a misaligned address", cause_pc_alignment, (u64)cause_brk);
    at_el1("LDXR of a misaligned address", cause_unaligned_exclusive, (u64)words);
    WRITE(sctlr_el1, READ(sctlr_el1) | A);
    isb();
    at_el1("load of a misaligned address with SCTLR_EL1.A = 1", cause_unaligned_checked, (u64)words);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~A);
    isb();
    at_el1("illegal exception return (EL1 to AArch64 EL3)", cause_illegal_state, 0);

    at_el0("SVC 0x9abc", el0_svc, 0);
    at_el0("UDF", el0_undefined, 0);
    at_el0("BRK 0", el0_brk, 0);
    at_el0("load from an unmapped address", el0_load_fault, UNMAPPED);
    at_el0("store to read-only memory", el0_store_read_only, el0_text(words));
    at_el0("load from memory of EL1", el0_permission, (u64)words);
    at_el0("branch to execute-never memory", el0_fetch_xn, el0_data(words));
    at_el0("MRS of an EL1 register", el0_mrs, 0);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(UCI | nTWI | UCT));
    isb();
    at_el0("WFI with SCTLR_EL1.nTWI = 0", el0_wfi, 0);
    at_el0("DC CVAU with SCTLR_EL1.UCI = 0", el0_dc_cvau, el0_data(words));
    at_el0("MRS of CTR_EL0 with SCTLR_EL1.UCT = 0", el0_mrs_ctr, 0);
    WRITE(sctlr_el1, READ(sctlr_el1) | UCI | nTWI | UCT);
    WRITE(cpacr_el1, 1ull << 20);
    isb();
    at_el0("SIMD&FP load with CPACR_EL1.FPEN = 01", el0_simd, el0_data(words));
    print("all resumed\n");
    return 0;
}
