/* The store that the host puts into the MVM's memory: images and configurations of the VMs that it creates (src/vm/store.ts has
 * the layout in words). The device tree names it: compatible "heddle,store", reg. It is read-only, and addresses are aligned
 * to what they point to. A configuration is a list of hypercalls that only lack the new VM's id. */
#pragma once
#include "sysreg.h"

#define STORE_MAGIC 0x5453454c44444548ull /* "HEDDLEST" */

struct store {
    u64 magic;
    u32 version;
    u32 count;
    u64 bytes;
    u64 zero;
    struct store_entry {
        char name[48];
        u64 offset; /* from the store's first byte; a multiple of 4 KiB */
        u64 bytes;
    } entries[];
};

/* NAME.cfg */
struct store_config {
    char name[32];
    u32 calls;
    u32 type; /* 0 an operating system, 1 a bare-metal application */
    u64 zero[3];
    /* X7, then X0 to X6. The first is ADD_VM, which answers with the id; X0 of every other is to be that id. */
    u64 call[][8];
};
