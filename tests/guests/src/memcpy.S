/* The copy loops of memcpy.c. x0 to, x1 from, x2 bytes. */
    .text
    .arch armv8-a+simd
    .global copy_pairs, copy_words, copy_vectors, copy_bytes

copy_pairs:
    ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x1, #32]
    ldp     x10, x11, [x1, #48]
    add     x1, x1, #64
    stp     x4, x5, [x0]
    stp     x6, x7, [x0, #16]
    stp     x8, x9, [x0, #32]
    stp     x10, x11, [x0, #48]
    add     x0, x0, #64
    subs    x2, x2, #64
    b.ne    copy_pairs
    ret

copy_words:
    ldr     x4, [x1], #8
    str     x4, [x0], #8
    subs    x2, x2, #8
    b.ne    copy_words
    ret

copy_vectors:
    ldp     q0, q1, [x1], #32
    ldp     q2, q3, [x1], #32
    stp     q0, q1, [x0], #32
    stp     q2, q3, [x0], #32
    subs    x2, x2, #64
    b.ne    copy_vectors
    ret

copy_bytes:
    sub     x2, x2, #1
    ldrb    w4, [x1, x2]
    strb    w4, [x0, x2]
    cbnz    x2, copy_bytes
    ret
