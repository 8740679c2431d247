/* The SMMUv3 and the DMA engine behind it: bypass, stage 1, stage 2 and both, a scatter list, substreams, invalidation, every
 * fault that a transaction can have, errors of the queues, their interrupts; and what a device's write does to code and to an
 * exclusive. Run on the board with iommu=smmuv3,dma=on. Core 0 alone. */
#include "guest.h"
#include "dma.h"
#include "smmu.h"

#define DMA 0x090c0000ul
#define DMA_CONTROL (DMA + dma_control)
#define DMA_STATUS (DMA + dma_status)
#define DMA_INTERRUPT_CLEAR (DMA + dma_interrupt_clear)
#define DMA_SUBSTREAM (DMA + dma_substream)
#define DMA_SOURCE (DMA + dma_source)
#define DMA_TARGET (DMA + dma_target)
#define DMA_LENGTH (DMA + dma_length)
#define DMA_LIST (DMA + dma_list)
#define DMA_COUNT (DMA + dma_count)
#define DMA_FAULT (DMA + dma_fault)
#define START dma_start
#define LIST dma_use_list
#define PRIVILEGED dma_privileged
#define DONE_ENABLE dma_done_enable
#define STREAM 1

#define INTID_DMA 42

#define NOWHERE 0x20000000ul /* nothing answers there */

/* Leaves: valid, AF; stage 1 with nG. */
#define USER_RW 0xc43ull
#define USER_RO 0xcc3ull
#define PRIVILEGED_RW 0xc03ull
#define NOT_ACCESSED 0x843ull
#define STAGE2_RW 0x4ffull
#define STAGE2_RO 0x47full

static u64 streams[16 * 8] __attribute__((aligned(PAGE)));
static u64 contexts[4 * 8] __attribute__((aligned(PAGE)));
static volatile u64 events[4 * 4] __attribute__((aligned(PAGE)));
/* Of each stage: levels 1 and 2, and level 3 for the first 2 MiB of addresses. */
static u64 first[3][512] __attribute__((aligned(PAGE)));
static u64 second[3][512] __attribute__((aligned(PAGE)));
static u8 source[3 * PAGE] __attribute__((aligned(PAGE)));
static u8 target[3 * PAGE] __attribute__((aligned(PAGE)));
static u64 list[8] __attribute__((aligned(PAGE)));
static volatile u32 taken[4];

static void irq(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid == INTID_DMA) {
        mmio_write32(DMA_INTERRUPT_CLEAR, 6);
        (void)mmio_read32(DMA_STATUS); /* the line is low before the end of the interrupt */
        taken[0]++;
    } else if (intid == INTID_EVENTQ) {
        taken[1]++;
    } else if (intid == INTID_CMDQ_SYNC) {
        taken[2]++;
    } else if (intid == INTID_GERROR) {
        taken[3]++;
    }
    gic_end(intid);
}

static void invalidate(u64 low, u64 high) {
    command(low, high);
    sync();
}
/* All configuration and all translations. */
static void invalidate_all(void) {
    command(0x04, 31);
    command(0x30, 0);
    sync();
}

static void ste(u32 config, u64 stage1_context) {
    u64 *s = streams + 8 * STREAM;
    memset(s, 0, 64);
    s[0] = 1 | config << 1 | stage1_context;
    /* VMID 5; S2T0SZ = 25, S2SL0 = 1, S2PS = 48 bits, S2AA64, S2R. */
    s[2] = 5 | (25ull | 1 << 6 | 5 << 16 | 1 << 19 | 1 << 26) << 32;
    s[3] = (u64)second[0];
}
static void cd(u32 n) {
    u64 *c = contexts + 8 * n;
    memset(c, 0, 64);
    /* T0SZ = 25, EPD1, V; IPS = 48 bits, AA64, R, A; ASID = 1 + n. */
    c[0] = 25 | 1ull << 30 | 1ull << 31 | (5ull | 1 << 9 | 1 << 13 | 1 << 14) << 32 | (1ull + n) << 48;
    c[1] = (u64)first[0];
}

static void map(u64 tables[3][512], u64 input, const void *output, u64 attributes) {
    tables[0][0] = (u64)tables[1] | 3;
    tables[1][0] = (u64)tables[2] | 3;
    tables[2][input / PAGE] = output ? (u64)output | attributes : 0;
}

static void fresh(void) {
    for (u32 i = 0; i < sizeof source; i++) {
        source[i] = (u8)(i * 7 + i / 256);
    }
    memset(target, 0, sizeof target);
}

static u32 finish(void) {
    dsb(sy);
    while (mmio_read32(DMA_STATUS) & 1) {
    }
    u32 status = mmio_read32(DMA_STATUS);
    mmio_write32(DMA_INTERRUPT_CLEAR, 6);
    return status;
}
static u32 copy(u64 from, u64 to, u64 bytes, u32 control) {
    mmio_write64(DMA_SOURCE, from);
    mmio_write64(DMA_TARGET, to);
    mmio_write64(DMA_LENGTH, bytes);
    dsb(sy);
    mmio_write32(DMA_CONTROL, START | control);
    return finish();
}

static void say(const char *what, u32 status, u32 offset_from, u32 offset_to, u32 bytes) {
    u32 right = 0;
    while (right < bytes && target[offset_to + right] == source[offset_from + right]) {
        right++;
    }
    print("%s: status %x, %lu bytes, %u right\n", what, status, mmio_read64(DMA_COUNT), right);
}

static const char *event_name(u32 number) {
    switch (number) {
    case 0x02: return "C_BAD_STREAMID";
    case 0x03: return "F_STE_FETCH";
    case 0x04: return "C_BAD_STE";
    case 0x06: return "F_STREAM_DISABLED";
    case 0x08: return "C_BAD_SUBSTREAMID";
    case 0x09: return "F_CD_FETCH";
    case 0x0a: return "C_BAD_CD";
    case 0x0b: return "F_WALK_EABT";
    case 0x10: return "F_TRANSLATION";
    case 0x11: return "F_ADDR_SIZE";
    case 0x12: return "F_ACCESS";
    case 0x13: return "F_PERMISSION";
    default: return "?";
    }
}

/* Addresses in tables of this program depend on its layout: told by their distance. */
static void place(const char *what, u64 address) {
    if (address >= (u64)first && address < (u64)first + sizeof first) {
        print(", %s first+0x%lx", what, address - (u64)first);
    } else if (address >= (u64)contexts && address < (u64)contexts + sizeof contexts) {
        print(", %s contexts+0x%lx", what, address - (u64)contexts);
    } else {
        print(", %s 0x%lx", what, address);
    }
}

/* Tells the events that there are. */
static u32 tell_events(void) {
    u32 count = 0;
    u32 CONS = mmio_read32(EVENTQ_CONS);
    while ((CONS & 7) != (mmio_read32(EVENTQ_PROD) & 7)) {
        volatile u64 *e = events + CONS % 4 * 4;
        u32 number = e[0] & 0xff;
        print("  %s, stream %u", event_name(number), (u32)(e[0] >> 32));
        if (e[0] & 0x800) {
            print(", substream %u", (u32)e[0] >> 12);
        }
        if (number >= 0x0b) {
            const char *class[] = {"CD", "TT", "IN", "?"};
            print(", %s, stage %u, class %s", e[1] >> 35 & 1 ? "read" : "write", (u32)(1 + (e[1] >> 39 & 1)),
                  class[e[1] >> 40 & 3]);
            print(", input 0x%lx", e[2]);
        }
        if (number == 0x03 || number == 0x09 || number == 0x0b) {
            place("fetch", e[3]);
        } else if (e[1] >> 39 & 1) {
            place("IPA", e[3]);
        }
        print("\n");
        CONS = (CONS & ~7u) | ((CONS + 1) & 7);
        count++;
    }
    mmio_write32(EVENTQ_CONS, (CONS & 7) | (mmio_read32(EVENTQ_PROD) & 0x80000000));
    return count;
}

/* A read that is to fault: what the device sees, and what the SMMU records. */
static void provoke(const char *what, u64 from, bool writes) {
    u32 status = writes ? copy(0x1000, from, 16, 0) : copy(from, 0x2000, 16, 0);
    print("%s: status %x, fault at 0x%lx\n", what, status, mmio_read64(DMA_FAULT));
    check(tell_events() <= 1, "one record at most");
}

static void modes(void) {
    fresh();
    say("off", copy((u64)source + 1, (u64)target + 5, 5000, 0), 1, 5, 5000);
    mmio_write32(GBPA, 0x80101000);
    while (mmio_read32(GBPA) >> 31) {
    }
    fresh();
    say("off, GBPA aborts", copy((u64)source, (u64)target, 64, 0), 0, 0, 0);
    enable(ON);

    fresh();
    ste(BYPASS, 0);
    say("bypass", copy((u64)source, (u64)target, 300, 0), 0, 0, 300);
    fresh();
    ste(ABORT, 0);
    invalidate_all();
    say("abort", copy((u64)source, (u64)target, 300, 0), 0, 0, 0);
    check(tell_events() == 0, "Config abort records nothing");

    /* IOVA 0x1000, 0x3000, 0x5000 and 0x2000, 0x4000, 0x6000: pages of source and target, the other way round. */
    fresh();
    for (u32 i = 0; i < 3; i++) {
        map(first, 0x1000 + i * 0x2000, source + (2 - i) * PAGE, USER_RO);
        map(first, 0x2000 + i * 0x2000, target + (2 - i) * PAGE, USER_RW);
    }
    cd(0);
    ste(STAGE1, (u64)contexts);
    invalidate_all();
    say("stage 1", copy(0x5010, 0x6010, 1000, 0), 16, 16, 1000);

    /* IPA 0x1000 to 0x3fff and 0x4000 to 0x6fff. */
    fresh();
    for (u32 i = 0; i < 3; i++) {
        map(second, 0x1000 + i * PAGE, source + i * PAGE, STAGE2_RO);
        map(second, 0x4000 + i * PAGE, target + i * PAGE, STAGE2_RW);
    }
    ste(STAGE2, 0);
    invalidate_all();
    say("stage 2", copy(0x1003, 0x4001, 9000, 0), 3, 1, 9000);

    /* Stage 2 also shows the context and the tables of stage 1, where they are. */
    second[0][1] = 0x40000000 | (STAGE2_RO & ~2ull);
    map(first, 0x1000, (void *)0x2000, USER_RO);
    map(first, 0x2000, (void *)0x5000, USER_RW);
    fresh();
    ste(NESTED, (u64)contexts);
    invalidate_all();
    say("both stages", copy(0x1000, 0x2000, PAGE, 0), PAGE, PAGE, PAGE);
    check(tell_events() == 0, "no faults so far");
}

static void lists_and_substreams(void) {
    fresh();
    map(first, 0x1000, source, USER_RO);
    map(first, 0x2000, target, USER_RW);
    map(first, 0x7000, list, USER_RO);
    cd(0);
    ste(STAGE1, (u64)contexts);
    invalidate_all();
    u64 elements[8] = {0x1000, 0x2100, 0x200, 0x7020, 0x1200, 0x2300, 0x100, 0};
    memcpy(list, elements, sizeof list);
    mmio_write64(DMA_LIST, 0x7000);
    dsb(sy);
    mmio_write32(DMA_CONTROL, START | LIST);
    say("list of 2", finish(), 0, 0x100, 0x300);

    /* Four contexts; a transaction without a substream uses number 0. Number 2 is another address space. */
    cd(2);
    contexts[17] = (u64)second[0];
    memset(second, 0, sizeof second);
    map(second, 0x1000, source + PAGE, USER_RO);
    map(second, 0x2000, target, USER_RW);
    ste(STAGE1, (u64)contexts);
    streams[8 * STREAM] |= 2ull << 59;
    streams[8 * STREAM + 1] = 2;
    invalidate_all();
    fresh();
    say("no substream", copy(0x1000, 0x2000, 256, 0), 0, 0, 256);
    mmio_write32(DMA_SUBSTREAM, 0x80000002);
    fresh();
    say("substream 2", copy(0x1000, 0x2000, 256, 0), PAGE, 0, 256);
    mmio_write32(DMA_SUBSTREAM, 0x80000004);
    provoke("substream 4 of 4", 0x1000, false);
    mmio_write32(DMA_SUBSTREAM, 0x80000000);
    provoke("substream 0, which is the default", 0x1000, false);
    mmio_write32(DMA_SUBSTREAM, 0);
    streams[8 * STREAM + 1] = 0;
    invalidate_all();
    provoke("no substream, which is disabled", 0x1000, false);
    memset(second, 0, sizeof second);
}

static void invalidation(void) {
    fresh();
    ste(STAGE1, (u64)contexts);
    cd(0);
    invalidate_all();
    say("before", copy(0x1000, 0x2000, 16, 0), 0, 0, 16);
    map(first, 0x2000, target + PAGE, USER_RW);
    fresh();
    say("remapped, not invalidated", copy(0x1000, 0x2000, 16, 0), 0, 0, 16);
    invalidate(0x12 | 5ull << 32 | 1ull << 48, 0x2000);
    fresh();
    say("remapped, TLBI_NH_VA", copy(0x1000, 0x2000, 16, 0), 0, PAGE, 16);
    map(first, 0x2000, target, USER_RW);
    invalidate(0x11 | 5ull << 32 | 1ull << 48, 0);
    fresh();
    say("and back, TLBI_NH_ASID", copy(0x1000, 0x2000, 16, 0), 0, 0, 16);
}

static void faults(void) {
    provoke("not mapped", 0x8000, false);
    map(first, 0x9000, target, USER_RO);
    provoke("read-only", 0x9008, true);
    map(first, 0x9000, target, PRIVILEGED_RW);
    provoke("privileged", 0x9008, false);
    print("privileged, as such: status %x\n", copy(0x9000, 0x2000, 16, PRIVILEGED));
    map(first, 0xa000, target, NOT_ACCESSED);
    provoke("not accessed", 0xa000, false);
    provoke("beyond T0SZ", 0x8000000000, false);
    map(first, 0xb000, (void *)0x10000000000, USER_RW);
    contexts[0] &= ~(7ull << 32);
    contexts[0] |= 2ull << 32; /* IPS = 40 bits */
    invalidate_all();
    provoke("output beyond IPS", 0xb000, false);
    first[0][2] = NOWHERE | 3;
    provoke("table outside memory", 0x80200000, false);
    map(first, 0xc000, (void *)NOWHERE, USER_RW);
    provoke("page outside memory", 0xc000, false);

    contexts[0] &= ~(1ull << 31);
    invalidate_all();
    provoke("CD.V = 0", 0x1000, false);
    ste(STAGE1, NOWHERE);
    invalidate_all();
    provoke("CD outside memory", 0x1000, false);
    streams[8 * STREAM] = 0;
    invalidate_all();
    provoke("STE.V = 0", 0x1000, false);

    cd(0);
    ste(NESTED, (u64)contexts);
    invalidate_all();
    provoke("stage 2 does not map the context", 0x1000, false);
    second[0][1] = 0x40000000 | (STAGE2_RO & ~2ull);
    map(first, 0x1000, (void *)0x5000, USER_RW);
    invalidate_all();
    provoke("stage 2 does not map the output", 0x1000, false);
    map(second, 0x5000, source, STAGE2_RO);
    map(first, 0x2000, (void *)0x5000, USER_RW);
    invalidate_all();
    provoke("stage 2 is read-only", 0x2000, true);
    second[0][1] = 0;
    invalidate(0x28 | 5ull << 32, 0);
    provoke("stage 2 does not map a table", 0x1000, false);

    enable(0xc);
    mmio_write64(STRTAB_BASE, NOWHERE);
    enable(ON);
    invalidate_all();
    provoke("STE outside memory", 0x1000, false);
    enable(0xc);
    mmio_write64(STRTAB_BASE, (u64)streams);
    mmio_write32(STRTAB_BASE_CFG, 0);
    enable(ON);
    invalidate_all();
    provoke("stream beyond the table", 0x1000, false);
    enable(0xc);
    mmio_write32(STRTAB_BASE_CFG, 4);
    enable(ON);
}

static void interrupts(void) {
    static const u32 all[] = {INTID_DMA, INTID_EVENTQ, INTID_CMDQ_SYNC, INTID_GERROR};
    on_irq = irq;
    for (u32 i = 0; i < 4; i++) {
        take_interrupt(all[i], i > 0);
    }
    mmio_write32(IRQ_CTRL, 5);
    ste(BYPASS, 0);
    invalidate_all();
    fresh();
    mmio_write64(DMA_SOURCE, (u64)source);
    mmio_write64(DMA_TARGET, (u64)target);
    mmio_write64(DMA_LENGTH, sizeof source);
    mmio_write32(DMA_CONTROL, START | DONE_ENABLE);
    sleep_until(taken, 1);
    say("interrupt of the DMA engine", mmio_read32(DMA_STATUS), 0, 0, sizeof source);

    command(0x46 | 1 << 12, 0);
    sleep_until(taken + 2, 1);
    ste(STAGE1, NOWHERE);
    invalidate_all();
    copy(0x1000, 0x2000, 16, 0);
    sleep_until(taken + 1, 1);
    print("interrupts: DMA %u, eventq %u, cmdq-sync %u, gerror %u\n", taken[0], taken[1], taken[2], taken[3]);

    /* An overflow: the queue holds four. */
    for (u32 i = 0; i < 5; i++) {
        copy(0x1000, 0x2000, 16, 0);
    }
    print("overflow: OVFLG %u\n", mmio_read32(EVENTQ_PROD) >> 31);
    check(tell_events() == 4, "the queue was full");

    command(0xff, 0);
    sleep_until(taken + 3, 1);
    print("CERROR %u, GERROR %x\n", mmio_read32(CMDQ_CONS) >> 24, mmio_read32(GERROR));
    commands[(mmio_read32(CMDQ_CONS) & 7) * 2] = 0x46;
    dsb(ishst);
    mmio_write32(GERRORN, mmio_read32(GERROR));
    sync();
    print("interrupts: DMA %u, eventq %u, cmdq-sync %u, gerror %u\n", taken[0], taken[1], taken[2], taken[3]);
}

/* Code that a device writes: `mov w0, #1; ret` becomes `mov w0, #2; ret`, where a loop has made it hot. */
static u32 code[16] __attribute__((aligned(64))) = {0x52800020, 0xd65f03c0};
static const u32 other[2] __attribute__((aligned(64))) = {0x52800040, 0xd65f03c0};

static void coherence(void) {
    ste(BYPASS, 0);
    invalidate_all();
    u32 (*function)(void) = (u32(*)(void))(u64)code;
    u32 sum = 0;
    for (u32 i = 0; i < 1000; i++) {
        sum += function();
    }
    u32 status = copy((u64)other, (u64)code, 8, 0);
    asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
    for (u32 i = 0; i < 1000; i++) {
        sum += function();
    }
    print("code by DMA: status %x, sum %u\n", status, sum);

    mmio_write64(DMA_SOURCE, (u64)source);
    mmio_write64(DMA_LENGTH, 4);
    static u32 cell[32] __attribute__((aligned(64)));
    for (u32 beside = 0; beside < 2; beside++) {
        u32 failed;
        mmio_write64(DMA_TARGET, (u64)(cell + 16 * beside + 3));
        asm volatile("ldxr w9, [%1]\n"
                     "str %w2, [%3]\n"
                     "1: ldr w10, [%4]\n"
                     "tbnz w10, #0, 1b\n"
                     "stxr %w0, w9, [%1]\n"
                     : "=&r"(failed)
                     : "r"(cell), "r"(START), "r"(DMA_CONTROL), "r"(DMA_STATUS)
                     : "w9", "w10", "memory");
        mmio_write32(DMA_INTERRUPT_CLEAR, 6);
        print("exclusive, DMA %s its granule: STXR returns %u\n", beside ? "beside" : "to", failed);
    }
}

int guest(void) {
    title("smmu-dma");
    gic_init();
    gic_init_core();
    u32 features = mmio_read32(IDR0);
    print("stage 1 %u, stage 2 %u, OAS %u\n", features >> 1 & 1, features & 1, mmio_read32(IDR5) & 7);
    mmio_write64(STRTAB_BASE, (u64)streams);
    mmio_write32(STRTAB_BASE_CFG, 4);
    mmio_write64(CMDQ_BASE, (u64)commands | 3);
    mmio_write64(EVENTQ_BASE, (u64)events | 2);
    mmio_write32(CR2, 2); /* RECINVSID */
    modes();
    lists_and_substreams();
    invalidation();
    faults();
    interrupts();
    coherence();
    print("done\n");
    return 0;
}
