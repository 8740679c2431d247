/* The mediated block device: Rhyper puts one request at a time into the page of a backing disk and sends DRV_NOTIFY; we carry
 * it out between the disk and the page's cache and answer with DEV_NOTIFY. The disks are our own virtio block devices, or equal parts
 * of the first with disks=N, or of memory where we have none. */
#include "block.h"
#include "mvm.h"

enum { most_disks = 4, cache_bytes = 64 << 10, most_ram_sectors = 8192 };

struct mediated_page {
    volatile u64 requests; /* raised with every request */
    struct {
        char name[32], path[32];
        u64 sectors, most_bytes, cache_bytes;
        u16 index;
        u8 cached;
        u64 cache_va, cache_ipa, cache_pa;
    } config;
    volatile u32 type;
    volatile u64 sector, count;
    volatile u32 status; /* 0 with every request; we set it where the request fails */
} __attribute__((aligned(4096)));
_Static_assert(offsetof(struct mediated_page, config.index) == 96 && offsetof(struct mediated_page, type) == 128 &&
                   offsetof(struct mediated_page, status) == 152,
               "MediatedBlk");

static struct mediated_page pages[most_disks];
static u64 served[most_disks], first_sector[most_disks], total, failures;
static u8 caches[most_disks][cache_bytes] __attribute__((aligned(4096), section(".noinit")));
static u8 ram_disk[most_ram_sectors * sector_bytes] __attribute__((aligned(4096), section(".noinit")));
static struct block *blocks[most_disks]; /* 0: memory */
static u32 disks;

/* A request on a backing disk; sectors count from the start of the part that is its own. */
static bool transfer(u32 disk, u32 type, u64 sector, u64 sectors) {
    struct block *block = blocks[disk];
    sector += first_sector[disk];
    if (type == block_flush) {
        return !block || !block->flushes || block_request(block, block_flush, 0, 0, 0) == block_ok;
    }
    if (!block) {
        u8 *at = ram_disk + sector * sector_bytes;
        memcpy(type == block_in ? caches[disk] : at, type == block_in ? at : caches[disk], sectors * sector_bytes);
        return true;
    }
    return block_request(block, type, sector, caches[disk], (u32)(sectors * sector_bytes)) == block_ok;
}

/* The self-test of the first sector: what was read is written back and read again; of a disk that refuses writes, read twice. */
static bool self_test(u32 disk) {
    static u8 once[sector_bytes];
    bool works = transfer(disk, block_in, 0, 1);
    memcpy(once, caches[disk], sector_bytes);
    works = works && ((blocks[disk] && blocks[disk]->read_only) || transfer(disk, block_out, 0, 1));
    return works && transfer(disk, block_in, 0, 1) && memcmp(once, caches[disk], sector_bytes) == 0;
}

static void offer(u32 disk, u64 first, u64 sectors) {
    struct mediated_page *page = &pages[disk];
    static const char *paths[most_disks] = {"/dev/vda", "/dev/vdb", "/dev/vdc", "/dev/vdd"};
    u32 device = 0;
    while (device + 1 < most_disks && blocks[disk] && block_open(device) != blocks[disk]) {
        device++;
    }
    format(page->config.name, sizeof page->config.name, "disk%u", disk);
    text_copy(page->config.path, blocks[disk] ? paths[device] : "/dev/ram", sizeof page->config.path);
    first_sector[disk] = first;
    page->config.sectors = sectors;
    page->config.most_bytes = page->config.cache_bytes = cache_bytes;
    page->config.index = (u16)disk;
    page->config.cached = 1;
    page->config.cache_va = page->config.cache_ipa = (u64)caches[disk];
    bool works = self_test(disk);
    bool registered = rhyper(fid_mediated, mediated_dev_append, 0, (u64)page) != RHYPER_ERROR;
    disks += registered;
    print("mvm: disk%u, %lu sectors of %s, self-test %s, %s\n", disk, page->config.sectors, page->config.path,
          works ? "ok" : "FAILED", registered ? "registered" : "not registered");
}

void mediated_start(void) {
    struct block *block = block_open(0);
    if (block && !option_given("disks")) {
        for (u32 i = 0; i < most_disks && (block = block_open(i)); i++) {
            blocks[i] = block;
            offer(i, 0, block->sectors);
        }
        return;
    }
    u64 ram_sectors = option_number("ramdisk", 2048);
    u64 sectors = block ? block->sectors : ram_sectors < most_ram_sectors ? ram_sectors : most_ram_sectors;
    if (!block) {
        memset(ram_disk, 0, sectors * sector_bytes);
    }
    u32 wanted = (u32)option_number("disks", 1);
    wanted = wanted < most_disks ? wanted : most_disks;
    for (u32 i = 0; i < wanted; i++) {
        blocks[i] = block;
        offer(i, sectors / wanted * i, sectors / wanted);
    }
}

void mediated_serve(void) {
    for (u32 i = 0; i < disks; i++) {
        struct mediated_page *page = &pages[i];
        if (page->requests == served[i]) {
            continue;
        }
        dmb(sy); /* the request is read after the number that shows it */
        served[i] = page->requests;
        u64 sector = page->sector, count = page->count;
        bool inside = count <= cache_bytes / sector_bytes && sector <= page->config.sectors && count <= page->config.sectors - sector;
        u32 type = page->type;
        bool known = type == block_in || type == block_out || type == block_flush;
        if (!(inside && known && transfer(i, type, sector, count))) {
            failures++;
            page->status = block_io_error;
        }
        total++;
        dsb(sy); /* the cache is complete before the answer */
        rhyper(fid_mediated, mediated_dev_notify, (u64)page);
    }
}

void mediated_report(void) {
    print("%u disks registered, %lu requests served, %lu failed\n", disks, total, failures);
}
