/* As no-vectors, with the MMU off: both addresses are physical, and nothing is there. QEMU never ends
 * this run either. */
#include "guest.h"

int guest(void) {
    print("no-vectors-mmu-off: on the way to 0x1fff000000\n");
    /* Everything from here is registers: the caches hold what the console wrote. */
    asm volatile("msr vbar_el1, %1\n"
                 "mrs x2, sctlr_el1\n"
                 "bic x2, x2, #1\n"
                 "msr sctlr_el1, x2\n"
                 "isb\n"
                 "br %0"
                 :
                 : "r"(0x1fff000000), "r"(0x1ffe000000)
                 : "x2", "memory");
    return 0;
}
