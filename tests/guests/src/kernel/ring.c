/* What both layouts of a virtqueue share: memory, numbers of requests. */
#include "ring.h"
#include "console.h"
#include "text.h"

enum { most_open = 12, descriptor_area_bytes = 16 * queue_slots, other_area_bytes = 1024 };

struct area {
    u8 descriptors[descriptor_area_bytes];
    u8 driver[other_area_bytes];
    u8 device[other_area_bytes];
    union indirect_table tables[queue_slots];
} __attribute__((aligned(4096)));

static struct area areas[most_open] __attribute__((section(".noinit")));
static u32 opened;

void ring_prepare(struct queue *queue, struct device *device, u32 index, u32 size) {
    struct area *area = 0;
    /* A queue that is opened again, after a reset of its device, keeps its memory. */
    for (u32 i = 0; i < opened && queue->descriptors; i++) {
        area = queue->descriptors == areas[i].descriptors ? &areas[i] : area;
    }
    if (!area) {
        check(opened < most_open, "there is memory for another queue");
        area = &areas[opened++];
    }
    memset(area, 0, sizeof *area);
    memset(queue, 0, sizeof *queue);
    queue->device = device;
    queue->index = (u16)index;
    queue->size = (u16)size;
    queue->packed = device->features >> feature_packed & 1;
    queue->event_index = device->features >> feature_event_index & 1;
    queue->indirect = device->features >> feature_indirect & 1;
    queue->descriptors = area->descriptors;
    queue->driver_area = area->driver;
    queue->device_area = area->device;
    queue->tables = area->tables;
    queue->avail_wrap = queue->used_wrap = true;
    queue->slots_free = queue->free_count = (u16)size;
    for (u32 i = 0; i < size; i++) {
        queue->free_ids[i] = (u16)(size - 1 - i);
    }
}

int queue_add(struct queue *queue, const struct part *parts, u32 count) {
    return queue->packed ? packed_add(queue, parts, count) : split_add(queue, parts, count);
}
int queue_take(struct queue *queue, u32 *bytes) {
    return queue->packed ? packed_take(queue, bytes) : split_take(queue, bytes);
}
bool ring_wants_kick(struct queue *queue) {
    return queue->packed ? packed_wants_kick(queue) : split_wants_kick(queue);
}
void queue_want_interrupt(struct queue *queue) {
    queue->packed ? packed_want_interrupt(queue) : split_want_interrupt(queue);
}
