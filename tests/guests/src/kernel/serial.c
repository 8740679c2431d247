#include "serial.h"
#include "text.h"

enum { most_serials = 4, received_bytes = 64, receive_buffers = 8, sent_bytes = 512 };

struct serial {
    struct device *device;
    struct queue receive, transmit;
    u8 received[receive_buffers][received_bytes];
    u8 of_id[queue_slots]; /* which buffer a request has */
    int current;           /* the buffer being read, or -1 */
    u32 at, filled;
    u8 sent[sent_bytes];
};

static struct serial serials[most_serials];

static void offer(struct serial *serial, u32 buffer) {
    struct part part = {serial->received[buffer], received_bytes, true};
    int id = queue_add(&serial->receive, &part, 1);
    if (id >= 0) {
        serial->of_id[id] = (u8)buffer;
    }
}

struct serial *serial_open(u32 n) {
    struct device *device = virtio_find(virtio_console, n);
    if (!device || n >= most_serials) {
        return 0;
    }
    struct serial *serial = &serials[n];
    if (serial->device) {
        return serial;
    }
    if (!virtio_start(device, 0) || !queue_open(&serial->receive, device, 0) || !queue_open(&serial->transmit, device, 1)) {
        return 0;
    }
    virtio_ready(device);
    serial->device = device;
    serial->current = -1;
    for (u32 i = 0; i < receive_buffers; i++) {
        offer(serial, i);
    }
    queue_want_interrupt(&serial->receive);
    queue_kick(&serial->receive);
    return serial;
}

void serial_write(struct serial *serial, const char *text, u32 length) {
    while (length) {
        u32 n = length < sent_bytes ? length : sent_bytes;
        memcpy(serial->sent, text, n);
        struct part part = {serial->sent, n, false};
        queue_add(&serial->transmit, &part, 1);
        queue_kick(&serial->transmit);
        if (queue_poll(&serial->transmit, 0) < 0) {
            return;
        }
        text += n;
        length -= n;
    }
}

int serial_read(struct serial *serial) {
    if (serial->current < 0) {
        int id = queue_take(&serial->receive, &serial->filled);
        if (id < 0) {
            queue_want_interrupt(&serial->receive);
            id = queue_take(&serial->receive, &serial->filled);
        }
        if (id < 0) {
            return -1;
        }
        serial->current = serial->of_id[id];
        serial->at = 0;
    }
    if (serial->filled == 0) {
        offer(serial, (u32)serial->current);
        queue_kick(&serial->receive);
        serial->current = -1;
        return serial_read(serial);
    }
    int c = serial->received[serial->current][serial->at++];
    if (serial->at == serial->filled) {
        serial->filled = 0;
        serial->at = 0;
    }
    return c;
}
