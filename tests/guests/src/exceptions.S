/* The instructions that fault, for exceptions.c. x0 is the address to use. Those for EL0 end with SVC 0xffff. */
    .text
    .arch armv8-a+simd
    .macro cause name
    .global \name
    .balign 16
\name:
    .endm

    cause cause_undefined
    udf     #0
    ret
    cause cause_mrs_el3
    mrs     x2, scr_el3
    ret
    cause cause_brk
    brk     #0x1234
    ret
    cause cause_svc
    svc     #0x5678
    ret
    cause cause_load_fault
    ldr     x2, [x0]
    ret
    cause cause_store_fault
    str     w2, [x0]
    ret
    cause cause_byte_fault
    ldrsb   x3, [x0]
    ret
    cause cause_fetch_fault
    br      x0
    cause cause_pc_alignment
    add     x2, x0, #2
    br      x2
    cause cause_unaligned_exclusive
    add     x2, x0, #4
    ldxr    x3, [x2]
    clrex
    ret
    cause cause_unaligned_checked
    add     x2, x0, #3
    ldr     w3, [x2]
    ret
    cause cause_illegal_state
    mrs     x2, daif
    mov     x3, #0xd                    /* EL3h */
    orr     x2, x2, x3
    msr     spsr_el1, x2
    adr     x2, 1f
    msr     elr_el1, x2
    isb
    eret                                /* stays at EL1, sets PSTATE.IL */
1:  ret

    .macro leave
    svc     #0xffff
    .endm

    cause el0_svc
    svc     #0x9abc
    leave
    cause el0_undefined
    udf     #1
    leave
    cause el0_brk
    brk     #0
    leave
    cause el0_load_fault
    ldr     w2, [x0]
    leave
    cause el0_store_read_only
    str     x2, [x0]
    leave
    cause el0_permission
    ldrh    w2, [x0]
    leave
    cause el0_fetch_xn
    adr     x30, 1f
    br      x0
1:  leave
    cause el0_mrs
    mrs     x5, vbar_el1
    leave
    cause el0_dc_cvau
    dc      cvau, x0
    leave
    cause el0_mrs_ctr
    mrs     x7, ctr_el0
    leave
    cause el0_wfi
    wfi
    leave
    cause el0_simd
    ldr     q0, [x0]
    leave
