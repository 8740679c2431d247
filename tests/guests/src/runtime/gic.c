/* GICv3 driver. The registers of an INTID are at the same offsets from GICD_BASE (SPIs) and from SGI_base (SGIs and
 * PPIs), which is why one set of functions serves both. */
#include "guest.h"

static void wait_rwp(u64 ctlr, u32 mask) {
    while (mmio_read32(ctlr) & mask) {
    }
}

void gic_init(void) {
    /* A guest that was entered at EL3 has set groups and ARE there, and sees the Non-secure registers here; with one
       Security state (DS = 1) this is the whole initialisation. Bit 1 enables Group 1 in both views. */
    u32 are = 1 << 4;
    mmio_write32(GICD_CTLR, are);
    wait_rwp(GICD_CTLR, 1u << 31);
    u32 lines = mmio_read32(GICD_TYPER) & 31;
    for (u32 i = 1; i <= lines; i++) {
        mmio_write32(GICD_ICENABLER + 4 * i, ~0u);
        mmio_write32(GICD_IGROUPR + 4 * i, ~0u);
    }
    wait_rwp(GICD_CTLR, 1u << 31);
    mmio_write32(GICD_CTLR, are | 2);
    wait_rwp(GICD_CTLR, 1u << 31);
}

/* The board numbers redistributors as it numbers cores, 123 in the first region and the rest in the second; the frame
   at that place says whether it is ours, and if not, the first region is searched. */
static u64 find_redistributor(void) {
    u64 mpidr = READ(mpidr_el1);
    u64 affinity = (mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24;
    u32 n = core_index();
    u64 guess = n < GICR_LOW_COUNT ? GICR_BASE + (u64)n * GICR_STRIDE
                                   : GICR_BASE_HIGH + (u64)(n - GICR_LOW_COUNT) * GICR_STRIDE;
    if (mmio_read64(guess + GICR_TYPER) >> 32 == affinity) {
        return guess;
    }
    for (u64 frame = GICR_BASE;; frame += GICR_STRIDE) {
        u64 typer = mmio_read64(frame + GICR_TYPER);
        if (typer >> 32 == affinity) {
            return frame;
        }
        check(!(typer & 0x10), "every core has a redistributor");
    }
}

void gic_init_core(void) {
    u64 gicr = find_redistributor();
    this_core()->gicr = gicr;
    mmio_write32(gicr + GICR_WAKER, mmio_read32(gicr + GICR_WAKER) & ~2u); /* ProcessorSleep */
    while (mmio_read32(gicr + GICR_WAKER) & 4) {                           /* ChildrenAsleep */
    }
    mmio_write32(gicr + GICR_ICENABLER0, ~0u);
    wait_rwp(gicr, 1u << 3);
    mmio_write32(gicr + GICR_IGROUPR0, ~0u);
    mmio_write32(gicr + GICR_ICPENDR0, ~0u);
    for (u32 i = 0; i < 32; i += 4) {
        mmio_write32(gicr + GICR_IPRIORITYR + i, PRIORITY_DEFAULT * 0x01010101u);
    }
    mmio_write32(gicr + GICR_ISENABLER0, 0xffff);
    dsb(sy);

    WRITE_(ICC_SRE_EL1, READ_(ICC_SRE_EL1) | 1);
    isb();
    WRITE_(ICC_PMR_EL1, 0xff);
    WRITE_(ICC_BPR1_EL1, 0);
    WRITE_(ICC_CTLR_EL1, 0);
    WRITE_(ICC_IGRPEN1_EL1, 1);
    isb();
}

u64 gic_frame(u32 intid) {
    return intid < 32 ? this_core()->gicr + GICR_SGI : GICD_BASE;
}

/* `offset` is that of a one-bit-per-INTID register (0x100 ISENABLER, 0x200 ISPENDR, 0x300 ISACTIVER...). */
bool gic_test(u32 intid, u64 offset) {
    return mmio_read32(gic_frame(intid) + offset + intid / 32 * 4) >> intid % 32 & 1;
}
void gic_set(u32 intid, u64 offset) {
    mmio_write32(gic_frame(intid) + offset + intid / 32 * 4, 1u << intid % 32);
    dsb(sy);
}

void gic_enable(u32 intid) {
    gic_set(intid, 0x100);
}
void gic_disable(u32 intid) {
    gic_set(intid, 0x180);
    wait_rwp(intid < 32 ? this_core()->gicr : GICD_CTLR, intid < 32 ? 1u << 3 : 1u << 31);
}
void gic_set_priority(u32 intid, u8 priority) {
    mmio_write8(gic_frame(intid) + 0x400 + intid, priority);
    dsb(sy);
}
void gic_route(u32 intid, u32 n) {
    mmio_write64(GICD_IROUTER + 8 * intid, core_affinity(n));
    dsb(sy);
}

void send_sgi(u32 n, u32 intid) {
    u64 affinity = core_affinity(n);
    u64 value = (affinity >> 8 & 0xff) << 16 | (u64)intid << 24 | 1ull << (affinity & 15);
    dsb(ishst); /* what the receiver will read is visible before the interrupt */
    WRITE_(ICC_SGI1R_EL1, value);
    isb();
}
void send_sgi_to_all_others(u32 intid) {
    dsb(ishst);
    WRITE_(ICC_SGI1R_EL1, 1ull << 40 | (u64)intid << 24); /* IRM */
    isb();
}
