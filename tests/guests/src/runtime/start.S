/* From the entry point down to C at EL1 with the MMU and the caches on.
 *
 * Entered at EL1 (PSCI by HVC), at EL2 (PSCI by SMC), or at EL3: then there is no PSCI, every core arrives here at
 * once, and all but the first wait in a pen until start_core() lets them go. Relied on: the boot core has affinity 0.
 * Not relied on: x0 and every other register, the state of .bss, which of EL2 and EL3 exist.
 *
 * x20 core index (Aff1 * 16 + Aff0, as the board numbers them), x21 the exception level of entry, x22 1 = must wait.
 */
#include "layout.h"

    .section .text.start, "ax"
    .global _start, secondary_start

_start:
    msr     daifset, #0xf
    mrs     x0, mpidr_el1
    ubfx    x1, x0, #8, #8
    and     x0, x0, #0xff
    add     x20, x0, x1, lsl #4
    cmp     x20, #0
    cset    x22, ne
    b       1f

/* PSCI CPU_ON: x0 is the context that the caller gave, the index of this core. */
secondary_start:
    msr     daifset, #0xf
    mov     x20, x0
    mov     x22, #0
1:  mrs     x21, currentel
    lsr     x21, x21, #2
    cmp     x21, #2
    b.eq    at_el2
    b.lo    at_el1

at_el3:
    ldr     x0, =vectors_el3
    msr     vbar_el3, x0
    ldr     x0, =el3_stacks + EL3_STACK_BYTES
    mov     x1, #EL3_STACK_BYTES
    madd    x0, x20, x1, x0
    mov     sp, x0
    ldr     x0, =SCTLR_HIGHER_VALUE
    msr     sctlr_el3, x0
    msr     cptr_el3, xzr
    msr     mdcr_el3, xzr
    mov     x0, #0x535                  /* SCR_EL3: RW, HCE, RES1, FIQ, NS: all below is Non-secure AArch64 */
    msr     scr_el3, x0
    mov     x0, #0xf
    msr     s3_6_c12_c12_5, x0          /* ICC_SRE_EL3: system registers, usable below */
    isb
    msr     s3_6_c12_c12_4, xzr         /* ICC_CTLR_EL3 */
    mov     x0, #0xff
    msr     s3_0_c4_c6_0, x0            /* ICC_PMR_EL1, Secure view: Non-secure writes need it above 0x80 */
    isb

    /* Wake this core's redistributor and give all its SGIs and PPIs to Non-secure Group 1. */
    mov     x1, #GICR_STRIDE
    ldr     x0, =GICR_BASE
    madd    x0, x20, x1, x0
    ldr     w1, [x0, #0x14]             /* GICR_WAKER */
    bic     w1, w1, #2                  /* ProcessorSleep */
    str     w1, [x0, #0x14]
2:  ldr     w1, [x0, #0x14]
    tbnz    w1, #2, 2b                  /* ChildrenAsleep */
    add     x0, x0, #0x10000
    mov     w1, #-1
    str     w1, [x0, #0x80]             /* GICR_IGROUPR0 */
    str     wzr, [x0, #0xd00]           /* GICR_IGRPMODR0 */

    /* The boot core does the same for the SPIs. */
    cbnz    x20, 5f
    ldr     x0, =GICD_BASE
    mov     w2, #0x30                   /* ARE_S, ARE_NS before anything else */
    str     w2, [x0]
3:  ldr     w2, [x0]
    tbnz    w2, #31, 3b                 /* RWP */
    ldr     w2, [x0, #4]
    and     w2, w2, #31                 /* GICD_TYPER.ITLinesNumber */
    add     x3, x0, #0x80
4:  cbz     w2, 6f
    str     w1, [x3, #4]!               /* GICD_IGROUPR<1...> */
    sub     w2, w2, #1
    b       4b
6:  mov     w2, #0x37
    str     w2, [x0]
    adrp    x0, hook_el3
    ldr     x0, [x0, :lo12:hook_el3]
    cbz     x0, 5f
    blr     x0
5:  dsb     sy

    mrs     x0, id_aa64pfr0_el1
    tst     x0, #0xf00                  /* is there an EL2? */
    mov     x1, #0x3c9                  /* EL2h, DAIF masked */
    mov     x2, #0x3c5                  /* EL1h */
    csel    x1, x1, x2, ne
    ldr     x2, =at_el2
    ldr     x3, =at_el1
    csel    x2, x2, x3, ne
    msr     spsr_el3, x1
    msr     elr_el3, x2
    eret

at_el2:
    mov     x0, #1
    lsl     x0, x0, #31                 /* HCR_EL2: RW, nothing routed or trapped, no stage 2 */
    msr     hcr_el2, x0
    isb
    ldr     x0, =vectors_el2
    msr     vbar_el2, x0
    ldr     x0, =el2_stacks + EL2_STACK_BYTES
    mov     x1, #EL2_STACK_BYTES
    madd    x0, x20, x1, x0
    mov     sp, x0
    ldr     x0, =SCTLR_HIGHER_VALUE
    msr     sctlr_el2, x0
    mov     x0, #0x33ff                 /* CPTR_EL2: RES1, no trap of FP and SIMD */
    msr     cptr_el2, x0
    msr     hstr_el2, xzr
    mrs     x0, mdcr_el2
    and     x0, x0, #0x1f               /* keep HPMN; no debug exception or register access goes to EL2 */
    msr     mdcr_el2, x0
    mov     x0, #3                      /* CNTHCTL_EL2: EL1PCTEN, EL1PCEN */
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    msr     vttbr_el2, xzr
    mov     x0, #0xf
    msr     s3_4_c12_c9_5, x0           /* ICC_SRE_EL2: system registers, usable at EL1 */
    isb
    msr     s3_4_c12_c11_0, xzr         /* ICH_HCR_EL2: no virtual CPU interface */
    cbnz    x20, 7f
    adrp    x0, hook_el2
    ldr     x0, [x0, :lo12:hook_el2]
    cbz     x0, 7f
    blr     x0
7:  mov     x0, #0x3c5
    msr     spsr_el2, x0
    ldr     x0, =at_el1
    msr     elr_el2, x0
    isb
    eret

at_el1:
    ldr     x0, =SCTLR_RES1
    msr     sctlr_el1, x0
    isb
    msr     spsel, #1
    ldr     x0, =vectors_el1
    msr     vbar_el1, x0
    mov     x0, #0x300000               /* CPACR_EL1.FPEN: EL0 and EL1 may use SIMD&FP registers */
    msr     cpacr_el1, x0
    msr     mdscr_el1, xzr
    msr     contextidr_el1, xzr
    msr     cntkctl_el1, xzr
    ldr     x0, =MAIR_VALUE
    msr     mair_el1, x0
    ldr     x0, =TCR_VALUE
    msr     tcr_el1, x0
    ldr     x0, =level1
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    ldr     x0, =SCTLR_VALUE
    msr     sctlr_el1, x0
    isb
    ldr     x0, =el1_stacks + EL1_STACK_BYTES
    mov     x1, #EL1_STACK_BYTES
    madd    x0, x20, x1, x0
    mov     sp, x0
    cbnz    x20, 9f

    ldr     x0, =bss_start
    ldr     x1, =bss_end
8:  cmp     x0, x1
    b.hs    10f
    stp     xzr, xzr, [x0], #16
    b       8b
10: mov     x0, x21
    bl      core0_main
    b       .

9:  cbz     x22, 12f
    ldr     x0, =pen
    add     x0, x0, x20
11: ldarb   w1, [x0]
    cbnz    w1, 12f
    wfe
    b       11b
12: mov     x0, x20
    mov     x1, x21
    bl      core_main
    b       .
    .ltorg

/* The level 1 table: 512 entries of 1 GiB. It is data of the image, so nothing writes it before the MMU is on. */
    .section .data.tables, "aw"
    .balign 4096
    .global level1
level1:
    .quad   PTE_BLOCK | PTE_DEVICE | PTE_AF | PTE_PXN | PTE_UXN
    .quad   0x40000000 | PTE_BLOCK | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN
    .quad   0, 0
    .quad   0x40000000 | PTE_BLOCK | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_PXN | PTE_EL0 | PTE_RO
    .quad   0x40000000 | PTE_BLOCK | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_PXN | PTE_UXN | PTE_EL0
    .fill   250, 8, 0
    .quad   GICR_BASE_HIGH | PTE_BLOCK | PTE_DEVICE | PTE_AF | PTE_PXN | PTE_UXN
    .fill   255, 8, 0

/* One byte per core; not in .bss, which is cleared while the cores already look at it. */
    .global pen
pen:
    .fill   MAX_CORES, 1, 0

    .section .noinit, "aw", %nobits
    .balign 4096
    .global el1_stacks
el1_stacks: .space MAX_CORES * EL1_STACK_BYTES
el2_stacks: .space MAX_CORES * EL2_STACK_BYTES
el3_stacks: .space MAX_CORES * EL3_STACK_BYTES
