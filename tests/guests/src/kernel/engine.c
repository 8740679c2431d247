#include "engine.h"
#include "dma.h"
#include "fdt.h"
#include "intc.h"

static struct engine first;
static volatile u32 ended;
static u32 status;

static void visit(const struct fdt_node *node) {
    u64 bytes;
    if (!first.base && fdt_compatible(node, "heddle,dma-1")) {
        fdt_reg(node, 0, &first.base, &bytes);
        first.intid = fdt_intid(node, 0, 0);
    }
}

static void interrupted(u32 intid) {
    (void)intid;
    status = mmio_read32(first.base + dma_status);
    mmio_write32(first.base + dma_interrupt_clear, dma_done | dma_error);
    (void)mmio_read32(first.base + dma_status); /* the line is low before the end of the interrupt */
    ended++;
}

struct engine *engine_open(void) {
    if (!first.base && machine.tree) {
        fdt_walk(machine.tree, visit);
        if (first.base) {
            intc_take(first.intid, false, interrupted);
        }
    }
    return first.base ? &first : 0;
}

static u32 run(struct engine *engine, u32 control) {
    u32 wanted = ended + 1;
    dsb(sy); /* what the CPU has written is there before the engine reads it */
    mmio_write32(engine->base + dma_control, dma_start | dma_done_enable | dma_error_enable | control);
    sleep_until(&ended, wanted);
    return status;
}

u32 engine_copy(struct engine *engine, u64 from, u64 to, u64 bytes) {
    mmio_write64(engine->base + dma_source, from);
    mmio_write64(engine->base + dma_target, to);
    mmio_write64(engine->base + dma_length, bytes);
    return run(engine, 0);
}

u32 engine_follow(struct engine *engine, const struct engine_element *list) {
    mmio_write64(engine->base + dma_list, (u64)list);
    return run(engine, dma_use_list);
}

u64 engine_copied(struct engine *engine) {
    return mmio_read64(engine->base + dma_count);
}

u64 engine_fault(struct engine *engine) {
    return mmio_read64(engine->base + dma_fault);
}
