/* Split virtqueues (virtio 1.2, 2.7): a descriptor table, the available ring that we write, the used ring of the device.
 * A request takes the descriptor of its number when its parts are in an indirect table or it has only one; else a chain
 * of descriptors that starts there, of which the numbers of the others are taken too. */
#include "ring.h"

struct available {
    u16 flags, index, ring[queue_slots], used_event;
};
struct used {
    u16 flags, index;
    struct {
        u32 id, bytes;
    } ring[queue_slots];
};

/* used_event and avail_event lie behind `size` elements. */
static volatile u16 *used_event(struct queue *q) {
    return (volatile u16 *)((u8 *)q->driver_area + 4 + 2 * q->size);
}
static volatile u16 *avail_event(struct queue *q) {
    return (volatile u16 *)((u8 *)q->device_area + 4 + 8 * q->size);
}

int split_add(struct queue *q, const struct part *parts, u32 count) {
    struct descriptor *table = q->descriptors;
    bool indirect = q->indirect && count > 1;
    u32 needed = indirect ? 1 : count;
    if (needed > q->free_count) {
        return -1;
    }
    u16 ids[most_parts] = {0};
    for (u32 i = 0; i < needed; i++) {
        ids[i] = q->free_ids[--q->free_count];
    }
    u16 head = ids[0];
    q->slots_of[head] = (u16)needed;
    if (indirect) {
        for (u32 i = 0; i < count; i++) {
            bool last = i + 1 == count;
            u16 flags = (last ? 0 : flag_next) | (parts[i].device_writes ? flag_write : 0);
            q->tables[head].split[i] = (struct descriptor){(u64)parts[i].at, parts[i].bytes, flags, (u16)(last ? 0 : i + 1)};
        }
        table[head] = (struct descriptor){(u64)&q->tables[head], 16 * count, flag_indirect, 0};
    } else {
        for (u32 i = 0; i < count; i++) {
            u16 next = i + 1 < count ? flag_next : 0, write = parts[i].device_writes ? flag_write : 0;
            q->next[ids[i]] = next ? ids[i + 1] : 0;
            table[ids[i]] = (struct descriptor){(u64)parts[i].at, parts[i].bytes, next | write, q->next[ids[i]]};
        }
    }
    volatile struct available *available = q->driver_area;
    available->ring[q->next_avail % q->size] = head;
    dmb(sy); /* the descriptors and the entry are visible before the index */
    available->index = ++q->next_avail;
    return head;
}

int split_take(struct queue *q, u32 *bytes) {
    volatile struct used *used = q->device_area;
    if (used->index == q->next_used) {
        return -1;
    }
    dmb(sy); /* the element is read after the index that shows it */
    u32 head = used->ring[q->next_used % q->size].id;
    if (bytes) {
        *bytes = used->ring[q->next_used % q->size].bytes;
    }
    q->next_used++;
    *used_event(q) = q->next_used; /* harmless without the feature */
    u16 id = (u16)head;
    for (u32 i = 0; i < q->slots_of[head]; i++) {
        q->free_ids[q->free_count++] = id;
        id = q->next[id];
    }
    return (int)head;
}

bool split_wants_kick(struct queue *q) {
    u16 before = q->kicked_at;
    q->kicked_at = q->next_avail;
    if (q->event_index) {
        return ring_passed(*avail_event(q), q->next_avail, before);
    }
    return !(((volatile struct used *)q->device_area)->flags & 1) && before != q->next_avail; /* VIRTQ_USED_F_NO_NOTIFY */
}

void split_want_interrupt(struct queue *q) {
    ((volatile struct available *)q->driver_area)->flags = 0;
    *used_event(q) = q->next_used;
    dmb(sy); /* the wish is visible before we look whether it came too late */
}
