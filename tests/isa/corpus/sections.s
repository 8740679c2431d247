// Sections: .text first, then the others in the order of their first mention, each at a multiple of 16.
        .data
value:  .quad   code, 0x1122334455667788
        .text
code:   adr     x0, value
        ldr     x1, =text_of
        ldr     x2, [x0]
        b       more
        .section .rodata
text_of: .asciz "hello"
        .text
more:   adrp    x3, text_of
        add     x3, x3, :lo12:text_of
        ldr     w4, =0x12345678
        ret
        .pushsection .data
        .byte   1
        .popsection
        nop
        .data
        .byte   2
        .balign 4
        .word   text_of - value
        .previous
        nop
        .section .rodata, "a", %progbits
        .byte   3
