# A program of labels, expressions, directives and literal pools. expected.sh makes program.hex of it.
        .arch   armv8.2-a
        .global _start
        .type   _start, %function
        .equ    STACK_BYTES, 0x1000
        .set    twice, 2 * STACK_BYTES
three = 3

        .text
_start: mov     x0, #three              // a comment
        ldr     x1, =table              /* another
                                           over two lines */
        ldr     x2, =0x123456789abcdef0
        ldr     w3, =0xdeadbeef
        ldr     x4, =table              ; ldr x5, =table + 8
        ldr     w6, =0xdeadbeef
        ldr     x7, =STACK_BYTES
        ldrsw   x8, =-2
        ldr     d0, =0x3ff0000000000000
        ldr     s1, =0x3f800000
        ldr     x9, =.
        ldr     x10, =.
1:      subs    x0, x0, #1
        b.ne    1b
        cbz     x0, 1f
2:      b       2b
1:      bl      function
        b       2f
        .ltorg
2:      adrp    x0, table
        add     x0, x0, :lo12:table
        add     x0, x0, #:lo12:table
        ldr     x1, [x0, :lo12:table]
        ldrb    w2, [x0, #:lo12:bytes]
        adr     x3, bytes
        movz    x4, #:abs_g3:table
        movk    x4, #:abs_g2_nc:table
        movk    x4, #:abs_g1_nc:table
        movk    x4, #:abs_g0_nc:table
        mov     x5, #twice
        mov     x6, #(end - _start)
        mov     x7, #end - function
        ldr     x8, literal
        ldr     w9, literal + 4
        tbnz    x5, #40, function
        b.lo    function
.Lforever:
        b       .Lforever

        .align  4
function:
        stp     fp, lr, [sp, #-16]!
        ldp     fp, lr, [sp], 16
        ret
        .byte   1, 2, 0xff, -1, 'a', '\n', 'b'
        .p2align 3
literal:
        .quad   literal, . - literal, -1, 0xffffffffffffffff
        .xword  1 + 2 * 3
        .8byte  (1 + 2) * 3
        .word   1 | 6 & 3, 10 - 2 - 3, 7 / 2, -7 / 2, -7 % 3, 1 << 4 + 1, ~5, -three, 0x10 ^ 3 * 2
        .word   -1 >> 60, 2 + 3 | 4, 017, 0b101
        .long   function - _start
        .int    table - function
        .4byte  -1
        .hword  0x1234, -2
        .short  end - function
        .2byte  1
        .balign 8, 0xcc
        .ascii  "no end", "two"
        .asciz  "tab\there \"quoted\" \\ \101\x42\n"
        .string ""
        .align  3
table:  .quad   _start, function
        .fill   3, 2, 0x1234
        .fill   2
        .space  5, 0xaa
        .skip   3
        .zero   4
bytes:  .byte   . - bytes, . - bytes
        .set    counter, 1
        .byte   counter
        .set    counter, counter + 1
        .byte   counter
        .balign 4
        .inst   0xd503201f, 0xd65f03c0
        .org    0x240
after:  .word   after - _start
        .p2align 4, , 3
        .p2align 2, 0, 8
        nop
        ldr     x0, =after
end:
