/* The machine as its device tree tells it. Nothing here is assumed: a virtual machine may be laid out as it likes. */
#pragma once
#include "kernel-layout.h"
#include "sysreg.h"

enum { most_transports = 32, most_memory = 4, most_redistributors = 4 };

struct region {
    u64 base;
    u64 bytes;
};

struct transport {
    u64 base;
    u32 intid;
    bool edge;
};

struct machine {
    u64 tree;
    struct region memory[most_memory];
    u32 memories;
    u64 cpus[KERNEL_CORES]; /* their affinities */
    u32 cpu_count;
    u32 gic_version;
    u64 gicd;
    u64 gicc;
    struct region gicr[most_redistributors];
    u32 gicrs;
    u32 virtual_timer; /* INTIDs */
    u32 physical_timer;
    bool has_psci;
    bool psci_by_hvc;
    u64 uart;
    u32 uart_intid;
    struct transport transports[most_transports];
    u32 transport_count;
    bool under_rhyper;
    u32 notification; /* the INTID of Rhyper's messages, or 0 */
    struct region store; /* what the host gives to the management VM (store.h) */
    u64 initrd;
    u64 initrd_end;
};

extern struct machine machine;

/* `given` is X0 at the entry. If it is 0 and `search` is set, the tree is looked for 2 MiB below the image, where QEMU puts
   it for an ELF file. */
void machine_read(u64 given, bool search);
/* The largest region of RAM that the tree names, from the end of our image; 0 bytes without a tree. */
struct region machine_free_memory(void);
