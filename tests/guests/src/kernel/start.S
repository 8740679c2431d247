/* From the entry point to C at EL1: position-independent, MMU off.
 *
 * X0 is the physical address of the device tree (or what the loader gives instead); the kernel may be entered at EL1 or
 * EL2, and leaves EL2 with a stub that answers every HVC with -1. Not for EL3: a board with EL3 has PSCI firmware there.
 * The first 64 bytes are the header of the arm64 Image (Linux, Documentation/arch/arm64/booting.rst).
 */
#include "layout.h"
#include "kernel-layout.h"

    .section .text.head, "ax"
    .global _start, secondary_start

_start:
    b       primary
    .word   0
    .quad   0                           /* text_offset */
    /* image_size, with .bss and .noinit: put here by kernel.ld */
    .section .text.start, "ax"
    .quad   0xa                         /* flags: little-endian, 4 KiB pages, anywhere in RAM */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

primary:
    msr     daifset, #0xf
    mov     x19, x0
    adr     x1, .Lprimary_el1
    b       down_to_el1
.Lprimary_el1:
    mov     x21, x0
    adrp    x0, core_stacks + KERNEL_STACK_BYTES
    mov     sp, x0

    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, bss_end
    add     x1, x1, :lo12:bss_end
1:  cmp     x0, x1
    b.hs    2f
    stp     xzr, xzr, [x0], #16
    b       1b

    /* Pointers in data: where we are minus where we were linked is added to each (R_AARCH64_RELATIVE is the only kind). */
2:  adrp    x2, image_start
    ldr     x3, .Llinked_at
    sub     x20, x2, x3
    adrp    x0, rela_start
    add     x0, x0, :lo12:rela_start
    adrp    x1, rela_end
    add     x1, x1, :lo12:rela_end
3:  cmp     x0, x1
    b.hs    4f
    ldp     x4, x5, [x0]                /* r_offset, r_info */
    ldr     x6, [x0, #16]               /* r_addend */
    add     x0, x0, #24
    add     x6, x6, x20
    str     x6, [x4, x20]
    b       3b
4:  dsb     sy
    mov     x0, x19
    mov     x1, x21
    bl      kernel_start
    b       .
    .balign 8
.Llinked_at:
    .quad   0x40200000

/* PSCI CPU_ON: X0 is the context that the caller gave, the index of this core. Nothing that core 0 wrote with its caches
   on is read before the MMU is on here too. */
secondary_start:
    msr     daifset, #0xf
    mov     x19, x0
    adr     x1, .Lsecondary_el1
    b       down_to_el1
.Lsecondary_el1:
    mov     x1, #KERNEL_STACK_BYTES
    adrp    x0, core_stacks + KERNEL_STACK_BYTES
    madd    x0, x19, x1, x0
    mov     sp, x0
    mov     x0, x19
    bl      kernel_start_secondary
    b       .

/* Goes on at X1, at EL1, with the level of entry in X0. */
down_to_el1:
    mrs     x0, currentel
    lsr     x0, x0, #2
    cmp     x0, #2
    b.eq    1f
    ldr     x2, =SCTLR_RES1
    msr     sctlr_el1, x2
    isb
    msr     spsel, #1
    br      x1
1:  mov     x2, #1
    lsl     x2, x2, #31                 /* HCR_EL2: RW, nothing routed or trapped, no stage 2 */
    msr     hcr_el2, x2
    isb
    adr     x2, vectors_stub
    msr     vbar_el2, x2
    ldr     x2, =SCTLR_HIGHER_VALUE
    msr     sctlr_el2, x2
    mov     x2, #0x33ff                 /* CPTR_EL2: RES1, no trap of FP and SIMD */
    msr     cptr_el2, x2
    msr     hstr_el2, xzr
    mrs     x2, mdcr_el2
    and     x2, x2, #0x1f               /* keep HPMN */
    msr     mdcr_el2, x2
    mov     x2, #3                      /* CNTHCTL_EL2: EL1PCTEN, EL1PCEN */
    msr     cnthctl_el2, x2
    msr     cntvoff_el2, xzr
    mrs     x2, midr_el1
    msr     vpidr_el2, x2
    mrs     x2, mpidr_el1
    msr     vmpidr_el2, x2
    msr     vttbr_el2, xzr
    mrs     x2, id_aa64pfr0_el1
    ubfx    x2, x2, #24, #4
    cbz     x2, 2f                      /* no GIC system registers: a GICv2 */
    mov     x2, #0xf
    msr     s3_4_c12_c9_5, x2           /* ICC_SRE_EL2: system registers, usable at EL1 */
    isb
    msr     s3_4_c12_c11_0, xzr         /* ICH_HCR_EL2 */
2:  ldr     x2, =SCTLR_RES1
    msr     sctlr_el1, x2
    mov     x2, #0x3c5                  /* EL1h, DAIF masked */
    msr     spsr_el2, x2
    msr     elr_el2, x1
    isb
    eret
    .ltorg

/* EL2 after we have left it: an HVC, and whatever else traps by reset values that we do not know, returns with -1 in X0. */
    .section .text.vectors, "ax"
    .balign 2048
vectors_stub:
    .rept   16
    .balign 128
    mrs     x0, esr_el2
    ubfx    x0, x0, #26, #6
    cmp     x0, #0x16                   /* HVC: ELR_EL2 is already behind it */
    b.eq    1f
    mrs     x0, elr_el2
    add     x0, x0, #4
    msr     elr_el2, x0
1:  mov     x0, #-1
    eret
    .endr

    .section .noinit, "aw", %nobits
    .balign 4096
    .global core_stacks
core_stacks: .space KERNEL_CORES * KERNEL_STACK_BYTES
