/* Code that a guest makes at run time: instructions, and the sequence after which they are executed (Arm ARM, "Synchronization and
 * coherency issues between data and instruction accesses"): store, DC CVAU, DSB, IC IVAU, DSB, ISB. */
#pragma once
#include "sysreg.h"

#define RET 0xd65f03c0u
#define NOP 0xd503201fu
#define MOVZ_W0(imm) (0x52800000u | (imm) << 5)

/* Makes the instructions at `start` visible to instruction fetch on all cores. */
static void synchronize(const void *start, u64 bytes) {
    u64 data_line = 4ull << (READ(ctr_el0) >> 16 & 15);
    u64 instruction_line = 4ull << (READ(ctr_el0) & 15);
    u64 from = (u64)start, end = from + bytes;
    dsb(ish); /* the stores may have gone through another address of the same memory */
    for (u64 p = from & ~(data_line - 1); p < end; p += data_line) {
        asm volatile("dc cvau, %0" : : "r"(p) : "memory");
    }
    dsb(ish);
    for (u64 p = from & ~(instruction_line - 1); p < end; p += instruction_line) {
        asm volatile("ic ivau, %0" : : "r"(p) : "memory");
    }
    dsb(ish);
    isb();
}

static u32 run(const u32 *at) {
    register u32 w0 asm("w0") = 0xdead;
    asm volatile("blr %1" : "+r"(w0) : "r"(at) : "x1", "x30", "memory");
    return w0;
}
