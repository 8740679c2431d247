/* The SMMUv3 as its driver sees it without a device: what it says of itself, registers as they are after reset and as they are
 * written, the handshakes of CR0 and IRQ_CTRL, and the Command queue with its errors and interrupts. Run on the board with
 * iommu=smmuv3; core 0 alone. What QEMU does otherwise than the specification says is left out (README.md). */
#include "smmu.h"

static u64 streams[16 * 8] __attribute__((aligned(PAGE)));
static volatile u64 events[4 * 4] __attribute__((aligned(PAGE)));
static volatile u32 taken[2];

static void irq(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid == INTID_CMDQ_SYNC) {
        taken[0]++;
    } else if (intid == INTID_GERROR) {
        taken[1]++;
    }
    gic_end(intid);
}

static u32 field(u32 value, u32 lowest, u32 bits) {
    return value >> lowest & ((1u << bits) - 1);
}

static void identification(void) {
    u32 idr0 = mmio_read32(IDR0);
    u32 idr1 = mmio_read32(IDR1);
    print("S1P %u, TTF %u, COHACC %u, ASID16 %u, TTENDIAN %u\n", field(idr0, 1, 1), field(idr0, 2, 2), field(idr0, 4, 1),
          field(idr0, 12, 1), field(idr0, 21, 2));
    print("STALL_MODEL %u, TERM_MODEL %u, ST_LEVEL %u\n", field(idr0, 24, 2), field(idr0, 26, 1), field(idr0, 27, 2));
    print("ATS %u, PRI %u, MSI %u, VATOS %u, HTTU %u, SEV %u\n", field(idr0, 10, 1), field(idr0, 16, 1), field(idr0, 13, 1),
          field(idr0, 20, 1), field(idr0, 6, 2), field(idr0, 14, 1));
    print("SIDSIZE %u, EVENTQS %u, CMDQS %u, PRIQS %u\n", field(idr1, 0, 6), field(idr1, 16, 5), field(idr1, 21, 5),
          field(idr1, 11, 5));
    print("GRAN4K %u, VAX %u, AIDR %x\n", field(mmio_read32(IDR5), 4, 1), field(mmio_read32(IDR5), 10, 2), mmio_read32(AIDR));
    print("PIDR");
    for (u32 i = 0; i < 8; i++) {
        print(" %x", mmio_read32(SMMU + 0xfd0 + 4 * i));
    }
    print(", CIDR");
    for (u32 i = 0; i < 4; i++) {
        print(" %x", mmio_read32(SMMU + 0xff0 + 4 * i));
    }
    print("\n");
}

static const struct {
    const char *name;
    u64 at;
} registers[] = {
    {"CR0", CR0},
    {"CR0ACK", CR0ACK},
    {"CR1", CR1},
    {"CR2", CR2},
    {"IRQ_CTRL", IRQ_CTRL},
    {"IRQ_CTRLACK", IRQ_CTRLACK},
    {"GERROR", GERROR},
    {"GERRORN", GERRORN},
    {"STRTAB_BASE", STRTAB_BASE},
    {"STRTAB_BASE_CFG", STRTAB_BASE_CFG},
    {"CMDQ_PROD", CMDQ_PROD},
    {"CMDQ_CONS", CMDQ_CONS},
    {"EVENTQ_PROD", EVENTQ_PROD},
    {"EVENTQ_CONS", EVENTQ_CONS},
};

static void reset_values(void) {
    for (u32 i = 0; i < sizeof registers / sizeof *registers; i++) {
        print("%s %x\n", registers[i].name, mmio_read32(registers[i].at));
    }
}

/* Writes all fields that a register has, and zeros. */
static void written(const char *name, u64 at, u32 fields) {
    mmio_write32(at, fields);
    u32 ones = mmio_read32(at);
    mmio_write32(at, 0);
    print("%s: %x, %x\n", name, ones, mmio_read32(at));
}

static void fields(void) {
    written("CR1", CR1, 0xfff);
    written("CR2", CR2, 3);
    written("STRTAB_BASE", STRTAB_BASE, 0xffffffc0);
    written("STRTAB_BASE (high)", STRTAB_BASE + 4, 0x400fffff);
    written("STRTAB_BASE_CFG", STRTAB_BASE_CFG, 0x103ff);
    written("CMDQ_BASE", CMDQ_BASE, 0xfffffff3);
    written("CMDQ_BASE (high)", CMDQ_BASE + 4, 0x400fffff);
    written("CMDQ_PROD", CMDQ_PROD, 0xfffff);
    written("EVENTQ_BASE", EVENTQ_BASE, 0xfffffff3);
    written("EVENTQ_CONS", EVENTQ_CONS, 0x800fffff);
    u32 idr1 = mmio_read32(IDR1);
    mmio_write32(IDR1, ~idr1);
    print("IDR1 is %s\n", mmio_read32(IDR1) == idr1 ? "read-only" : "changed");
    written("CR0ACK", CR0ACK, 0xd);
    written("GERROR", GERROR, 0x1f5);
}

static void handshakes(void) {
    for (u32 bits = 0; bits < 16; bits = bits == 0 ? 8 : bits == 8 ? 12 : bits == 12 ? 13 : 16) {
        enable(bits);
        print("CR0 %x, CR0ACK %x\n", mmio_read32(CR0), mmio_read32(CR0ACK));
    }
    enable(0xc);
    enable(0);
    print("CR0 %x, CR0ACK %x\n", mmio_read32(CR0), mmio_read32(CR0ACK));
    mmio_write32(IRQ_CTRL, 5);
    print("IRQ_CTRL %x, IRQ_CTRLACK %x\n", mmio_read32(IRQ_CTRL), mmio_read32(IRQ_CTRLACK));
    mmio_write32(IRQ_CTRL, 0);
    print("IRQ_CTRL %x, IRQ_CTRLACK %x\n", mmio_read32(IRQ_CTRL), mmio_read32(IRQ_CTRLACK));
}

static void tell_queue(const char *what) {
    for (u32 i = 0; i < 1000; i++) {
        (void)mmio_read32(CMDQ_CONS); /* time to come to an end, whichever it is */
    }
    u32 CONS = mmio_read32(CMDQ_CONS);
    print("%s: PROD %x, RD %x, CERROR %u, GERROR %x\n", what, mmio_read32(CMDQ_PROD), CONS & 0xfffff,
          mmio_read32(GERROR) != mmio_read32(GERRORN) ? CONS >> 24 & 0x7f : 0, mmio_read32(GERROR) ^ mmio_read32(GERRORN));
}

/* One command after another, as far as it is legal; what is not is made a CMD_SYNC, and the error acknowledged. */
static void try(const char *name, u64 low, u64 high) {
    u32 index = mmio_read32(CMDQ_PROD) % 8;
    command(low, high);
    command(0x46, 0);
    for (u32 i = 0; i < 1000; i++) {
        (void)mmio_read32(CMDQ_CONS);
    }
    bool isIllegal = (mmio_read32(GERROR) ^ mmio_read32(GERRORN)) & 1;
    print("%s: %s", name, isIllegal ? "CERROR" : "done");
    if (isIllegal) {
        u32 CONS = mmio_read32(CMDQ_CONS);
        print(" %u, RD %s", CONS >> 24 & 0x7f, CONS % 8 == index ? "at it" : "elsewhere");
        commands[index * 2] = 0x46;
        dsb(ishst);
        mmio_write32(GERRORN, mmio_read32(GERROR));
    }
    while ((mmio_read32(CMDQ_CONS) & 15) != mmio_read32(CMDQ_PROD)) {
    }
    print("\n");
}

static void queue(void) {
    mmio_write64(CMDQ_BASE, (u64)commands | 3);
    mmio_write64(EVENTQ_BASE, (u64)events | 2);
    mmio_write64(STRTAB_BASE, (u64)streams);
    mmio_write32(STRTAB_BASE_CFG, 4);
    command(0x46, 0);
    tell_queue("CMDQEN is 0");
    enable(8);
    tell_queue("CMDQEN is 1");
    for (u32 i = 0; i < 20; i++) {
        command(0x46, 0);
        while ((mmio_read32(CMDQ_CONS) & 15) != mmio_read32(CMDQ_PROD)) {
        }
    }
    tell_queue("20 more");

    try("CMD_PREFETCH_CONFIG", 0x01, 0);
    try("CMD_PREFETCH_ADDR", 0x02, 0);
    try("CMD_CFGI_STE", 0x03 | 1ull << 32, 1);
    try("CMD_CFGI_STE_RANGE", 0x04, 3);
    try("CMD_CFGI_ALL", 0x04, 31);
    try("CMD_CFGI_CD", 0x05 | 1ull << 32, 1);
    try("CMD_CFGI_CD_ALL", 0x06 | 1ull << 32, 0);
    try("CMD_TLBI_NH_ALL", 0x10, 0);
    try("CMD_TLBI_NH_ASID", 0x11 | 1ull << 48, 0);
    try("CMD_TLBI_NH_VA", 0x12 | 1ull << 48, 0x1000);
    try("CMD_TLBI_NH_VAA", 0x13, 0x1000);
    try("CMD_TLBI_NSNH_ALL", 0x30, 0);
    try("opcode 0x00", 0, 0);
    try("opcode 0x07", 0x07, 0);
    try("opcode 0x47", 0x47, 0);
    try("opcode 0xff", 0xff, 0);

    /* While an error is active nothing is consumed. */
    command(0xff, 0);
    command(0x46, 0);
    tell_queue("an error is active");
    mmio_write32(GERRORN, mmio_read32(GERROR));
    tell_queue("acknowledged, but not mended");
    commands[(mmio_read32(CMDQ_CONS) & 7) * 2] = 0x46;
    dsb(ishst);
    mmio_write32(GERRORN, mmio_read32(GERROR));
    tell_queue("acknowledged and mended");
}

static void interrupts(void) {
    on_irq = irq;
    take_interrupt(INTID_CMDQ_SYNC, true);
    take_interrupt(INTID_GERROR, true);
    mmio_write32(IRQ_CTRL, 5);
    while (mmio_read32(IRQ_CTRLACK) != 5) {
    }
    command(0x46 | 1 << 12, 0);
    sleep_until(taken, 1);
    sync();
    print("CMD_SYNC with CS 1, then CS 0: %u interrupt\n", taken[0]);
    command(0xff, 0);
    sleep_until(taken + 1, 1);
    tell_queue("an illegal command");
    print("%u interrupt\n", taken[1]);
    mmio_write32(IRQ_CTRL, 0);
}

int guest(void) {
    title("smmu-registers");
    gic_init();
    gic_init_core();
    identification();
    reset_values();
    fields();
    handshakes();
    queue();
    interrupts();
    print("done\n");
    return 0;
}
