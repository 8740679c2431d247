/* Constants that the assembly and the C of the runtime share. */
#pragma once

#define MAX_CORES 1024
#define EL1_STACK_BYTES 8192
#define EL2_STACK_BYTES 2048
#define EL3_STACK_BYTES 2048

/* A saved context: x0-x30, SP_EL0, ELR, SPSR, ESR, FAR (struct frame). */
#define FRAME_BYTES 288

/* The board: QEMU's `virt`. */
#define UART_BASE 0x09000000
#define GICD_BASE 0x08000000
#define GICR_BASE 0x080a0000
#define GICR_BASE_HIGH 0x4000000000
#define GICR_LOW_COUNT 123
#define GICR_STRIDE 0x20000

/* EL1&0 translation. VA = PA, and two windows through which EL0 sees the first gigabyte of RAM:
   read-only and executable at 4 GiB, read-write and never executable at 5 GiB. */
#define EL0_TEXT_OFFSET 0xc0000000
#define EL0_DATA_OFFSET 0x100000000

/* MAIR_EL1: 0 Device-nGnRE, 1 Normal Write-Back, 2 Normal Non-cacheable. */
#define MAIR_VALUE 0x44ff04

/* TCR_EL1: T0SZ = 25 (39 bits of VA, walks start at level 1), Write-Back Inner Shareable walks, 4 KiB granule,
   EPD1 = 1 (no TTBR1 walks), IPS = 40 bits (the second GICR region lies at 256 GiB). */
#define TCR_VALUE (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)

/* SCTLR_EL1: the bits that are RES1 in Armv8.0 (29, 28, SPAN, 22, 20, 11), then
   UCI, nTWE, nTWI, UCT, DZE, I, SA0, SA, C, M. Alignment checking (A) is off. */
#define SCTLR_RES1 0x30d00800
#define SCTLR_VALUE (SCTLR_RES1 | 1 << 26 | 1 << 18 | 1 << 16 | 1 << 15 | 1 << 14 | 1 << 12 | 1 << 4 | 1 << 3 | 1 << 2 | 1)

/* SCTLR_EL2 and SCTLR_EL3: their RES1 bits (29, 28, 23, 22, 18, 16, 11, 5, 4), and I. */
#define SCTLR_HIGHER_VALUE (0x30c50830 | 1 << 12)

/* Block and page descriptor fields (VMSAv8-64). */
#define PTE_BLOCK 0x1
#define PTE_TABLE 0x3
#define PTE_PAGE 0x3
#define PTE_DEVICE (0 << 2)
#define PTE_NORMAL (1 << 2)
#define PTE_NORMAL_NC (2 << 2)
#define PTE_EL0 (1 << 6)
#define PTE_RO (1 << 7)
#define PTE_INNER (3 << 8)
#define PTE_AF (1 << 10)
#ifdef __ASSEMBLER__
#define PTE_PXN (1 << 53) /* the assembler computes in 64 bits */
#define PTE_UXN (1 << 54)
#else
#define PTE_PXN (1ull << 53)
#define PTE_UXN (1ull << 54)
#endif
