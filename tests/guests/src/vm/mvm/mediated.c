/* The mediated block device: Rhyper puts one request at a time into the page of a backing disk and sends DRV_NOTIFY; we carry
 * it out between the disk and the page's cache and answer with DEV_NOTIFY. The disk is our own virtio block device, or memory. */
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
} __attribute__((aligned(4096)));
_Static_assert(offsetof(struct mediated_page, config.index) == 96 && offsetof(struct mediated_page, type) == 128, "MediatedBlk");

static struct mediated_page pages[most_disks];
static u64 served[most_disks], first_sector[most_disks], total, failures;
static u8 caches[most_disks][cache_bytes] __attribute__((aligned(4096), section(".noinit")));
static u8 ram_disk[most_ram_sectors * sector_bytes] __attribute__((aligned(4096), section(".noinit")));
static struct block *block;
static u32 disks;

static bool transfer(u32 type, u64 sector, u8 *data, u64 sectors) {
    if (!block) {
        u8 *at = ram_disk + sector * sector_bytes;
        memcpy(type == block_in ? data : at, type == block_in ? at : data, sectors * sector_bytes);
        return true;
    }
    return block_request(block, type, sector, data, (u32)(sectors * sector_bytes)) == block_ok;
}

void mediated_start(void) {
    block = block_open(0);
    u64 ram_sectors = option_number("ramdisk", 2048);
    u64 sectors = block ? block->sectors : ram_sectors < most_ram_sectors ? ram_sectors : most_ram_sectors;
    if (!block) {
        memset(ram_disk, 0, sectors * sector_bytes);
    }
    u32 wanted = (u32)option_number("disks", 1);
    wanted = wanted < most_disks ? wanted : most_disks;
    for (u32 i = 0; i < wanted; i++) {
        struct mediated_page *page = &pages[i];
        format(page->config.name, sizeof page->config.name, "disk%u", i);
        text_copy(page->config.path, block ? "/dev/vda" : "/dev/ram", sizeof page->config.path);
        first_sector[i] = sectors / wanted * i;
        page->config.sectors = sectors / wanted;
        page->config.most_bytes = page->config.cache_bytes = cache_bytes;
        page->config.index = (u16)i;
        page->config.cached = 1;
        page->config.cache_va = page->config.cache_ipa = (u64)caches[i];
        /* The self-test of the first sector: what was read is written back and read again. */
        static u8 once[sector_bytes], again[sector_bytes];
        bool works = transfer(block_in, first_sector[i], once, 1) && transfer(block_out, first_sector[i], once, 1) &&
                     transfer(block_in, first_sector[i], again, 1) && memcmp(once, again, sector_bytes) == 0;
        bool registered = rhyper(fid_mediated, mediated_dev_append, 0, (u64)page) != RHYPER_ERROR;
        disks += registered;
        print("mvm: disk%u, %lu sectors of %s, self-test %s, %s\n", i, page->config.sectors, page->config.path,
              works ? "ok" : "FAILED", registered ? "registered" : "not registered");
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
        bool moves = page->type == block_in || page->type == block_out;
        if (!(inside && moves && transfer(page->type, first_sector[i] + sector, caches[i], count))) {
            failures++;
        }
        total++;
        dsb(sy); /* the cache is complete before the answer */
        rhyper(fid_mediated, mediated_dev_notify, (u64)page);
    }
}

void mediated_report(void) {
    print("%u disks registered, %lu requests served, %lu failed\n", disks, total, failures);
}
