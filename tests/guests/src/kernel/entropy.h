/* virtio entropy device (virtio 1.2, 5.4). */
#pragma once
#include "virtio.h"

/* Fills `to` and returns how many bytes the device gave; 0 without a device. */
u32 entropy_read(u8 *to, u32 bytes);
