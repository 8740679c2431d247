/* virtio 1.2 over MMIO (section 4.2), device version 2, with split (2.7) and packed (2.8) virtqueues. Offered features that
 * are used: VERSION_1, RING_INDIRECT_DESC, RING_EVENT_IDX, and RING_PACKED when the command line says `packed`. The options
 * `noindirect` and `noevent` leave those two out. A queue is used by one core at a time. */
#pragma once
#include "machine.h"

enum { virtio_net = 1, virtio_block = 2, virtio_console = 3, virtio_entropy = 4 };
enum { queue_slots = 64, most_parts = 8, most_queues = 6 };

enum {
    feature_indirect = 28,
    feature_event_index = 29,
    feature_version_1 = 32,
    feature_packed = 34,
};

struct part {
    void *at;
    u32 bytes;
    bool device_writes;
};

struct descriptor {
    u64 address;
    u32 bytes;
    u16 flags;
    u16 next; /* split ring */
};
struct packed_descriptor {
    u64 address;
    u32 bytes;
    u16 id;
    u16 flags;
};
union indirect_table {
    struct descriptor split[most_parts];
    struct packed_descriptor packed[most_parts];
} __attribute__((aligned(16)));

struct queue {
    struct device *device;
    u16 index;
    u16 size;
    bool packed, event_index, indirect;
    u16 free_ids[queue_slots], free_count;
    u16 slots_of[queue_slots]; /* descriptors that a request takes */
    u16 next[queue_slots];     /* split: the chain of free and used descriptors */
    u16 slots_free;
    /* Split: our next entry of the available ring, the next used element that we read. Packed: places in the one ring. */
    u16 next_avail, next_used;
    u16 kicked_at; /* next_avail at the last notification */
    bool avail_wrap, used_wrap;
    u32 pending; /* slots added since the last notification (packed) */
    void *descriptors, *driver_area, *device_area;
    union indirect_table *tables;
    u32 notifications;
};

struct device {
    u64 base;
    u32 intid;
    u32 id;
    u64 features;
    u32 interrupts;
    bool broken; /* DEVICE_NEEDS_RESET was seen */
    u16 queues;
    void (*on_interrupt)(struct device *device);
};

/* The n-th device with this id, or 0; not started. */
struct device *virtio_find(u32 id, u32 n);
/* Status ACKNOWLEDGE to FEATURES_OK. `wanted` are the features of the device type; false if it refuses. */
bool virtio_start(struct device *device, u64 wanted);
/* DRIVER_OK, after the queues. */
void virtio_ready(struct device *device);
u32 virtio_config32(struct device *device, u32 offset);
u8 virtio_config8(struct device *device, u32 offset);

/* Gives the device its queue n; false if the device has no such queue. */
bool queue_open(struct queue *queue, struct device *device, u32 n);
/* Puts a request of `count` parts into the ring, those that the device reads first. Its number, or -1 if it is full. */
int queue_add(struct queue *queue, const struct part *parts, u32 count);
/* Tells the device, if it wants to be told. */
void queue_kick(struct queue *queue);
/* The number of a request that the device has used, and how many bytes it has written; -1 if there is none. */
int queue_take(struct queue *queue, u32 *bytes);
/* The same, waiting in WFI for the interrupt. -1 only if the device is broken. */
int queue_wait(struct queue *queue, u32 *bytes);
/* Waits without interrupts, for callers that hold the console. */
int queue_poll(struct queue *queue, u32 *bytes);
/* Asks for an interrupt with the next used buffer; look once more after it, before sleeping. */
void queue_want_interrupt(struct queue *queue);
