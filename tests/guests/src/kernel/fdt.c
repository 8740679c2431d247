/* The flattened device tree: tokens FDT_BEGIN_NODE, FDT_PROP, FDT_END_NODE, all big-endian and 4-byte aligned. The
 * memory reservation block is not looked at: these kernels allocate nothing outside their own image. */
#include "fdt.h"
#include "text.h"

enum { magic = 0xd00dfeed, begin_node = 1, end_node = 2, property = 3, nop = 4, most_depth = 16 };
enum { off_dt_struct = 8, off_dt_strings = 12 };

static u32 word(const u8 *p) {
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static const u8 *aligned(const u8 *p) {
    return (const u8 *)(((u64)p + 3) & ~3ull);
}

u64 fdt_number(const u8 *cells, u32 count) {
    return count == 2 ? (u64)word(cells) << 32 | word(cells + 4) : count == 1 ? word(cells) : 0;
}

bool fdt_is_tree(u64 address) {
    return address && (address & 3) == 0 && word((const u8 *)address) == magic;
}

const u8 *fdt_property(const struct fdt_node *node, const char *name, u32 *bytes) {
    const u8 *at = node->properties;
    for (;;) {
        u32 token = word(at);
        if (token == nop) {
            at += 4;
        } else if (token == property) {
            u32 length = word(at + 4);
            if (text_equal((const char *)node->strings + word(at + 8), name)) {
                if (bytes) {
                    *bytes = length;
                }
                return at + 12;
            }
            at = aligned(at + 12 + length);
        } else {
            return 0;
        }
    }
}

static u32 cells_of(const struct fdt_node *node, const char *name, u32 otherwise) {
    const u8 *value = fdt_property(node, name, 0);
    return value ? word(value) : otherwise;
}

void fdt_walk(u64 address, void (*visit)(const struct fdt_node *node)) {
    const u8 *tree = (const u8 *)address;
    const u8 *at = tree + word(tree + off_dt_struct);
    u32 address_cells[most_depth] = {2}, size_cells[most_depth] = {1};
    u32 depth = 0;
    for (;;) {
        u32 token = word(at);
        if (token == begin_node && depth + 1 < most_depth) {
            struct fdt_node node = {.name = (const char *)at + 4, .depth = depth, .strings = tree + word(tree + off_dt_strings)};
            node.properties = aligned((const u8 *)node.name + text_length(node.name) + 1);
            node.address_cells = address_cells[depth];
            node.size_cells = size_cells[depth];
            visit(&node);
            depth++;
            address_cells[depth] = cells_of(&node, "#address-cells", 2);
            size_cells[depth] = cells_of(&node, "#size-cells", 1);
            at = node.properties;
        } else if (token == property) {
            at = aligned(at + 12 + word(at + 4));
        } else if (token == end_node && depth) {
            depth--;
            at += 4;
        } else if (token == nop) {
            at += 4;
        } else {
            return;
        }
    }
}

bool fdt_compatible(const struct fdt_node *node, const char *wanted) {
    u32 bytes;
    const char *list = (const char *)fdt_property(node, "compatible", &bytes);
    for (u32 i = 0; list && i < bytes; i += text_length(list + i) + 1) {
        if (text_equal(list + i, wanted)) {
            return true;
        }
    }
    return false;
}

bool fdt_reg(const struct fdt_node *node, u32 n, u64 *address, u64 *size) {
    u32 bytes, a = node->address_cells, s = node->size_cells;
    const u8 *reg = fdt_property(node, "reg", &bytes);
    if (!reg || (n + 1) * (a + s) * 4 > bytes) {
        return false;
    }
    reg += n * (a + s) * 4;
    *address = fdt_number(reg, a);
    *size = fdt_number(reg + 4 * a, s);
    return true;
}

u32 fdt_intid(const struct fdt_node *node, u32 n, bool *edge) {
    u32 bytes;
    const u8 *interrupts = fdt_property(node, "interrupts", &bytes);
    if (!interrupts || (n + 1) * 12 > bytes) {
        return 0;
    }
    interrupts += 12 * n;
    if (edge) {
        *edge = (word(interrupts + 8) & 3) != 0;
    }
    return word(interrupts + 4) + (word(interrupts) == 1 ? 16 : 32);
}
