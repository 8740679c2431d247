/* virtio console (virtio 1.2, 5.3): port 0 only, VIRTIO_CONSOLE_F_MULTIPORT is not negotiated. */
#pragma once
#include "virtio.h"

struct serial;
/* The n-th console device, or 0. */
struct serial *serial_open(u32 n);
/* Returns when the device has taken the characters. */
void serial_write(struct serial *serial, const char *text, u32 length);
/* The next character, or -1. */
int serial_read(struct serial *serial);
