/* Drivers of both GICs side by side: the distributor's bit and byte registers are the same, and in GICv3 the
 * redistributor's SGI frame has them at the same offsets for INTIDs below 32. */
#include "intc.h"
#include "console.h"
#include "core.h"
#include "exception.h"
#include "machine.h"

enum {
    gicd_ctlr = 0x000,
    gicd_typer = 0x004,
    igroupr = 0x080,
    isenabler = 0x100,
    icenabler = 0x180,
    icpendr = 0x280,
    ipriorityr = 0x400,
    itargetsr = 0x800,
    icfgr = 0xc00,
    gicd_sgir = 0xf00,
    irouter = 0x6000,
    gicr_typer = 0x008,
    gicr_waker = 0x014,
    gicr_sgi = 0x10000,
    gicr_stride = 0x20000,
    gicc_ctlr = 0x00,
    gicc_pmr = 0x04,
    gicc_bpr = 0x08,
    gicc_iar = 0x0c,
    gicc_eoir = 0x10,
    most_intids = 320,
};

static interrupt_handler handlers[most_intids];
static u32 taken[KERNEL_CORES], strange[KERNEL_CORES];
void (*after_interrupt)(void);
static u8 interface_mask[KERNEL_CORES]; /* GICv2: the CPU interface of a core, as a bit */

static u64 frame_of(u32 intid) {
    return intid < 32 && machine.gic_version == 3 ? this_core()->gicr + gicr_sgi : machine.gicd;
}

static void wait_rwp(void) {
    while (machine.gic_version == 3 && mmio_read32(machine.gicd + gicd_ctlr) >> 31) {
    }
}

void intc_init(void) {
    bool v3 = machine.gic_version == 3;
    u64 d = machine.gicd;
    mmio_write32(d + gicd_ctlr, v3 ? 1 << 4 : 0); /* ARE_NS */
    wait_rwp();
    u32 lines = mmio_read32(d + gicd_typer) & 31;
    for (u32 i = 1; i <= lines; i++) {
        mmio_write32(d + icenabler + 4 * i, ~0u);
        mmio_write32(d + icpendr + 4 * i, ~0u);
        if (v3) {
            mmio_write32(d + igroupr + 4 * i, ~0u);
        }
    }
    wait_rwp();
    mmio_write32(d + gicd_ctlr, v3 ? 1 << 4 | 2 : 1);
    wait_rwp();
}

static u64 find_redistributor(void) {
    u64 mpidr = READ(mpidr_el1), affinity = (mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24;
    for (u32 i = 0; i < machine.gicrs; i++) {
        u64 end = machine.gicr[i].base + machine.gicr[i].bytes;
        for (u64 frame = machine.gicr[i].base; frame < end; frame += gicr_stride) {
            u64 typer = mmio_read64(frame + gicr_typer);
            if (typer >> 32 == affinity) {
                return frame;
            }
            if (typer & 0x10) {
                break;
            }
        }
    }
    check(false, "every core has a redistributor");
    return 0;
}

static void init_core_v3(void) {
    u64 r = this_core()->gicr = find_redistributor();
    mmio_write32(r + gicr_waker, mmio_read32(r + gicr_waker) & ~2u); /* ProcessorSleep */
    while (mmio_read32(r + gicr_waker) & 4) {                        /* ChildrenAsleep */
    }
    mmio_write32(r + gicr_sgi + igroupr, ~0u);
    WRITE_(ICC_SRE_EL1, READ_(ICC_SRE_EL1) | 1);
    isb();
}

void intc_init_core(void) {
    bool v3 = machine.gic_version == 3;
    if (v3) {
        init_core_v3();
    }
    u64 f = frame_of(0);
    mmio_write32(f + icenabler, ~0u);
    mmio_write32(f + icpendr, ~0u);
    for (u32 i = 0; i < 32; i += 4) {
        mmio_write32(f + ipriorityr + i, priority_usual * 0x01010101u);
    }
    mmio_write32(f + isenabler, 0xffff);
    dsb(sy);
    if (v3) {
        WRITE_(ICC_PMR_EL1, 0xff);
        WRITE_(ICC_BPR1_EL1, 0);
        WRITE_(ICC_CTLR_EL1, 0);
        WRITE_(ICC_IGRPEN1_EL1, 1);
        isb();
    } else {
        /* The byte of an SGI tells the reader which interface it is; with one interface it may read as zero. */
        u8 mask = (u8)mmio_read32(f + itargetsr);
        interface_mask[core_index()] = mask ? mask : 1;
        mmio_write32(machine.gicc + gicc_pmr, 0xff);
        mmio_write32(machine.gicc + gicc_bpr, 0);
        mmio_write32(machine.gicc + gicc_ctlr, 1);
    }
    dsb(sy);
}

void intc_take(u32 intid, bool edge, interrupt_handler handler) {
    check(intid < most_intids, "the INTID is one that this kernel has room for");
    handlers[intid] = handler;
    u64 f = frame_of(intid);
    if (intid >= 32) {
        mmio_write8(f + ipriorityr + intid, priority_usual);
        u64 at = f + icfgr + intid / 16 * 4;
        u32 bit = 2u << intid % 16 * 2;
        mmio_write32(at, (mmio_read32(at) & ~bit) | (edge ? bit : 0));
        if (machine.gic_version == 3) {
            mmio_write64(f + irouter + 8 * intid, READ(mpidr_el1) & 0xff00ffffffull);
        } else {
            mmio_write8(f + itargetsr + intid, interface_mask[core_index()]);
        }
    }
    dsb(sy);
    mmio_write32(f + isenabler + intid / 32 * 4, 1u << intid % 32);
    dsb(sy);
}

void intc_disable(u32 intid) {
    mmio_write32(frame_of(intid) + icenabler + intid / 32 * 4, 1u << intid % 32);
    wait_rwp();
    dsb(sy);
}

void send_sgi(u32 core, u32 intid) {
    dsb(ish); /* what the receiver will read is visible before the interrupt */
    if (machine.gic_version == 3) {
        u64 a = machine.cpus[core];
        WRITE_(ICC_SGI1R_EL1, (a >> 32 & 0xff) << 48 | (a >> 16 & 0xff) << 32 | (a >> 8 & 0xff) << 16 | (u64)intid << 24 |
                                  (a >> 4 & 0xf) << 44 | 1ull << (a & 15));
        isb();
    } else {
        mmio_write32(machine.gicd + gicd_sgir, (u32)interface_mask[core] << 16 | intid);
    }
}

static void take_interrupt(struct frame *frame) {
    (void)frame;
    bool v3 = machine.gic_version == 3;
    u32 iar = v3 ? (u32)READ_(ICC_IAR1_EL1) : mmio_read32(machine.gicc + gicc_iar);
    dsb(sy);
    u32 intid = v3 ? iar & 0xffffff : iar & 0x3ff;
    u32 core = core_index();
    taken[core]++;
    if (intid >= intid_first_special) {
        return; /* spurious: its line has dropped, or another core was faster */
    }
    interrupt_handler handler = intid < most_intids ? handlers[intid] : 0;
    if (handler) {
        handler(intid);
    } else {
        strange[core]++;
    }
    dsb(sy);
    if (v3) {
        WRITE_(ICC_EOIR1_EL1, iar);
        isb();
    } else {
        mmio_write32(machine.gicc + gicc_eoir, iar);
    }
    if (after_interrupt) {
        after_interrupt();
    }
}

/* Linked by start-up code: the runtime's vectors call it. */
void intc_connect(void) {
    on_irq = take_interrupt;
}

u32 interrupts_taken(void) {
    return taken[core_index()];
}
u32 interrupts_strange(void) {
    return strange[core_index()];
}

void sleep_once(void) {
    u64 daif = READ(daif);
    irq_mask();
    dsb(sy);
    wfi();
    irq_unmask();
    isb();
    WRITE(daif, daif);
}

void sleep_until(const volatile u32 *count, u32 wanted) {
    u64 daif = READ(daif);
    irq_mask();
    while (*count < wanted) {
        dsb(sy);
        wfi();
        irq_unmask();
        isb();
        irq_mask();
    }
    WRITE(daif, daif);
}
