/* The console (PL011) and the two ways to end a run. */
#pragma once
#include "sysreg.h"

/* The runtime does it before guest(); hooks at EL3 and EL2 come earlier. */
void console_init(void);

/* %d %u %x %c %s %%, with l, a width and zero padding; one call prints as a whole. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without the lock: for EL2 and EL3, which run with their MMU off. */
void print_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Semihosting SYS_EXIT (ADP_Stopped_ApplicationExit, code). */
void exit(int code) __attribute__((noreturn));
/* Prints the sentence and exits with 1 unless it holds. */
void check(bool holds, const char *sentence);
