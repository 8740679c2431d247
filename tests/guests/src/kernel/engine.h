/* A DMA engine (`compatible = "heddle,dma-1"`), which copies memory and interrupts when it has. One core uses it at a time. */
#pragma once
#include "machine.h"

struct engine {
    u64 base;
    u32 intid;
};
/* An element of a list, and the address of the next one; 0 in the last. */
struct engine_element {
    u64 from, to, bytes, next;
};

/* The first engine that the device tree has, or 0. */
struct engine *engine_open(void);
/* Sleeps until the copy has ended; DMA_STATUS without BUSY. */
u32 engine_copy(struct engine *engine, u64 from, u64 to, u64 bytes);
u32 engine_follow(struct engine *engine, const struct engine_element *list);
u64 engine_copied(struct engine *engine);
/* The address of the access that was aborted. */
u64 engine_fault(struct engine *engine);
