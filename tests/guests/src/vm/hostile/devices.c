/* Attacks on virtio devices: what a driver must not do (virtio 1.2, "driver requirements"), on the first device there is. */
#include "hostile.h"
#include "ring.h"

enum { status_at = 0x70, needs_reset = 64, patience_ms = 200 };

static struct device *device;
static struct queue queue;

/* A freshly reset device with its last queue open (block 0, entropy 0, console and network transmit 1). */
static bool open_device(void) {
    static const u8 ids[] = {virtio_block, virtio_entropy, virtio_console, virtio_net};
    for (u32 i = 0; i < sizeof ids; i++) {
        device = virtio_find(ids[i], 0);
        if (device && virtio_start(device, 0) && queue_open(&queue, device, ids[i] == virtio_block || ids[i] == virtio_entropy ? 0 : 1)) {
            virtio_ready(device);
            return true;
        }
    }
    tell("no device");
    return false;
}

static void notify(void) {
    dsb(sy);
    mmio_write32(device->base + 0x50, queue.index);
}

/* What the device makes of it: it may use the buffer, stop (DEVICE_NEEDS_RESET), or wait. Then it must work after a reset. */
static void tell_device(void) {
    u32 status = 0;
    bool used = false;
    for (u32 i = 0; i < patience_ms && !used && !(status & needs_reset); i++) {
        clock_pause(1000);
        status = mmio_read32(device->base + status_at);
        used = queue_take(&queue, 0) >= 0;
    }
    bool again = open_device();
    tell("the device %s, and a reset %s", status & needs_reset ? "needs a reset" : used ? "has used the buffer" : "waits",
         again ? "helps" : "does NOT help");
}

static u8 data[1024] __attribute__((aligned(64)));

static void bad_part(void *at, u32 bytes, bool device_writes) {
    struct part parts[3] = {{data, 16, false}, {at, bytes, device_writes}, {data + 32, 1, true}};
    queue.indirect = false;
    queue_add(&queue, parts, 3);
    notify();
    tell_device();
}

static void outside_write(void) {
    if (open_device()) {
        memset(data, 0, sizeof data); /* block: IN of sector 0 */
        bad_part((void *)hole(), 512, true);
    }
}
static void outside_read(void) {
    if (open_device()) {
        memset(data, 0, sizeof data);
        data[0] = 1; /* OUT */
        bad_part((void *)hole(), 512, false);
    }
}
static void across_the_end(void) {
    if (open_device()) {
        memset(data, 0, sizeof data);
        bad_part((void *)(machine.memory[0].base + machine.memory[0].bytes - 256), 4096, true);
    }
}
static void huge_length(void) {
    if (open_device()) {
        memset(data, 0, sizeof data);
        bad_part(data, 0xffffffff, true);
    }
}
static void into_a_device(void) {
    if (open_device()) {
        memset(data, 0, sizeof data);
        bad_part((void *)machine.gicd, 512, true);
    }
}

/* From here on the rings are written by hand. Packed: descriptors whose flags say that they are available, the first one last. */
enum { packed_avail = 1 << 7 };
static void offer_packed(const struct packed_descriptor *descriptors, u32 descriptor_count) {
    struct packed_descriptor *ring = queue.descriptors;
    for (u32 i = descriptor_count; i-- > 0;) {
        ring[i] = descriptors[i];
        ring[i].flags |= packed_avail;
        dmb(sy);
    }
    notify();
    tell_device();
}
static void offer_by_hand(u32 head) {
    volatile u16 *available = queue.driver_area;
    available[2] = (u16)head;
    dmb(sy);
    available[1] = 1;
    notify();
    tell_device();
}

static void loop(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        /* A ring of one chain that never ends. */
        struct packed_descriptor all[queue_slots];
        for (u32 i = 0; i < queue.size; i++) {
            all[i] = (struct packed_descriptor){(u64)data, 16, 0, flag_next};
        }
        offer_packed(all, queue.size);
    } else {
        struct descriptor *table = queue.descriptors;
        table[0] = (struct descriptor){(u64)data, 16, flag_next, 1};
        table[1] = (struct descriptor){(u64)data, 16, flag_next, 0};
        offer_by_hand(0);
    }
}
static void next_outside(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        /* The chain goes on in a descriptor that is not available. */
        offer_packed(&(struct packed_descriptor){(u64)data, 16, 0, flag_next}, 1);
    } else {
        struct descriptor *table = queue.descriptors;
        table[0] = (struct descriptor){(u64)data, 16, flag_next, 0xffff};
        offer_by_hand(0);
    }
}
static void head_outside(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        offer_packed(&(struct packed_descriptor){(u64)data, 16, 0xffff, 0}, 1);
    } else {
        offer_by_hand(0xfff0);
    }
}
static void indirect_in_indirect(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        struct packed_descriptor *inner = queue.tables[0].packed;
        inner[0] = (struct packed_descriptor){(u64)inner, 16, 0, flag_indirect};
        offer_packed(&(struct packed_descriptor){(u64)inner, 16, 0, flag_indirect}, 1);
    } else {
        struct descriptor *table = queue.descriptors, *inner = queue.tables[0].split;
        inner[0] = (struct descriptor){(u64)inner, 16, flag_indirect, 0};
        table[0] = (struct descriptor){(u64)inner, 16, flag_indirect, 0};
        offer_by_hand(0);
    }
}
static void odd_indirect_table(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        offer_packed(&(struct packed_descriptor){hole(), 0xfffffff7, 0, flag_indirect}, 1);
    } else {
        struct descriptor *table = queue.descriptors;
        table[0] = (struct descriptor){hole(), 0xfffffff7, flag_indirect, 0};
        offer_by_hand(0);
    }
}
static void too_many_available(void) {
    if (!open_device()) {
        return;
    }
    if (queue.packed) {
        /* A buffer of both kinds: available and used, by flags that contradict each other. */
        offer_packed(&(struct packed_descriptor){(u64)data, 16, 0, flag_indirect | flag_next | flag_write}, 1);
    } else {
        volatile u16 *available = queue.driver_area;
        available[1] = 0x7fff;
        notify();
        tell_device();
    }
}

static void rings_outside(void) {
    if (!open_device()) {
        return;
    }
    u64 b = device->base;
    mmio_write32(b + status_at, 0);
    virtio_start(device, 0);
    mmio_write32(b + 0x30, queue.index);
    mmio_write32(b + 0x38, 8);
    for (u32 at = 0x80; at <= 0xa0; at += 0x10) {
        mmio_write32(b + at, (u32)hole());
        mmio_write32(b + at + 4, (u32)(hole() >> 32));
    }
    mmio_write32(b + 0x44, 1);
    virtio_ready(device);
    notify();
    tell_device();
}

static u64 write32(u64 address, u64 value) {
    mmio_write32(address, (u32)value);
    return mmio_read32(address);
}

/* Garbage into every register, and notifications of queues that do not exist. */
static void every_register(void) {
    if (!open_device()) {
        return;
    }
    for (u32 round = 0; round < 4; round++) {
        for (u32 at = 0; at < 0x200; at += 4) {
            if (at != 0x50) {
                survives(write32, device->base + at, pseudo_random());
            }
        }
        for (u32 i = 0; i < 16; i++) {
            survives(write32, device->base + 0x50, pseudo_random());
        }
    }
    tell("garbage in every register; a reset %s", open_device() ? "helps" : "does NOT help");
}

static void queue_size_zero(void) {
    if (!open_device()) {
        return;
    }
    static const u32 sizes[] = {0, 3, 0x8000, 0xffffffff};
    for (u32 i = 0; i < 4; i++) {
        mmio_write32(device->base + status_at, 0);
        virtio_start(device, 0);
        mmio_write32(device->base + 0x30, queue.index);
        survives(write32, device->base + 0x38, sizes[i]);
        survives(write32, device->base + 0x44, 1);
        survives(write32, device->base + 0x50, queue.index);
    }
    tell("odd queue sizes; a reset %s", open_device() ? "helps" : "does NOT help");
}

/* The device is told of buffers that there are not, again and again. */
static void notification_storm(void) {
    if (!open_device()) {
        return;
    }
    u32 rounds = repetitions(2000);
    for (u32 i = 0; i < rounds; i++) {
        notify();
    }
    tell("%u notifications of an empty queue; a reset %s", rounds, open_device() ? "helps" : "does NOT help");
}

static volatile u32 device_interrupts;
static u64 interrupting;
static void acknowledge_at_last(u32 intid) {
    (void)intid;
    if (++device_interrupts >= 100) {
        mmio_write32(interrupting + 0x64, mmio_read32(interrupting + 0x60));
    }
}
/* Requests whose interrupt is not acknowledged until the hundredth time, or not at all where the device is quiet by then. */
static void device_storm(void) {
    if (!open_device()) {
        return;
    }
    interrupting = device->base;
    device_interrupts = 0;
    intc_take(device->intid, false, acknowledge_at_last);
    for (u32 i = 0; i < 100; i++) {
        struct part parts[3] = {{data, 16, false}, {data + 512, 512, true}, {data + 32, 1, true}};
        memset(data, 0, sizeof data);
        queue_add(&queue, parts, 3);
        notify();
        for (u32 n = 0; n < patience_ms && queue_take(&queue, 0) < 0; n++) {
            clock_pause(10);
        }
    }
    intc_disable(device->intid);
    tell("100 requests without an acknowledgement: %s; a reset %s", device_interrupts ? "interrupted" : "NO interrupt",
         open_device() ? "helps" : "does NOT help");
}

const struct attack device_attacks[] = {
    {"a descriptor outside RAM, to be written", outside_write, false},
    {"a descriptor outside RAM, to be read", outside_read, false},
    {"a descriptor across the end of RAM", across_the_end, false},
    {"a descriptor of 4 GiB", huge_length, false},
    {"a descriptor in the interrupt controller", into_a_device, false},
    {"descriptors in a loop", loop, false},
    {"a next descriptor outside the table", next_outside, false},
    {"a head outside the table", head_outside, false},
    {"an indirect table in an indirect table", indirect_in_indirect, false},
    {"an indirect table outside RAM", odd_indirect_table, false},
    {"more available buffers than the ring has", too_many_available, false},
    {"rings outside RAM", rings_outside, false},
    {"garbage in every register of a device", every_register, false},
    {"odd sizes of a ring", queue_size_zero, false},
    {"a storm of notifications", notification_storm, false},
    {"a device that is not acknowledged", device_storm, false},
};
const u32 device_attack_count = sizeof device_attacks / sizeof device_attacks[0];
