/* The SMMUv3 of the board: registers, interrupts, and a Command queue of eight. */
#pragma once
#include "guest.h"

#define SMMU 0x09050000ul
#define IDR0 (SMMU + 0x00)
#define IDR1 (SMMU + 0x04)
#define IDR5 (SMMU + 0x14)
#define AIDR (SMMU + 0x1c)
#define CR0 (SMMU + 0x20)
#define CR0ACK (SMMU + 0x24)
#define CR1 (SMMU + 0x28)
#define CR2 (SMMU + 0x2c)
#define GBPA (SMMU + 0x44)
#define IRQ_CTRL (SMMU + 0x50)
#define IRQ_CTRLACK (SMMU + 0x54)
#define GERROR (SMMU + 0x60)
#define GERRORN (SMMU + 0x64)
#define STRTAB_BASE (SMMU + 0x80)
#define STRTAB_BASE_CFG (SMMU + 0x88)
#define CMDQ_BASE (SMMU + 0x90)
#define CMDQ_PROD (SMMU + 0x98)
#define CMDQ_CONS (SMMU + 0x9c)
#define EVENTQ_BASE (SMMU + 0xa0)
#define EVENTQ_PROD (SMMU + 0x100a8)
#define EVENTQ_CONS (SMMU + 0x100ac)
#define ON 0xd /* CMDQEN, EVENTQEN, SMMUEN */

#define INTID_EVENTQ 106
#define INTID_CMDQ_SYNC 108
#define INTID_GERROR 109

#define PAGE 4096

/* STE.Config. */
enum { ABORT = 0, BYPASS = 4, STAGE1 = 5, STAGE2 = 6, NESTED = 7 };

static volatile u64 commands[8 * 2] __attribute__((aligned(PAGE)));

static inline void take_interrupt(u32 intid, bool is_edge) {
    if (is_edge) {
        u64 ICFGR = GICD_ICFGR + intid / 16 * 4ul;
        mmio_write32(ICFGR, mmio_read32(ICFGR) | 2u << intid % 16 * 2);
    }
    gic_route(intid, 0);
    gic_set_priority(intid, PRIORITY_DEFAULT);
    gic_enable(intid);
}

/* Puts a command into the queue. */
static inline void command(u64 low, u64 high) {
    u32 PROD = mmio_read32(CMDQ_PROD);
    commands[PROD % 8 * 2] = low;
    commands[PROD % 8 * 2 + 1] = high;
    dsb(ishst);
    mmio_write32(CMDQ_PROD, (PROD + 1) % 16);
}
static inline void sync(void) {
    command(0x46, 0);
    while ((mmio_read32(CMDQ_CONS) & 15) != mmio_read32(CMDQ_PROD)) {
    }
}

static inline void enable(u32 CR0_value) {
    mmio_write32(CR0, CR0_value);
    while (mmio_read32(CR0ACK) != CR0_value) {
    }
}
