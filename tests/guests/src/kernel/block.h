/* virtio block device (virtio 1.2, 5.2). */
#pragma once
#include "virtio.h"

enum { sector_bytes = 512 };
enum { block_in = 0, block_out = 1, block_flush = 4, block_get_id = 8, block_discard = 11 };
enum { block_ok = 0, block_io_error = 1, block_unsupported = 2, block_lost = 0xff };
enum { feature_block_read_only = 5, feature_block_flush = 9, feature_block_discard = 13 };

struct block {
    struct device *device;
    struct queue queue;
    u64 sectors;
    bool read_only, flushes; /* it refuses writes; it knows FLUSH */
};

/* The n-th block device, or 0. */
struct block *block_open(u32 n);
/* One request, waited for. `bytes` of data at `data` for IN, OUT and GET_ID; block_lost if the device broke. */
u8 block_request(struct block *block, u32 type, u64 sector, void *data, u32 bytes);
/* Several reads or writes of one sector each under way at once; the number that ended well. */
u32 block_burst(struct block *block, u32 type, u64 sector, u8 *data, u32 count);
