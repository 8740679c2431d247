/* Loads with SP 8 bytes off, for sp-alignment.c. */
    .text
    .global misaligned_at_el1, misaligned_at_el0
misaligned_at_el1:
    mrs     x3, sp_el0
    adrp    x2, el1_stacks              /* any readable memory */
    add     x2, x2, #8
    msr     spsel, #0
    mov     sp, x2
    ldr     x4, [sp, #8]
    str     xzr, [sp]
    msr     spsel, #1
    msr     sp_el0, x3
    ret
misaligned_at_el0:
    mov     x2, sp
    sub     x3, x2, #24
    mov     sp, x3
    ldr     x4, [sp, #8]
    stp     x4, x4, [sp, #-16]
    ldur    w4, [sp, #-3]
    mov     sp, x2
    svc     #0xffff
