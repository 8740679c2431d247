/* One load, store or fetch each, for stage2.c: x0 is the address, and the answer where there is one. The name of an
 * instruction is beside it, in the table stage2_accesses. */
    .text
    .arch armv8.2-a+simd+lse+rcpc

    .macro access text:vararg
    .section .rodata.accesses, "a"
    .balign 8
    .quad   1f, 2f
    .section .rodata.names, "a"
2:  .asciz  "\text"
    .text
    .balign 4
1:  \text
    ret
    .endm

    .section .rodata.accesses, "a"
    .balign 8
    .global stage2_accesses
stage2_accesses:
    access ldrb w1, [x0]
    access ldrb w2, [x0, #1]
    access ldrh w3, [x0]
    access ldr w4, [x0]
    access ldr x5, [x0]
    access ldrsb w6, [x0]
    access ldrsb x7, [x0]
    access ldrsh w8, [x0]
    access ldrsh x9, [x0]
    access ldrsw x10, [x0]
    access ldr xzr, [x0]
    access strb w1, [x0]
    access strh w2, [x0]
    access str w3, [x0]
    access str x4, [x0]
    access str wzr, [x0]
    access ldur x5, [x0, #1]
    access stur w6, [x0, #2]
    access ldursh w6, [x0, #2]
    access ldr x7, [x0, xzr]
    access strb w8, [x0, wzr, uxtw]
    access ldrsw x9, [x0, xzr, lsl #2]
    access ldtr x10, [x0]
    access sttrb w11, [x0]
    access ldtrsb w12, [x0]
    access ldar x13, [x0]
    access ldarb w14, [x0]
    access stlr w15, [x0]
    access stlrh w16, [x0]
    access ldapr x17, [x0]
    access ldaprb w1, [x0]
    access .inst 0xd9400002 // ldapur x2, [x0]
    access .inst 0x19800003 // ldapursb x3, [x0]
    access .inst 0x99000004 // stlur w4, [x0]
    access .inst 0xc8df7c05 // ldlar x5, [x0]
    access .inst 0x889f7c06 // stllr w6, [x0]
    access ldr x1, [x0], #8
    access ldr x1, [x0, #8]!
    access str x1, [x0], #8
    access ldp x1, x2, [x0]
    access stp w1, w2, [x0]
    access ldnp x1, x2, [x0]
    access ldxr x1, [x0]
    access ldaxrb w1, [x0]
    access ldadd x1, x2, [x0]
    access swp w1, w2, [x0]
    access cas x1, x2, [x0]
    access ldr d0, [x0]
    access str q1, [x0]
    access dc zva, x0
    .section .rodata.accesses, "a"
    .quad   0, 0

    .text
    .global stage2_load, stage2_store, stage2_add, stage2_call, stage2_at, stage2_el0_exit, stage2_el0_load
/* x0 is kept where the load faults and is skipped. */
stage2_load:
    mov     x1, x0
    mov     x0, #-1
    ldr     x0, [x1]
    ret
stage2_store:
    str     x1, [x0]
    ret
stage2_add:
    ldadd   x1, x0, [x0]
    ret
stage2_call:
    br      x0
stage2_at:
    at      s1e1r, x0
    ret

/* At EL0, position-independent. */
stage2_el0_load:
    mov     x1, x0
    mov     x0, #-1
    ldr     x0, [x1]
stage2_el0_exit:
    svc     #0xffff
