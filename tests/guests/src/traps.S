/* The accesses that traps.c makes at EL1 and EL0, and how it makes them: run() goes down, every exception comes back. */
#include "layout.h"

    .arch armv8.5-a+simd
    .equ    AT_EL1, 1
    .equ    AT_EL0, 2
    .equ    BY_ADDRESS, 4               /* x3 is an address */
    .equ    WRITES, 8                   /* x3 is what the access before this one has read */

/* An entry of struct access: name, code for EL1 (and EL2), code for EL0, flags. Completion is HVC #1 or SVC #1. */
    .macro access name, flags, insn:vararg
    .pushsection .rodata.names, "a"
9:  .asciz  "\name"
    .popsection
    .pushsection .text.accesses, "ax"
    .balign 8
8:  \insn
    hvc     #1
7:  \insn
    svc     #1
    .popsection
    .quad   9b, 8b, 7b, \flags
    .endm

    .macro rw name, flags, encoding
    access  "MRS \name", \flags, mrs x3, \encoding
    access  "MSR \name", \flags + WRITES, msr \encoding, x3
    .endm
    .macro ro name, flags, encoding
    access  "MRS \name", \flags, mrs x3, \encoding
    .endm
    .macro wo name, flags, encoding
    access  "MSR \name", \flags, msr \encoding, xzr
    .endm

    .section .rodata.accesses, "a"
    .balign 8
    .global accesses, accesses_end
accesses:
    ro MIDR_EL1, AT_EL1, midr_el1
    ro MPIDR_EL1, AT_EL1, mpidr_el1
    ro REVIDR_EL1, AT_EL1, revidr_el1
    ro AIDR_EL1, AT_EL1, aidr_el1
    ro ID_PFR0_EL1, AT_EL1, id_pfr0_el1
    ro ID_ISAR5_EL1, AT_EL1, id_isar5_el1
    ro MVFR2_EL1, AT_EL1, mvfr2_el1
    ro ID_AA64PFR0_EL1, AT_EL1, id_aa64pfr0_el1
    ro ID_AA64DFR0_EL1, AT_EL1, id_aa64dfr0_el1
    ro ID_AA64ISAR1_EL1, AT_EL1, id_aa64isar1_el1
    ro ID_AA64MMFR2_EL1, AT_EL1, id_aa64mmfr2_el1
    ro "a reserved ID register", AT_EL1, s3_0_c0_c7_7
    ro CCSIDR_EL1, AT_EL1, ccsidr_el1
    ro CLIDR_EL1, AT_EL1, clidr_el1
    rw CSSELR_EL1, AT_EL1, csselr_el1
    ro CTR_EL0, AT_EL1 + AT_EL0, ctr_el0
    ro DCZID_EL0, AT_EL1 + AT_EL0, dczid_el0
    rw SCTLR_EL1, AT_EL1, sctlr_el1
    rw ACTLR_EL1, AT_EL1, actlr_el1
    rw CPACR_EL1, AT_EL1, cpacr_el1
    rw TTBR0_EL1, AT_EL1, ttbr0_el1
    rw TTBR1_EL1, AT_EL1, ttbr1_el1
    rw TCR_EL1, AT_EL1, tcr_el1
    rw ESR_EL1, AT_EL1, esr_el1
    rw FAR_EL1, AT_EL1, far_el1
    rw AFSR0_EL1, AT_EL1, afsr0_el1
    rw AFSR1_EL1, AT_EL1, afsr1_el1
    rw MAIR_EL1, AT_EL1, mair_el1
    rw AMAIR_EL1, AT_EL1, amair_el1
    rw CONTEXTIDR_EL1, AT_EL1, contextidr_el1
    rw VBAR_EL1, AT_EL1, vbar_el1
    rw ELR_EL1, AT_EL1, elr_el1
    rw SPSR_EL1, AT_EL1, spsr_el1
    rw PAR_EL1, AT_EL1, par_el1
    rw TPIDR_EL1, AT_EL1, tpidr_el1
    rw TPIDR_EL0, AT_EL1 + AT_EL0, tpidr_el0
    rw TPIDRRO_EL0, AT_EL1 + AT_EL0, tpidrro_el0
    ro ISR_EL1, AT_EL1, isr_el1
    rw LORSA_EL1, AT_EL1, s3_0_c10_c4_0
    rw LOREA_EL1, AT_EL1, s3_0_c10_c4_1
    rw LORN_EL1, AT_EL1, s3_0_c10_c4_2
    rw LORC_EL1, AT_EL1, s3_0_c10_c4_3
    ro LORID_EL1, AT_EL1, s3_0_c10_c4_7
    access "DC IVAC", AT_EL1 + BY_ADDRESS, dc ivac, x3
    access "DC ISW", AT_EL1, dc isw, xzr
    access "DC CSW", AT_EL1, dc csw, xzr
    access "DC CISW", AT_EL1, dc cisw, xzr
    access "DC CVAC", AT_EL1 + AT_EL0 + BY_ADDRESS, dc cvac, x3
    access "DC CVAU", AT_EL1 + AT_EL0 + BY_ADDRESS, dc cvau, x3
    access "DC CVAP", AT_EL1 + AT_EL0 + BY_ADDRESS, dc cvap, x3
    access "DC CIVAC", AT_EL1 + AT_EL0 + BY_ADDRESS, dc civac, x3
    access "IC IALLUIS", AT_EL1, ic ialluis
    access "IC IALLU", AT_EL1, ic iallu
    access "IC IVAU", AT_EL1 + AT_EL0 + BY_ADDRESS, ic ivau, x3
    access "TLBI VMALLE1", AT_EL1, tlbi vmalle1
    access "TLBI VAE1", AT_EL1, tlbi vae1, xzr
    access "TLBI ASIDE1", AT_EL1, tlbi aside1, xzr
    access "TLBI VAAE1", AT_EL1, tlbi vaae1, xzr
    access "TLBI VALE1", AT_EL1, tlbi vale1, xzr
    access "TLBI VAALE1", AT_EL1, tlbi vaale1, xzr
    access "TLBI VMALLE1IS", AT_EL1, tlbi vmalle1is
    access "TLBI VAE1IS", AT_EL1, tlbi vae1is, xzr
    access "TLBI ASIDE1IS", AT_EL1, tlbi aside1is, xzr
    access "AT S1E1R", AT_EL1 + BY_ADDRESS, at s1e1r, x3
    wo ICC_SGI1R_EL1, AT_EL1, s3_0_c12_c11_5
    wo ICC_ASGI1R_EL1, AT_EL1, s3_0_c12_c11_6
    wo ICC_SGI0R_EL1, AT_EL1, s3_0_c12_c11_7
    ro ICC_PMR_EL1, AT_EL1, s3_0_c4_c6_0
    ro ICC_BPR1_EL1, AT_EL1, s3_0_c12_c12_3
    ro ICC_IGRPEN1_EL1, AT_EL1, s3_0_c12_c12_7
    rw PMCR_EL0, AT_EL1 + AT_EL0, pmcr_el0
    rw PMCNTENSET_EL0, AT_EL1 + AT_EL0, pmcntenset_el0
    rw PMCNTENCLR_EL0, AT_EL1 + AT_EL0, pmcntenclr_el0
    rw PMOVSCLR_EL0, AT_EL1 + AT_EL0, pmovsclr_el0
    wo PMSWINC_EL0, AT_EL1 + AT_EL0, pmswinc_el0
    rw PMSELR_EL0, AT_EL1 + AT_EL0, pmselr_el0
    ro PMCEID0_EL0, AT_EL1 + AT_EL0, pmceid0_el0
    ro PMCEID1_EL0, AT_EL1 + AT_EL0, pmceid1_el0
    rw PMCCNTR_EL0, AT_EL1 + AT_EL0, pmccntr_el0
    rw PMXEVTYPER_EL0, AT_EL1 + AT_EL0, pmxevtyper_el0
    rw PMUSERENR_EL0, AT_EL1 + AT_EL0, pmuserenr_el0
    rw PMINTENSET_EL1, AT_EL1, pmintenset_el1
    rw PMINTENCLR_EL1, AT_EL1, pmintenclr_el1
    rw PMOVSSET_EL0, AT_EL1 + AT_EL0, pmovsset_el0
    rw PMCCFILTR_EL0, AT_EL1 + AT_EL0, pmccfiltr_el0
    rw MDSCR_EL1, AT_EL1, mdscr_el1
    rw MDCCINT_EL1, AT_EL1, mdccint_el1
    rw DBGBVR0_EL1, AT_EL1, dbgbvr0_el1
    rw DBGBCR0_EL1, AT_EL1, dbgbcr0_el1
    rw DBGWVR1_EL1, AT_EL1, dbgwvr1_el1
    rw DBGWCR1_EL1, AT_EL1, dbgwcr1_el1
    ro MDRAR_EL1, AT_EL1, mdrar_el1
    wo OSLAR_EL1, AT_EL1, oslar_el1
    ro OSLSR_EL1, AT_EL1, oslsr_el1
    rw OSDLR_EL1, AT_EL1, osdlr_el1
    ro MDCCSR_EL0, AT_EL1 + AT_EL0, mdccsr_el0
    ro CNTFRQ_EL0, AT_EL1 + AT_EL0, cntfrq_el0
    ro CNTPCT_EL0, AT_EL1 + AT_EL0, cntpct_el0
    ro CNTVCT_EL0, AT_EL1 + AT_EL0, cntvct_el0
    rw CNTP_TVAL_EL0, AT_EL1 + AT_EL0, cntp_tval_el0
    rw CNTP_CTL_EL0, AT_EL1 + AT_EL0, cntp_ctl_el0
    rw CNTP_CVAL_EL0, AT_EL1 + AT_EL0, cntp_cval_el0
    rw CNTV_TVAL_EL0, AT_EL1 + AT_EL0, cntv_tval_el0
    rw CNTV_CTL_EL0, AT_EL1 + AT_EL0, cntv_ctl_el0
    rw CNTV_CVAL_EL0, AT_EL1 + AT_EL0, cntv_cval_el0
    rw CNTKCTL_EL1, AT_EL1, cntkctl_el1
    rw FPCR, AT_EL1 + AT_EL0, fpcr
    rw FPSR, AT_EL1 + AT_EL0, fpsr
    access "LDR Q0", AT_EL1 + AT_EL0 + BY_ADDRESS, ldr q0, [x3]
    rw DAIF, AT_EL1 + AT_EL0, daif
    access "SVC #5", AT_EL1 + AT_EL0, svc #5
    access "BRK #9", AT_EL1 + AT_EL0, brk #9
    access "UDF #0", AT_EL1 + AT_EL0, udf #0
    /* Of other exception levels, and with the wrong direction. */
    ro VBAR_EL2, AT_EL1 + AT_EL0, vbar_el2
    ro SCTLR_EL12, AT_EL1 + AT_EL0, s3_5_c1_c0_0
    ro CNTP_CTL_EL02, AT_EL1 + AT_EL0, s3_5_c14_c2_1
    wo MIDR_EL1, AT_EL1, s3_0_c0_c0_0
    ro SCTLR_EL3, AT_EL1, s3_6_c1_c0_0
    ro SCTLR_EL1, AT_EL0, sctlr_el1
accesses_end:

/* Names in a host: x0 goes to \name, x3 to \alias. Before, x5 = \alias; after, x6 = \name, x7 = \of_host, x8 = \alias. */
    .macro redirect name, of_host, alias, ofhost_encoding, alias_encoding, value, mask
    .pushsection .rodata.names, "a"
9:  .asciz  "\name is \of_host, \alias"
    .popsection
    .pushsection .text.accesses, "ax"
    .balign 8
8:  mrs     x4, \ofhost_encoding
    mrs     x5, \alias_encoding
    msr     \name, x0
    msr     \alias_encoding, x3
    isb
    mrs     x6, \name
    mrs     x7, \ofhost_encoding
    mrs     x8, \alias_encoding
    msr     \ofhost_encoding, x4
    msr     \alias_encoding, x5
    isb
    hvc     #1
7:  msr     \name, x3
    isb
    hvc     #1
6:  mrs     x3, \name
    hvc     #1
    .popsection
    .quad   9b, 8b, 7b, 6b, \value, \mask
    .endm
    .macro redirect_el1 stem, tail, value, mask
    redirect \stem\()_EL1, \stem\()_EL2, \stem\()_EL12, s3_4_\tail, s3_5_\tail, \value, \mask
    .endm

    .section .rodata.accesses, "a"
    .balign 8
    .global redirections, redirections_end
redirections:
    redirect_el1 SCTLR, c1_c0_0, 0x30c50834, 0x4
    redirect CPACR_EL1, CPTR_EL2, CPACR_EL12, s3_4_c1_c1_2, s3_5_c1_c0_2, 0x100000, 0x300000
    redirect_el1 TTBR0, c2_c0_0, 0x1234000045670000, -1
    redirect_el1 TTBR1, c2_c0_1, 0x4321000076540000, -1
    redirect_el1 TCR, c2_c0_2, 0x285803518, 0x2c580ff3f
    redirect_el1 SPSR, c4_c0_0, 0x600003c5, 0xf00003cf
    redirect_el1 ELR, c4_c0_1, 0x40081230, -1
    redirect_el1 ESR, c5_c2_0, 0x56000123, 0xffffffff
    redirect_el1 FAR, c6_c0_0, 0xffff000012345678, -1
    redirect_el1 MAIR, c10_c2_0, 0x44ff0400bb, -1
    redirect_el1 VBAR, c12_c0_0, 0x40087000, -1
    redirect_el1 CONTEXTIDR, c13_c0_1, 0x12345678, -1
    redirect CNTKCTL_EL1, CNTHCTL_EL2, CNTKCTL_EL12, s3_4_c14_c1_0, s3_5_c14_c1_0, 0x31, 0x3ff
    redirect CNTP_CTL_EL0, CNTHP_CTL_EL2, CNTP_CTL_EL02, s3_4_c14_c2_1, s3_5_c14_c2_1, 2, 3
    redirect CNTP_CVAL_EL0, CNTHP_CVAL_EL2, CNTP_CVAL_EL02, s3_4_c14_c2_2, s3_5_c14_c2_2, 0x123456789abc, -1
    redirect CNTV_CTL_EL0, CNTHV_CTL_EL2, CNTV_CTL_EL02, s3_4_c14_c3_1, s3_5_c14_c3_1, 2, 3
    redirect CNTV_CVAL_EL0, CNTHV_CVAL_EL2, CNTV_CVAL_EL02, s3_4_c14_c3_2, s3_5_c14_c3_2, 0xcba987654321, -1
redirections_end:

/* Code for run(), at EL1; x3 is what it sees. */
    .text
    .macro piece name
    .global \name
    .balign 16
\name:
    .endm
    piece see_isr
    mrs     x3, isr_el1
    hvc     #1
    piece do_nothing
    nop
    nop
    hvc     #1
    piece wait_for_interrupt
    wfi
    hvc     #1
    piece wait_at_el0
    wfi
    svc     #1
    piece call_firmware
    mov     w0, #0x84000000             /* PSCI_VERSION */
    smc     #0x22
    hvc     #1
    piece call_hypervisor
    hvc     #0x33
    piece see_midr
    mrs     x3, midr_el1
    hvc     #1
    piece see_mpidr
    mrs     x3, mpidr_el1
    hvc     #1
    piece see_dczid
    mrs     x3, dczid_el0
    hvc     #1
    piece see_counters
    mrs     x3, cntvct_el0
    mrs     x4, cntpct_el0
    sub     x3, x4, x3
    hvc     #1
    piece see_counters_at_el0
    mrs     x3, cntvct_el0
    mrs     x4, cntpct_el0
    sub     x3, x4, x3
    svc     #1

/* u64 run(code, spsr, x3, x0): goes there, and returns the number of the EL2 vector by which it comes back; x0-x8 are then in
 * seen[]. */
    .global run
run:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    msr     elr_el2, x0
    msr     spsr_el2, x1
    mov     x0, x3
    mov     x3, x2
    isb
    eret
come_back:                              /* x9 is the vector; SP_EL2 is what it was */
    ldr     x10, =seen
    stp     x0, x1, [x10]
    stp     x2, x3, [x10, #16]
    stp     x4, x5, [x10, #32]
    stp     x6, x7, [x10, #48]
    str     x8, [x10, #64]
    mov     x0, x9
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret

    .global on_stack
on_stack:                               /* on_stack(function, top) */
    mov     sp, x1
    blr     x0
    b       .
    .ltorg

    .section .text.vectors, "ax"
    .global trap_vectors_el2, trap_vectors_el1, trap_vectors_el1_smc
    .balign 2048
trap_vectors_el2:
    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .balign 128
    mov     x9, #\vector
    b       come_back
    .endr

/* What EL1 takes it hands on: HVC #0x80 + vector, or SMC where HVC is disabled. */
    .balign 2048
trap_vectors_el1:
    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .balign 128
    hvc     #0x80 + \vector
    .endr
    .balign 2048
trap_vectors_el1_smc:
    .irp vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .balign 128
    smc     #0x80 + \vector
    .endr

    .section .noinit, "aw", %nobits
    .balign 16
    .global seen
seen:
    .space  80
