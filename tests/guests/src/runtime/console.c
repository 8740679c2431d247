/* PL011 console, printing, and semihosting (Arm "Semihosting for AArch32 and AArch64"). */
#include "guest.h"

#define UARTDR (UART_BASE + 0x000)
#define UARTFR (UART_BASE + 0x018)
#define UARTIBRD (UART_BASE + 0x024)
#define UARTFBRD (UART_BASE + 0x028)
#define UARTLCR_H (UART_BASE + 0x02c)
#define UARTCR (UART_BASE + 0x030)
#define UARTFR_BUSY 0x08
#define UARTFR_TXFF 0x20

static struct spinlock console_lock;

void console_init(void) {
    while (mmio_read32(UARTFR) & UARTFR_BUSY) {
    }
    mmio_write32(UARTCR, 0);
    mmio_write32(UARTIBRD, 13); /* 115200 baud from 24 MHz */
    mmio_write32(UARTFBRD, 1);
    mmio_write32(UARTLCR_H, 0x70); /* 8 bits, FIFOs on */
    mmio_write32(UARTCR, 0x301);   /* RXE, TXE, UARTEN */
}

static void put(char c) {
    while (mmio_read32(UARTFR) & UARTFR_TXFF) {
    }
    mmio_write32(UARTDR, (u8)c);
}

#include "format.h"

void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    u64 daif = READ(daif);
    asm volatile("msr daifset, #3" : : : "memory"); /* a handler that prints must not find its own core's lock */
    lock(&console_lock);
    vprint(format, arguments);
    unlock(&console_lock);
    WRITE(daif, daif);
    va_end(arguments);
}

void print_raw(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
}

void exit(int code) {
    u64 block[2] = {0x20026, (u64)code};
    while (mmio_read32(UARTFR) & UARTFR_BUSY) {
    }
    register u64 operation asm("x0") = 0x18;
    register u64 argument asm("x1") = (u64)block;
    asm volatile("dsb sy\n hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
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

/* GCC may call these even from freestanding code (sysreg.h declares them). */
void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((u8 *)to)[i] = ((const u8 *)from)[i];
    }
    return to;
}
void *memset(void *to, int value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((u8 *)to)[i] = (u8)value;
    }
    return to;
}
