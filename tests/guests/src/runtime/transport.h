/* The registers of virtio over MMIO (virtio 1.2, section 4.2.2), by offset, and the bits of the device status. */
#pragma once

enum {
    magic_value = 0x000,
    version = 0x004,
    device_id = 0x008,
    device_features = 0x010,
    device_features_sel = 0x014,
    driver_features = 0x020,
    driver_features_sel = 0x024,
    queue_sel = 0x030,
    queue_num_max = 0x034,
    queue_num = 0x038,
    queue_ready = 0x044,
    queue_notify = 0x050,
    interrupt_status = 0x060,
    interrupt_ack = 0x064,
    status = 0x070,
    queue_desc = 0x080,
    queue_driver = 0x090,
    queue_device = 0x0a0,
    config = 0x100,
};
enum { acknowledge = 1, driver = 2, driver_ok = 4, features_ok = 8, needs_reset = 64, failed = 128 };
