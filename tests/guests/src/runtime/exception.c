/* Exceptions in C. */
#include "guest.h"

void (*on_sync)(struct frame *frame, unsigned vector);
void (*on_irq)(struct frame *frame);
void (*on_fiq)(struct frame *frame);
#ifdef ONLY_EL1
void (*on_serror)(struct frame *frame);
#endif
void (*hook_el3)(void) __attribute__((weak, section(".data"))) = 0;
void (*hook_el2)(void) __attribute__((weak, section(".data"))) = 0;
void (*handler_el3)(struct frame *, unsigned) __attribute__((weak, section(".data"))) = 0;
void (*handler_el2)(struct frame *, unsigned) __attribute__((weak, section(".data"))) = 0;
extern u8 el0_left[];

static void unexpected(struct frame *f, unsigned vector, unsigned el) {
    print_raw("unexpected exception at EL%u: vector 0x%x ESR 0x%lx (%s) ELR 0x%lx FAR 0x%lx SPSR 0x%lx\n", el,
              vector * 0x80, f->esr, exception_class_name(f->esr), f->elr, f->far, f->spsr);
    exit(127);
}

void exception_el1(struct frame *f, unsigned vector) {
    void (*handler)(struct frame *) = (vector & 3) == 1 ? on_irq : (vector & 3) == 2 ? on_fiq : 0;
#ifdef ONLY_EL1
    if ((vector & 3) == 3) {
        handler = on_serror;
    }
#endif
    if (handler) {
        handler(f);
    } else if ((vector & 3) == 0 && on_sync) {
        on_sync(f, vector);
    } else {
        unexpected(f, vector, 1);
    }
}

void exception_el2(struct frame *f, unsigned vector) {
    if (!handler_el2) {
        unexpected(f, vector, 2);
    }
    handler_el2(f, vector);
}

void exception_el3(struct frame *f, unsigned vector) {
    if (!handler_el3) {
        unexpected(f, vector, 3);
    }
    handler_el3(f, vector);
}

void leave_el0(struct frame *f, u64 result) {
    f->x[0] = result;
    f->elr = (u64)el0_left;
    f->spsr = (f->spsr & 0x3c0) | 5; /* EL1h */
}

const char *exception_class_name(u64 esr) {
    switch (exception_class(esr)) {
    case 0x00: return "Unknown reason";
    case 0x01: return "Trapped WFI or WFE";
    case 0x07: return "Access to SIMD or floating-point";
    case 0x0e: return "Illegal Execution state";
    case 0x15: return "SVC";
    case 0x16: return "HVC";
    case 0x17: return "SMC";
    case 0x18: return "Trapped MSR, MRS or System instruction";
    case 0x20: return "Instruction Abort from a lower level";
    case 0x21: return "Instruction Abort";
    case 0x22: return "PC alignment fault";
    case 0x24: return "Data Abort from a lower level";
    case 0x25: return "Data Abort";
    case 0x26: return "SP alignment fault";
    case 0x2f: return "SError";
    case 0x32: return "Software Step from a lower level";
    case 0x33: return "Software Step";
    case 0x3c: return "BRK";
    default: return "?";
    }
}
