/* A virtio device behind the SMMU: an entropy device whose rings and buffers lie at addresses that stage 1 translates, each page
 * elsewhere; what it does where they are not mapped, or may not be written; and where a page has been taken away. Run on the board
 * with iommu=smmuv3 and a virtio-rng-device. Core 0 alone. */
#include "smmu.h"
#include "transport.h"

#define SLOT(n) (0x0a000000ul + 0x200 * (n))
#define STREAM(n) (0x20 + (n))
enum { version_1 = 1 << 0, access_platform = 1 << 1 }; /* of the second word */
enum { entropy = 4, size = 4, descriptor_writes = 2 };

/* Where the device sees what. */
enum { rings_at = 0x11000, buffer_at = 0x33000, next_at = 0x34000, nowhere_at = 0x55000 };

/* Leaves: valid, AF, nG. */
#define RW 0xc43ull
#define RO 0xcc3ull

static u64 streams[64 * 8] __attribute__((aligned(PAGE)));
static u64 context[8] __attribute__((aligned(PAGE)));
static volatile u64 events[4 * 4] __attribute__((aligned(PAGE)));
static u64 level1[512] __attribute__((aligned(PAGE)));
static u64 level2[512] __attribute__((aligned(PAGE)));
static u64 level3[512] __attribute__((aligned(PAGE)));
static struct {
    struct {
        u64 address;
        u32 bytes;
        u16 flags, next;
    } descriptors[size];
    struct {
        u16 flags, index, ring[size];
    } available;
    u8 filler[0x800 - 16 * size - 4 - 2 * size];
    struct {
        u16 flags, index;
        struct {
            u32 id, bytes;
        } ring[size];
    } used;
} rings __attribute__((aligned(PAGE)));
static u8 pages[3][PAGE] __attribute__((aligned(PAGE)));
static u64 device;
static u32 slot;

static void map(u64 input, const void *output, u64 attributes) {
    level3[input / PAGE] = output ? (u64)output | attributes : 0;
    dsb(ishst);
}

static void invalidate(void) {
    command(0x11 | 1ull << 48, 0); /* TLBI_NH_ASID */
    sync();
}

static void write_address(u64 at, u64 address) {
    mmio_write32(device + at, (u32)address);
    mmio_write32(device + at + 4, 0);
}

/* From reset to DRIVER_OK, with one queue. */
static u32 start(void) {
    mmio_write32(device + status, 0);
    mmio_write32(device + status, acknowledge | driver);
    mmio_write32(device + device_features_sel, 1);
    u32 offered = mmio_read32(device + device_features);
    mmio_write32(device + driver_features_sel, 1);
    mmio_write32(device + driver_features, offered & (version_1 | access_platform));
    mmio_write32(device + status, acknowledge | driver | features_ok);
    memset(&rings, 0, sizeof rings);
    mmio_write32(device + queue_sel, 0);
    mmio_write32(device + queue_num, size);
    write_address(queue_desc, rings_at);
    write_address(queue_driver, rings_at + 16 * size);
    write_address(queue_device, rings_at + 0x800);
    mmio_write32(device + queue_ready, 1);
    mmio_write32(device + status, acknowledge | driver | features_ok | driver_ok);
    return offered;
}

static u32 bytes_in(const u8 *page) {
    u32 count = 0;
    for (u32 i = 0; i < PAGE; i++) {
        count += page[i] != 0;
    }
    return count;
}

/* Asks for random bytes; what comes, and where. */
static void ask(const char *what, u64 address, u32 bytes) {
    memset(pages, 0, sizeof pages);
    u16 before = rings.used.index;
    rings.descriptors[0].address = address;
    rings.descriptors[0].bytes = bytes;
    rings.descriptors[0].flags = descriptor_writes;
    rings.available.ring[rings.available.index % size] = 0;
    dmb(ish);
    rings.available.index++;
    dsb(sy);
    mmio_write32(device + queue_notify, 0);
    volatile u16 *index = &rings.used.index;
    while (*index == before && !(mmio_read32(device + status) & needs_reset)) {
    }
    if (*index == before) {
        print("%s: the device needs a reset", what);
    } else {
        print("%s: %u bytes used", what, rings.used.ring[before % size].bytes);
    }
    for (u32 i = 0; i < 3; i++) {
        u32 found = bytes_in(pages[i]);
        print(", page %u %s", i, found == 0 ? "untouched" : found > bytes / 2 ? "written" : "partly");
    }
    print("\n");
    u32 CONS = mmio_read32(EVENTQ_CONS);
    while ((CONS & 7) != (mmio_read32(EVENTQ_PROD) & 7)) {
        volatile u64 *e = events + CONS % 4 * 4;
        print("  event %x, stream slot+0x%x, %s, input 0x%lx\n", (u32)e[0] & 0xff, (u32)(e[0] >> 32) - slot,
              e[1] >> 35 & 1 ? "read" : "write", e[2]);
        CONS = (CONS + 1) & 7;
        mmio_write32(EVENTQ_CONS, CONS);
    }
}

static void translate(void) {
    u64 *s = streams + 8 * STREAM(slot);
    s[0] = 1 | STAGE1 << 1 | (u64)context;
    /* T0SZ = 25, EPD1, V; IPS = 48 bits, AA64, R, A; ASID 1. */
    context[0] = 25 | 1ull << 30 | 1ull << 31 | (5ull | 1 << 9 | 1 << 13 | 1 << 14) << 32 | 1ull << 48;
    context[1] = (u64)level1;
    level1[0] = (u64)level2 | 3;
    level2[0] = (u64)level3 | 3;
    map(rings_at, &rings, RW);
    map(buffer_at, pages[2], RW);
    map(next_at, pages[0], RW);
    mmio_write64(STRTAB_BASE, (u64)streams);
    mmio_write32(STRTAB_BASE_CFG, 6);
    mmio_write64(CMDQ_BASE, (u64)commands | 3);
    mmio_write64(EVENTQ_BASE, (u64)events | 2);
    enable(0xc);
    command(0x04, 31);
    command(0x30, 0);
    sync();
    enable(ON);
}

int guest(void) {
    title("smmu-virtio");
    while (slot < 32 && mmio_read32(SLOT(slot) + device_id) != entropy) {
        slot++;
    }
    check(slot < 32, "there is an entropy device");
    device = SLOT(slot);
    translate();
    print("VIRTIO_F_ACCESS_PLATFORM is %s\n", start() & access_platform ? "offered" : "not offered");
    ask("a buffer", buffer_at + 0x100, 256);
    ask("a buffer over two pages", buffer_at + PAGE - 200, 400);
    ask("a buffer that is not mapped", nowhere_at, 64);
    start();
    map(buffer_at, pages[2], RO);
    invalidate();
    ask("a buffer that is read-only", buffer_at, 64);
    start();
    map(buffer_at, pages[1], RW);
    invalidate();
    ask("the buffer on another page", buffer_at, 64);
    map(rings_at, 0, 0);
    invalidate();
    ask("the rings not mapped", buffer_at, 64);
    print("done\n");
    return 0;
}
