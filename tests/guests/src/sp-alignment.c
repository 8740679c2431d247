/* SP alignment faults (SCTLR_EL1.SA and SA0), at EL1 with SP_EL0 and at EL0. QEMU 7.2 does not check the alignment of SP, so
 * this guest is not for QEMU; what it must print is in the README. */
#include "guest.h"

void misaligned_at_el1(void), misaligned_at_el0(void);

static u8 el0_stack[1024] __attribute__((aligned(16)));
static u32 taken;

static void report(struct frame *f, unsigned vector) {
    if (exception_class(f->esr) == 0x15) {
        leave_el0(f, 0);
        return;
    }
    taken++;
    print("vector 0x%03x: EC 0x%02x (%s) IL %u ISS 0x%x\n", vector * 0x80, exception_class(f->esr), exception_class_name(f->esr),
          (u32)(f->esr >> 25) & 1, (u32)f->esr & 0x1ffffff);
    f->elr += 4;
}

static void both(void) {
    misaligned_at_el1();
    call_el0(el0_text((void *)misaligned_at_el0), el0_data(el0_stack + 512), 0);
}

int guest(void) {
    print("sp-alignment\n");
    on_sync = report;
    both();
    print("%u faults with SA and SA0 set\n", taken);
    taken = 0;
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(1ull << 3 | 1ull << 4));
    isb();
    both();
    print("%u faults with SA and SA0 clear\n", taken);
    return 0;
}
