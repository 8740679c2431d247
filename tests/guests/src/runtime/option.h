/* Numbers on the command line of semihosting, as in "repeat=100" (Heddle: --kernel-args, QEMU: -append): benchmarks make guests long. */
#pragma once
#include "sysreg.h"

#define SYS_GET_CMDLINE 0x15

/* The number behind `name=`, or `otherwise` where there is none. */
static inline u64 option(const char *name, u64 otherwise) {
    static char line[256];
    struct {
        char *text;
        u64 bytes;
    } block = {line, sizeof line};
    register u64 x0 asm("x0") = SYS_GET_CMDLINE;
    register void *x1 asm("x1") = &block;
    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    if (x0 != 0) {
        return otherwise;
    }
    for (const char *word = line; *word; word++) {
        if (word != line && word[-1] != ' ') {
            continue;
        }
        const char *at = word, *wanted = name;
        for (; *wanted && *at == *wanted; at++) {
            wanted++;
        }
        if (*wanted || *at != '=') {
            continue;
        }
        u64 value = 0;
        for (at++; *at >= '0' && *at <= '9'; at++) {
            value = value * 10 + (u64)(*at - '0');
        }
        return value;
    }
    return otherwise;
}
