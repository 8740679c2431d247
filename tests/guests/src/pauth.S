/* The combined branches and returns, for pauth.c. */
    .text
    .arch   armv8.3-a
    .global branch_and_back, return_to, landed, after_fault

/* x0 pointer, x1 modifier, x2 which of BRAA, BRAB, BRAAZ, BRABZ, BLRAA, BLRAB, BLRAAZ, BLRABZ. The result is what was left in X30: 0, or 1
 * where it is the address after the branch. */
branch_and_back:
    stp     x29, x30, [sp, #-16]!
    mov     x30, #0
    adr     x3, 1f
    add     x3, x3, x2, lsl #3
    mov     x4, #0
    br      x3
1:  braa    x0, x1
    nop
    brab    x0, x1
    nop
    braaz   x0
    nop
    brabz   x0
    nop
    blraa   x0, x1
    nop
    blrab   x0, x1
    nop
    blraaz  x0
    nop
    blrabz  x0
    nop
landed:
    add     x3, x3, #4
    cmp     x30, x3
    cset    x0, eq
    b       2f
after_fault:
    mov     x0, #2
2:  ldp     x29, x30, [sp], #16
    ret

/* x1: RETAA, RETAB, ERETAA, ERETAB, with the stack pointer as the modifier. The result is 1. */
return_to:
    stp     x29, x30, [sp, #-16]!
    adr     x30, 4f
    tbnz    x1, #1, 2f
    tbnz    x1, #0, 1f
    paciasp
    retaa
1:  pacibsp
    retab
2:  mrs     x2, daif
    mov     x3, #5                      /* EL1h */
    orr     x2, x2, x3
    msr     spsr_el1, x2
    tbnz    x1, #0, 3f
    paciasp
    msr     elr_el1, x30
    isb
    eretaa
3:  pacibsp
    msr     elr_el1, x30
    isb
    eretab
4:  mov     x0, #1
    ldp     x29, x30, [sp], #16
    ret
