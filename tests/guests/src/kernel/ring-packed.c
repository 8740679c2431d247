/* Packed virtqueues (virtio 1.2, 2.8): one ring of descriptors, whose AVAIL and USED flags against the wrap counters of
 * both sides say whose each is; event suppression structures of both sides. The number of a request is its buffer ID. */
#include "ring.h"

enum { flag_avail = 1 << 7, flag_used = 1 << 15 };
enum { event_enable = 0, event_disable = 1, event_at = 2 };

struct suppression {
    u16 place; /* bits 14:0 the offset in the ring, bit 15 the wrap counter */
    u16 flags;
};

static u16 available_flags(const struct queue *q) {
    return q->avail_wrap ? flag_avail : flag_used;
}

static void write_slot(struct queue *q, u32 id, u64 address, u32 bytes, u16 flags, struct packed_descriptor **first,
                       u16 *first_flags) {
    struct packed_descriptor *slot = (struct packed_descriptor *)q->descriptors + q->next_avail;
    slot->address = address;
    slot->bytes = bytes;
    slot->id = (u16)id;
    flags |= available_flags(q);
    if (*first) {
        slot->flags = flags;
    } else {
        *first = slot;
        *first_flags = flags;
    }
    if (++q->next_avail == q->size) {
        q->next_avail = 0;
        q->avail_wrap = !q->avail_wrap;
    }
    q->slots_free--;
    q->pending++;
}

int packed_add(struct queue *q, const struct part *parts, u32 count) {
    bool indirect = q->indirect && count > 1;
    u32 needed = indirect ? 1 : count;
    if (!q->free_count || needed > q->slots_free) {
        return -1;
    }
    u16 id = q->free_ids[--q->free_count], first_flags = 0;
    struct packed_descriptor *first = 0;
    q->slots_of[id] = (u16)needed;
    if (indirect) {
        for (u32 i = 0; i < count; i++) {
            u16 flags = parts[i].device_writes ? flag_write : 0;
            q->tables[id].packed[i] = (struct packed_descriptor){(u64)parts[i].at, parts[i].bytes, 0, flags};
        }
        write_slot(q, id, (u64)&q->tables[id], 16 * count, flag_indirect, &first, &first_flags);
    } else {
        for (u32 i = 0; i < count; i++) {
            u16 flags = (i + 1 < count ? flag_next : 0) | (parts[i].device_writes ? flag_write : 0);
            write_slot(q, id, (u64)parts[i].at, parts[i].bytes, flags, &first, &first_flags);
        }
    }
    dmb(sy); /* the chain is visible before its first descriptor makes it available */
    *(volatile u16 *)&first->flags = first_flags;
    return id;
}

int packed_take(struct queue *q, u32 *bytes) {
    volatile struct packed_descriptor *slot = (struct packed_descriptor *)q->descriptors + q->next_used;
    u16 flags = slot->flags;
    bool avail = flags & flag_avail, used = flags & flag_used;
    if (avail != used || used != q->used_wrap) {
        return -1;
    }
    dmb(sy); /* the rest of the descriptor is read after its flags */
    u16 id = slot->id;
    if (bytes) {
        *bytes = slot->bytes;
    }
    q->next_used += q->slots_of[id];
    q->slots_free += q->slots_of[id];
    if (q->next_used >= q->size) {
        q->next_used -= q->size;
        q->used_wrap = !q->used_wrap;
    }
    q->free_ids[q->free_count++] = id;
    return id;
}

bool packed_wants_kick(struct queue *q) {
    volatile struct suppression *theirs = q->device_area;
    u32 added = q->pending;
    q->pending = 0;
    u16 flags = theirs->flags & 3;
    if (flags != event_at) {
        return flags == event_enable && added;
    }
    u16 place = theirs->place, event = place & 0x7fff;
    if ((place >> 15 != 0) != q->avail_wrap) {
        event -= q->size;
    }
    return ring_passed(event, q->next_avail, (u16)(q->next_avail - added));
}

void packed_want_interrupt(struct queue *q) {
    volatile struct suppression *ours = q->driver_area;
    if (q->event_index) {
        ours->place = (u16)(q->next_used | (q->used_wrap ? 1 << 15 : 0));
        dmb(sy);
        ours->flags = event_at;
    } else {
        ours->flags = event_enable;
    }
    dmb(sy); /* the wish is visible before we look whether it came too late */
}
