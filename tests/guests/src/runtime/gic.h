/* GICv3 (Arm IHI 0069), affinity routing on, Group 1 unless a guest says otherwise. */
#pragma once
#include "core.h"

#define GICD_CTLR (GICD_BASE + 0x0000)
#define GICD_TYPER (GICD_BASE + 0x0004)
#define GICD_IGROUPR (GICD_BASE + 0x0080)
#define GICD_ISENABLER (GICD_BASE + 0x0100)
#define GICD_ICENABLER (GICD_BASE + 0x0180)
#define GICD_ISPENDR (GICD_BASE + 0x0200)
#define GICD_ICPENDR (GICD_BASE + 0x0280)
#define GICD_ISACTIVER (GICD_BASE + 0x0300)
#define GICD_ICACTIVER (GICD_BASE + 0x0380)
#define GICD_IPRIORITYR (GICD_BASE + 0x0400)
#define GICD_ICFGR (GICD_BASE + 0x0c00)
#define GICD_IROUTER (GICD_BASE + 0x6000)

/* Offsets from a redistributor's RD_base. */
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI 0x10000
#define GICR_IGROUPR0 (GICR_SGI + 0x0080)
#define GICR_ISENABLER0 (GICR_SGI + 0x0100)
#define GICR_ICENABLER0 (GICR_SGI + 0x0180)
#define GICR_ISPENDR0 (GICR_SGI + 0x0200)
#define GICR_ICPENDR0 (GICR_SGI + 0x0280)
#define GICR_ISACTIVER0 (GICR_SGI + 0x0300)
#define GICR_ICACTIVER0 (GICR_SGI + 0x0380)
#define GICR_IPRIORITYR (GICR_SGI + 0x0400)

#define INTID_NONE 1023
#define INTID_CNTV 27
#define INTID_CNTP 30
#define INTID_UART 33
#define PRIORITY_DEFAULT 0xa0

/* Once, by core 0, before any gic_init_core(). */
void gic_init(void);
/* By each core: wakes its redistributor, opens its CPU interface. SGIs 0-15 are enabled; IRQs stay masked. */
void gic_init_core(void);

/* For this core's SGIs and PPIs, or an SPI. */
void gic_enable(u32 intid);
void gic_disable(u32 intid);
void gic_set_priority(u32 intid, u8 priority);
/* An SPI: to core n. */
void gic_route(u32 intid, u32 n);
/* The redistributor frame of this core, or the distributor for an SPI: where bit and byte registers of `intid` are. */
u64 gic_frame(u32 intid);
bool gic_test(u32 intid, u64 sgi_register_offset);
void gic_set(u32 intid, u64 sgi_register_offset);

void send_sgi(u32 n, u32 intid);
void send_sgi_to_all_others(u32 intid);

static inline u32 gic_acknowledge(void) {
    u32 intid = (u32)READ_(ICC_IAR1_EL1) & 0xffffff;
    dsb(sy); /* the acknowledge is complete before the handler touches the device */
    return intid;
}
static inline void gic_end(u32 intid) {
    dsb(sy); /* what the handler did to the device is complete before the interrupt can come again */
    WRITE_(ICC_EOIR1_EL1, intid);
    isb();
}

/* Sleeps in WFI until *count >= wanted, a number that this core's IRQ handler raises. Call with IRQs masked. */
static inline void sleep_until(const volatile u32 *count, u32 wanted) {
    while (*count < wanted) {
        dsb(ish);
        wfi();
        irq_unmask();
        isb();
        irq_mask();
    }
}
