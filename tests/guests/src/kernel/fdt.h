/* Reading a flattened device tree (Devicetree Specification v0.4, chapter 5), in place and without an allocator. */
#pragma once
#include "sysreg.h"

struct fdt_node {
    const char *name;
    /* The parent's #address-cells and #size-cells, which `reg` of this node is in. */
    u32 address_cells;
    u32 size_cells;
    u32 depth;
    /* The tokens after the name: properties come before children. */
    const u8 *properties;
    const u8 *strings;
};

bool fdt_is_tree(u64 address);
/* Calls `visit` for every node, parents first. */
void fdt_walk(u64 address, void (*visit)(const struct fdt_node *node));
/* The value of a property, or 0. */
const u8 *fdt_property(const struct fdt_node *node, const char *name, u32 *bytes);
/* Does `compatible` list this string? */
bool fdt_compatible(const struct fdt_node *node, const char *wanted);
/* The n-th (address, size) of `reg`; false if there is none. */
bool fdt_reg(const struct fdt_node *node, u32 n, u64 *address, u64 *size);
/* The n-th INTID of `interrupts`, in the three cells of the GIC's binding, or 0. */
u32 fdt_intid(const struct fdt_node *node, u32 n, bool *edge);
/* A big-endian number of one or two cells. */
u64 fdt_number(const u8 *cells, u32 count);
