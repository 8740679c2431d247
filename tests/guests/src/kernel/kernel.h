/* Everything that a kernel's program may use. */
#pragma once
#include "clock.h"
#include "console.h"
#include "core.h"
#include "exception.h"
#include "intc.h"
#include "lock.h"
#include "machine.h"
#include "mmu.h"
#include "sysreg.h"
#include "text.h"

/* The level at which the kernel was entered is `entry_el` (core.h); it runs at EL1. The program's name, then what it found:
   "NAME: GICv3, 4 cores, 128 MiB of RAM at 0x40000000, console pl011". */
void introduce(const char *name);
/* X0 at the entry. */
extern u64 entry_x0;

/* Formats like print(), into a buffer; the number of characters without the terminating zero. */
u32 format(char *to, u32 size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sends characters to the console as they are. */
void console_write(const char *text, u32 length);
/* The next character that was typed, or -1. Its interrupt wakes a core that sleeps. */
int console_read(void);
/* Lets the console's input interrupt this core. */
void console_listen(void);
/* What the console is: "pl011", "virtio" or "memory" (the last 4 KiB of it, at the symbol console_memory). */
const char *console_name(void);

/* Where print() goes on a machine with neither PL011 nor virtio console; 0: into memory. */
extern void (*console_other)(const char *text, u32 length);
/* Whether X0 at the entry may be the end of memory instead of a device tree (Rhyper's bare-metal applications). */
extern bool takes_end_of_memory;
