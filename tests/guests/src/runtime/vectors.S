/* The vector tables of EL1, EL2 and EL3: save a struct frame, call exception_el<n>(frame, vector), restore, ERET.
 * `vector` is the number of the entry, offset / 0x80: group (SP0, SPx, lower AArch64, lower AArch32) * 4 + kind
 * (Synchronous, IRQ, FIQ, SError). */
#include "layout.h"

    .macro entry el, vector
    .balign 128
    sub     sp, sp, #FRAME_BYTES
    stp     x0, x1, [sp, #0]
    mov     x1, #\vector
    b       save_\el
    .endm

    .macro table el
    .section .text.vectors, "ax"
    .balign 2048
    .global vectors_\el
vectors_\el:
    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    entry \el, \vector
    .endr

    .text
save_\el:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x2, sp_el0
    stp     x30, x2, [sp, #240]
    mrs     x2, elr_\el
    mrs     x3, spsr_\el
    stp     x2, x3, [sp, #256]
    mrs     x2, esr_\el
    mrs     x3, far_\el
    stp     x2, x3, [sp, #272]
    mov     x0, sp
    bl      exception_\el
    ldp     x2, x3, [sp, #256]
    msr     elr_\el, x2
    msr     spsr_\el, x3
    ldp     x30, x2, [sp, #240]
    msr     sp_el0, x2
    ldp     x28, x29, [sp, #224]
    ldp     x26, x27, [sp, #208]
    ldp     x24, x25, [sp, #192]
    ldp     x22, x23, [sp, #176]
    ldp     x20, x21, [sp, #160]
    ldp     x18, x19, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    add     sp, sp, #FRAME_BYTES
    eret
    .endm

    table el1
#ifndef ONLY_EL1
    table el2
    table el3
#endif

/* u64 call_el0(text, stack, argument): runs `text` at EL0 until leave_el0() changes the frame of an exception that it
 * takes; SP_EL1 is then what it was here. */
    .text
    .global call_el0, el0_left
call_el0:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mrs     x3, daif
    msr     daifset, #0xf
    msr     spsr_el1, x3                /* EL0t, interrupts masked as here */
    msr     elr_el1, x0
    msr     sp_el0, x1
    mov     x0, x2
    eret
el0_left:
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
