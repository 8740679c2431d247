/* Cores: how many there are, who we are, starting others; PSCI (Arm DEN 0022). */
#pragma once
#include "layout.h"
#include "sysreg.h"

#define PSCI_VERSION 0x84000000
#define PSCI_CPU_SUSPEND 0xc4000001
#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0xc4000003
#define PSCI_AFFINITY_INFO 0xc4000004
#define PSCI_MIGRATE_INFO_TYPE 0x84000006
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define PSCI_FEATURES 0x8400000a

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)

struct core {
    void (*main)(void);
    u64 gicr;
    u32 index;
} __attribute__((aligned(64)));

extern struct core cores[MAX_CORES];

/* The exception level at which the boot core was entered: 1, 2 or 3. */
extern u32 entry_el;

static inline struct core *this_core(void) {
    struct core *core;
    asm("mrs %0, tpidr_el1" : "=r"(core));
    return core;
}
static inline u32 core_index(void) {
    return this_core()->index;
}

/* The affinity of core n, as the board gives it: 16 cores to a cluster, so that one SGI target list covers it. */
static inline u64 core_affinity(u32 n) {
    return (n & 15) | (u64)(n >> 4) << 8;
}

/* By HVC or SMC, whichever the level of entry implies. Not for a guest entered at EL3. */
long psci(u64 function, u64 a, u64 b, u64 c);

u32 core_count(void);
/* Prints "NAME: N cores". */
void title(const char *name);
void start_core(u32 n, void (*main)(void));
/* Starts every other core with `main`, then calls it here as well. */
void on_all_cores(void (*main)(void));

/* Of all cores: a barrier, and one call each, in the order of their indices. */
void meet_all(void);
void in_core_order(void (*say)(u32 n));

/* Where a core that was started by PSCI begins; its context is its index. */
void secondary_start(void);

/* A guest's program. Its result is the exit code. */
int guest(void);
