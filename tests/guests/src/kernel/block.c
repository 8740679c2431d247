#include "block.h"
#include "text.h"

enum { most_blocks = 4 };

struct header {
    u32 type, reserved;
    u64 sector;
};

static struct block blocks[most_blocks];
static struct header headers[queue_slots];
static u8 answers[queue_slots];

struct block *block_open(u32 n) {
    struct device *device = virtio_find(virtio_block, n);
    if (!device || n >= most_blocks) {
        return 0;
    }
    struct block *block = &blocks[n];
    if (block->device) {
        return block;
    }
    if (!virtio_start(device, 1ull << feature_block_read_only | 1ull << feature_block_flush | 1ull << feature_block_discard) ||
        !queue_open(&block->queue, device, 0)) {
        return 0;
    }
    block->device = device;
    virtio_ready(device);
    block->read_only = device->features >> feature_block_read_only & 1;
    block->flushes = device->features >> feature_block_flush & 1;
    block->sectors = virtio_config32(device, 0) | (u64)virtio_config32(device, 4) << 32;
    return block;
}

/* `slot` chooses the header and the answer byte, which live until the request ends. */
static int submit(struct block *block, u32 slot, u32 type, u64 sector, void *data, u32 bytes) {
    headers[slot] = (struct header){type, 0, sector};
    answers[slot] = block_lost;
    bool device_writes = type == block_in || type == block_get_id;
    struct part parts[3] = {{&headers[slot], sizeof headers[slot], false}, {data, bytes, device_writes}, {&answers[slot], 1, true}};
    if (!bytes) {
        parts[1] = parts[2];
    }
    return queue_add(&block->queue, parts, bytes ? 3 : 2);
}

u8 block_request(struct block *block, u32 type, u64 sector, void *data, u32 bytes) {
    if (submit(block, 0, type, sector, data, bytes) < 0) {
        return block_lost;
    }
    queue_kick(&block->queue);
    queue_wait(&block->queue, 0);
    return *(volatile u8 *)&answers[0];
}

u32 block_burst(struct block *block, u32 type, u64 sector, u8 *data, u32 count) {
    u32 added = 0, ended = 0, good = 0;
    memset(answers, block_lost, sizeof answers);
    while (ended < count) {
        while (added < count && added - ended < queue_slots &&
               submit(block, added % queue_slots, type, sector + added, data + added * sector_bytes, sector_bytes) >= 0) {
            added++;
        }
        queue_kick(&block->queue);
        /* Devices may answer out of order: a slot is used again only when all before it have ended. */
        for (; ended < added; ended++) {
            if (queue_wait(&block->queue, 0) < 0) {
                return good;
            }
        }
        for (u32 i = 0; i < queue_slots; i++) {
            good += answers[i] == block_ok;
            answers[i] = block_lost;
        }
    }
    return good;
}
