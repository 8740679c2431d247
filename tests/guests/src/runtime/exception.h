/* Exceptions: what the vector tables save, and who is told. */
#pragma once
#include "sysreg.h"

struct frame {
    u64 x[31];
    u64 sp_el0;
    u64 elr;
    u64 spsr;
    u64 esr;
    u64 far;
};
_Static_assert(sizeof(struct frame) == 288, "FRAME_BYTES of layout.h");

/* The guest's handlers at EL1; an exception without one ends the run with code 127. `on_sync` may change the frame. */
extern void (*on_sync)(struct frame *frame, unsigned vector);
extern void (*on_irq)(struct frame *frame);
extern void (*on_fiq)(struct frame *frame);
/* Of programs of virtual machines. */
extern void (*on_serror)(struct frame *frame);

/* Statically initialised by guests that stop at EL3 and EL2 on the way down, or that take exceptions there (core 0
   only). This code runs with its MMU off: it may read constants and its own stack, and must not share data with EL1. */
extern void (*hook_el3)(void);
extern void (*hook_el2)(void);
extern void (*handler_el3)(struct frame *frame, unsigned vector);
extern void (*handler_el2)(struct frame *frame, unsigned vector);

static inline unsigned exception_class(u64 esr) {
    return (unsigned)(esr >> 26) & 0x3f;
}
const char *exception_class_name(u64 esr);

/* Runs position-independent code at EL0 through the EL0 windows of the address space, on a stack of its own. */
u64 call_el0(u64 text, u64 stack, u64 argument);
/* Makes the exception return of `frame`, which came from EL0, end call_el0() with `result`. */
void leave_el0(struct frame *frame, u64 result);
static inline u64 el0_text(const void *p) {
    return (u64)p + 0xc0000000;
}
static inline u64 el0_data(const void *p) {
    return (u64)p + 0x100000000;
}
