/* u64 guarded_call(f, a, b): calls f(a, b). An exception handler may return to guarded_back instead of the faulting
 * instruction: the stack is the one of the call, and the registers that a function preserves are on it. */
    .text
    .global guarded_call, guarded_back
guarded_call:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    adrp    x9, guarded_sp
    mov     x10, sp
    str     x10, [x9, #:lo12:guarded_sp]
    mov     x9, x0
    mov     x0, x1
    mov     x1, x2
    blr     x9
guarded_back:
    msr     spsel, #1
    adrp    x9, guarded_sp
    ldr     x10, [x9, #:lo12:guarded_sp]
    mov     sp, x10
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
    .bss
    .balign 8
guarded_sp: .space 8
