/* The two layouts of a virtqueue behind queue_add() and queue_take(): ring-split.c and ring-packed.c. */
#pragma once
#include "virtio.h"

enum { flag_next = 1, flag_write = 2, flag_indirect = 4 };

/* Gives the queue memory and an empty ring. */
void ring_prepare(struct queue *queue, struct device *device, u32 index, u32 size);
/* Has the device asked to be told about what was added since it was told last? Forgets it. */
bool ring_wants_kick(struct queue *queue);
/* The rule of VIRTIO_F_EVENT_IDX: `now` has passed `event` since `before` (modulo 2^16). */
static inline bool ring_passed(u16 event, u16 now, u16 before) {
    return (u16)(now - event - 1) < (u16)(now - before);
}

int split_add(struct queue *queue, const struct part *parts, u32 count);
int split_take(struct queue *queue, u32 *bytes);
bool split_wants_kick(struct queue *queue);
void split_want_interrupt(struct queue *queue);
int packed_add(struct queue *queue, const struct part *parts, u32 count);
int packed_take(struct queue *queue, u32 *bytes);
bool packed_wants_kick(struct queue *queue);
void packed_want_interrupt(struct queue *queue);
