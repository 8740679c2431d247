/* The console: a PL011, else a virtio console, else memory (for a machine without either, which a debugger reads). */
#include "kernel.h"
#include "serial.h"

enum { uartdr = 0x000, uartfr = 0x018, uartibrd = 0x024, uartfbrd = 0x028, uartlcr_h = 0x02c, uartcr = 0x030, uartimsc = 0x038, uarticr = 0x044 };
enum { txff = 0x20, rxfe = 0x10, busy = 0x08, receive_interrupts = 0x50 };
enum { line_bytes = 512, memory_bytes = 4096 };

static struct spinlock console_lock;
static struct serial *serial;
u8 console_memory[memory_bytes];
void (*console_other)(const char *text, u32 length);
static u32 remembered;

/* print() formats here, under the lock, and then sends the whole. */
static char line[line_bytes], *line_at = line, *line_end = line + line_bytes;
static void put(char c) {
    if (line_at < line_end) {
        *line_at++ = c;
    }
}
#include "format.h"

void console_init(void) {
    if (machine.uart && !text_equal(option_text("console", "pl011"), "virtio")) {
        mmio_write32(machine.uart + uartcr, 0);
        mmio_write32(machine.uart + uartibrd, 13); /* 115200 baud from 24 MHz */
        mmio_write32(machine.uart + uartfbrd, 1);
        mmio_write32(machine.uart + uartlcr_h, 0x70); /* 8 bits, FIFOs on */
        mmio_write32(machine.uart + uartcr, 0x301);   /* RXE, TXE, UARTEN */
    } else {
        serial = serial_open(0);
    }
}

const char *console_name(void) {
    return serial ? "virtio" : machine.uart ? "pl011" : console_other ? "file calls" : "memory";
}

static void send(const char *text, u32 length) {
    if (serial) {
        serial_write(serial, text, length);
        return;
    }
    if (!machine.uart && console_other) {
        console_other(text, length);
        return;
    }
    for (u32 i = 0; i < length; i++) {
        if (machine.uart) {
            while (mmio_read32(machine.uart + uartfr) & txff) {
            }
            mmio_write32(machine.uart + uartdr, (u8)text[i]);
        } else {
            console_memory[remembered++ % memory_bytes] = (u8)text[i];
        }
    }
}

void console_write(const char *text, u32 length) {
    u64 daif = READ(daif);
    asm volatile("msr daifset, #3" : : : "memory"); /* a handler that prints must not find its own core's lock */
    lock(&console_lock);
    send(text, length);
    unlock(&console_lock);
    WRITE(daif, daif);
}

void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    u64 daif = READ(daif);
    asm volatile("msr daifset, #3" : : : "memory");
    lock(&console_lock);
    line_at = line;
    line_end = line + line_bytes;
    vprint(format, arguments);
    send(line, (u32)(line_at - line));
    unlock(&console_lock);
    WRITE(daif, daif);
    va_end(arguments);
}

void print_raw(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    line_at = line;
    line_end = line + line_bytes;
    vprint(format, arguments);
    send(line, (u32)(line_at - line));
    va_end(arguments);
}

u32 format(char *to, u32 size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    u64 daif = READ(daif);
    asm volatile("msr daifset, #3" : : : "memory");
    lock(&console_lock);
    line_at = to;
    line_end = to + size - 1;
    vprint(format, arguments);
    u32 length = (u32)(line_at - to);
    unlock(&console_lock);
    WRITE(daif, daif);
    va_end(arguments);
    to[length] = 0;
    return length;
}

int console_read(void) {
    if (serial) {
        return serial_read(serial);
    }
    if (!machine.uart || mmio_read32(machine.uart + uartfr) & rxfe) {
        return -1;
    }
    return (int)(mmio_read32(machine.uart + uartdr) & 0xff);
}

/* The level stays up while the FIFO holds something: the reader is woken once and reads until it is empty. */
static void typed(u32 intid) {
    (void)intid;
    mmio_write32(machine.uart + uartimsc, 0);
    mmio_write32(machine.uart + uarticr, receive_interrupts);
}

void console_listen(void) {
    if (!serial && machine.uart && machine.uart_intid) {
        static bool connected;
        if (!connected) {
            connected = true;
            intc_take(machine.uart_intid, false, typed);
        }
        mmio_write32(machine.uart + uartimsc, receive_interrupts);
    }
}

static void finish(void) {
    while (!serial && machine.uart && mmio_read32(machine.uart + uartfr) & busy) {
    }
}

/* Powers the machine off; without PSCI the core sleeps for ever. The code is told, since SYSTEM_OFF carries none. */
void exit(int code) {
    if (code) {
        print("exit code %d\n", code);
    }
    finish();
    if (machine.has_psci) {
        psci(PSCI_SYSTEM_OFF, 0, 0, 0);
    }
    irq_mask();
    for (;;) {
        wfi();
    }
}

void check(bool holds, const char *sentence) {
    if (!holds) {
        print("FAILED: %s\n", sentence);
        exit(1);
    }
}
