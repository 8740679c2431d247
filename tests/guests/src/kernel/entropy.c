#include "entropy.h"

u32 entropy_read(u8 *to, u32 bytes) {
    static struct queue queue;
    static struct device *device;
    if (!device) {
        struct device *found = virtio_find(virtio_entropy, 0);
        if (!found || !virtio_start(found, 0) || !queue_open(&queue, found, 0)) {
            return 0;
        }
        virtio_ready(found);
        device = found;
    }
    u32 total = 0;
    while (total < bytes) {
        struct part part = {to + total, bytes - total, true};
        u32 n = 0;
        queue_add(&queue, &part, 1);
        queue_kick(&queue);
        if (queue_wait(&queue, &n) < 0 || n == 0 || n > bytes - total) {
            break;
        }
        total += n;
    }
    return total;
}
