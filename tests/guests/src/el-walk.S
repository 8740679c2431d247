/* The instructions that el-walk.c measures ELR against. */
    .text
    .global walk_svc, walk_hvc, walk_smc, walk_return, walk_at_el0, walk_el0_smc
    .balign 16
walk_svc:
    svc     #0x11
    ret
walk_hvc:
    hvc     #0x22
    ret
walk_smc:
    smc     #0x33
    ret

/* At EL0: x0 is the argument, x1 what is left of the stack below SP. Result: x0 | (how far SP moved) << 32. */
walk_return:
    mov     x9, sp
    str     x0, [sp, #-16]!
    mov     x10, sp
    sub     x9, x9, x10
    ldr     x0, [sp], #16
walk_at_el0:
    svc     #0x44
walk_el0_smc:
    mrs     x11, currentel              /* UNDEFINED at EL0 */
    orr     x0, x0, x9, lsl #32
    svc     #0xffff
