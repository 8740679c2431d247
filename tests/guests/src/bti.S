/* The branches and their targets, for bti.c: eight bytes for each branch, sixteen for each target. */
    .text
    .arch   armv8.5-a
    .global bti_try, sources, reached

/* x0 the target, x1 the branch. The result is 0, or what the handler says. Keys are not enabled: authentication changes nothing. */
bti_try:
    stp     x29, x30, [sp, #-16]!
    adr     x9, 1f
    mov     x2, x0
    mov     x16, x0
    mov     x17, x0
    mov     x3, x1
    mov     x0, #0
    ret     x3                          /* leaves BTYPE 0 */
1:  ldp     x29, x30, [sp], #16
    ret

    .balign 64
sources:
    br      x2
    nop
    br      x16
    nop
    br      x17
    nop
    blr     x2
    nop
    ret     x2
    nop
    braaz   x2
    nop
    braaz   x16
    nop
    blraaz  x2
    nop

    .macro target instruction:vararg
    .balign 16
    \instruction
    ret     x9
    .endm
    .balign 64
reached:
    target  nop
    target  bti
    target  bti c
    target  bti j
    target  bti jc
    target  paciasp
    target  pacibsp
    target  brk #0
