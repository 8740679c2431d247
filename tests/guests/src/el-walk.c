/* From the level of entry down to EL0, and back up by SVC, HVC and SMC; on the way every level says what it sees.
 * Addresses are printed as offsets from the instruction that caused the exception, SPSR as its mode, flags and masks.
 * Output depends on the machine (which levels exist), not on the number of cores. */
#include "guest.h"

void walk_at_el0(void), walk_svc(void), walk_hvc(void), walk_smc(void), walk_return(void), walk_el0_smc(void);

static u8 el0_stack[1024] __attribute__((aligned(16)));

static u32 current_el(void) {
    return (u32)READ(currentel) >> 2;
}

static const char *mode_name(u64 spsr) {
    switch (spsr & 15) {
    case 0: return "EL0t";
    case 4: return "EL1t";
    case 5: return "EL1h";
    case 8: return "EL2t";
    case 9: return "EL2h";
    case 12: return "EL3t";
    case 13: return "EL3h";
    default: return "?";
    }
}

static void describe(struct frame *f, unsigned vector, u64 cause) {
    print_raw("  EL%u: vector 0x%03x, EC 0x%02x (%s), ISS 0x%x, ELR +%lu, SPSR %s NZCV %x DAIF %x\n", current_el(), vector * 0x80,
              exception_class(f->esr), exception_class_name(f->esr), (u32)f->esr & 0x1ffffff, f->elr - cause,
              mode_name(f->spsr), (u32)(f->spsr >> 28), (u32)(f->spsr >> 6) & 15);
}

static void arrive_at_el3(void) {
    console_init();
    print_raw("at EL%u, SPSel %u\n", current_el(), (u32)READ(spsel));
}
static void arrive_at_el2(void) {
    console_init();
    print_raw("at EL%u, SPSel %u\n", current_el(), (u32)READ(spsel));
}

static void taken_at_el2(struct frame *f, unsigned vector) {
    describe(f, vector, (u64)walk_hvc);
    f->x[0] += 0x200;
}
static void taken_at_el3(struct frame *f, unsigned vector) {
    describe(f, vector, (u64)walk_smc);
    f->x[0] += 0x300;
}

void (*hook_el3)(void) = arrive_at_el3;
void (*hook_el2)(void) = arrive_at_el2;
void (*handler_el3)(struct frame *, unsigned) = taken_at_el3;
void (*handler_el2)(struct frame *, unsigned) = taken_at_el2;

static void taken_at_el1(struct frame *f, unsigned vector) {
    u32 imm = (u32)f->esr & 0xffff;
    if (exception_class(f->esr) == 0x15 && imm == 0xffff) {
        leave_el0(f, f->x[0]);
    } else if (exception_class(f->esr) == 0x15) {
        describe(f, vector, (vector >> 2) == 2 ? el0_text((void *)walk_at_el0) : (u64)walk_svc);
        f->x[0] += 0x100;
    } else {
        describe(f, vector, (vector >> 2) == 2 ? el0_text((void *)walk_el0_smc) : (u64)walk_hvc);
        f->elr += 4;
    }
}

/* x0 = 1 on the way in; NZCV is set before, so that SPSR shows it, and must be the same after. */
static void call(const char *name, void (*instruction)(void), u64 flags) {
    print("%s\n", name);
    register u64 x0 asm("x0") = 1;
    register void (*x1)(void) asm("x1") = instruction;
    u64 after;
    asm volatile("msr nzcv, %3\n blr %1\n mrs %2, nzcv"
                 : "+r"(x0), "+r"(x1), "=&r"(after)
                 : "r"(flags << 28)
                 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
                   "x30", "cc", "memory");
    print("  back at EL%u with x0 0x%lx, NZCV %x\n", current_el(), x0, (u32)(after >> 28));
}

int guest(void) {
    print("el-walk: entered at EL%u\n", entry_el);
    print("at EL%u, SPSel %u\n", current_el(), (u32)READ(spsel));
    on_sync = taken_at_el1;

    call("SVC 0x11 at EL1", walk_svc, 0x5);
    if (entry_el >= 2 && (READ(id_aa64pfr0_el1) & 0xf00)) {
        call("HVC 0x22 at EL1", walk_hvc, 0xa);
    }
    if (entry_el == 3) {
        call("SMC 0x33 at EL1", walk_smc, 0xf);
    } else {
        print("PSCI at EL1\n  version %s\n", psci(PSCI_VERSION, 0, 0, 0) >= 0x10000 ? "1.0 or later" : "before 1.0");
    }

    print("ERET to EL0, SVC 0x44 there\n");
    u64 result = call_el0(el0_text((void *)walk_return), el0_data(el0_stack + sizeof el0_stack), 0x1000);
    print("  EL0 had SP_EL0 at +%lu, CurrentEL is UNDEFINED there, x0 0x%lx\n", result >> 32, result & 0xffffffff);
    return 0;
}
