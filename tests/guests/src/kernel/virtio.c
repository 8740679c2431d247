/* The transport: finding devices, negotiating, interrupts. */
#include "virtio.h"
#include "console.h"
#include "intc.h"
#include "ring.h"
#include "text.h"
#include "transport.h"

enum { most_devices = 16 };

static struct device devices[most_devices];
static u32 device_count;

static void interrupted(u32 intid) {
    for (u32 i = 0; i < device_count; i++) {
        struct device *device = &devices[i];
        if (device->intid != intid) {
            continue;
        }
        u32 causes = mmio_read32(device->base + interrupt_status);
        if (causes) {
            mmio_write32(device->base + interrupt_ack, causes);
            dsb(sy);
            device->interrupts++;
            if (device->on_interrupt) {
                device->on_interrupt(device);
            }
        }
        if (causes & 2) {
            device->broken |= (mmio_read32(device->base + status) & needs_reset) != 0;
        }
    }
}

struct device *virtio_find(u32 id, u32 n) {
    for (u32 i = 0; i < machine.transport_count; i++) {
        u64 base = machine.transports[i].base;
        if (mmio_read32(base + magic_value) != 0x74726976 || mmio_read32(base + version) != 2 ||
            mmio_read32(base + device_id) != id || n--) {
            continue;
        }
        for (u32 k = 0; k < device_count; k++) {
            if (devices[k].base == base) {
                return &devices[k];
            }
        }
        check(device_count < most_devices, "there is room for another device");
        struct device *device = &devices[device_count++];
        device->base = base;
        device->id = id;
        device->intid = machine.transports[i].intid;
        intc_take(device->intid, machine.transports[i].edge, interrupted);
        return device;
    }
    return 0;
}

bool virtio_start(struct device *device, u64 wanted) {
    u64 b = device->base;
    mmio_write32(b + status, 0);
    while (mmio_read32(b + status)) {
    }
    device->broken = false;
    device->queues = 0;
    mmio_write32(b + status, acknowledge);
    mmio_write32(b + status, acknowledge | driver);
    mmio_write32(b + device_features_sel, 0);
    u64 offered = mmio_read32(b + device_features);
    mmio_write32(b + device_features_sel, 1);
    offered |= (u64)mmio_read32(b + device_features) << 32;
    wanted |= 1ull << feature_version_1;
    wanted |= option_given("packed") ? 1ull << feature_packed : 0;
    wanted |= option_given("noindirect") ? 0 : 1ull << feature_indirect;
    wanted |= option_given("noevent") ? 0 : 1ull << feature_event_index;
    device->features = offered & wanted;
    mmio_write32(b + driver_features_sel, 0);
    mmio_write32(b + driver_features, (u32)device->features);
    mmio_write32(b + driver_features_sel, 1);
    mmio_write32(b + driver_features, (u32)(device->features >> 32));
    mmio_write32(b + status, acknowledge | driver | features_ok);
    if (!(mmio_read32(b + status) & features_ok) || !(device->features >> feature_version_1 & 1)) {
        mmio_write32(b + status, failed);
        return false;
    }
    return true;
}

void virtio_ready(struct device *device) {
    mmio_write32(device->base + status, acknowledge | driver | features_ok | driver_ok);
    dsb(sy);
}

u32 virtio_config32(struct device *device, u32 offset) {
    return mmio_read32(device->base + config + offset);
}
u8 virtio_config8(struct device *device, u32 offset) {
    u32 value;
    asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(device->base + config + offset) : "memory");
    return (u8)value;
}

static void write_address(u64 at, const void *p) {
    mmio_write32(at, (u32)(u64)p);
    mmio_write32(at + 4, (u32)((u64)p >> 32));
}

bool queue_open(struct queue *queue, struct device *device, u32 n) {
    u64 b = device->base;
    mmio_write32(b + queue_sel, n);
    u32 most = mmio_read32(b + queue_num_max);
    if (!most || mmio_read32(b + queue_ready)) {
        return false;
    }
    u32 size = queue_slots;
    while (size > most) {
        size /= 2;
    }
    ring_prepare(queue, device, n, size);
    mmio_write32(b + queue_num, size);
    write_address(b + queue_desc, queue->descriptors);
    write_address(b + queue_driver, queue->driver_area);
    write_address(b + queue_device, queue->device_area);
    dsb(sy);
    mmio_write32(b + queue_ready, 1);
    return true;
}

void queue_kick(struct queue *queue) {
    dmb(sy); /* the ring is visible before we ask whether to notify */
    if (ring_wants_kick(queue)) {
        queue->notifications++;
        dsb(sy);
        mmio_write32(queue->device->base + queue_notify, queue->index);
    }
}

int queue_poll(struct queue *queue, u32 *bytes) {
    int id;
    while ((id = queue_take(queue, bytes)) < 0) {
        if (mmio_read32(queue->device->base + status) & needs_reset) {
            queue->device->broken = true;
            return -1;
        }
        asm volatile("yield");
    }
    return id;
}

int queue_wait(struct queue *queue, u32 *bytes) {
    u64 daif = READ(daif);
    irq_mask();
    int id;
    while ((id = queue_take(queue, bytes)) < 0 && !queue->device->broken) {
        queue_want_interrupt(queue);
        if ((id = queue_take(queue, bytes)) >= 0) {
            break;
        }
        sleep_once();
    }
    WRITE(daif, daif);
    return id;
}
