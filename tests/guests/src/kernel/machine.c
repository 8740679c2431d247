/* What the nodes of the device tree mean to these kernels: Linux's bindings (Documentation/devicetree/bindings), and one
 * two of our own: `compatible = "heddle,rhyper"`, whose `interrupts` is the interrupt of Rhyper's messages, and
 * "heddle,store", whose `reg` is the store of VMs (store.h). */
#include "fdt.h"
#include "machine.h"
#include "text.h"

struct machine machine;
extern u8 image_start[], image_end[];

static void chosen(const struct fdt_node *node) {
    const char *arguments = (const char *)fdt_property(node, "bootargs", 0);
    if (arguments) {
        options_set(arguments);
    }
    u32 bytes;
    const u8 *start = fdt_property(node, "linux,initrd-start", &bytes);
    if (start) {
        machine.initrd = fdt_number(start, bytes / 4);
    }
    const u8 *end = fdt_property(node, "linux,initrd-end", &bytes);
    if (end) {
        machine.initrd_end = fdt_number(end, bytes / 4);
    }
}

static void interrupt_controller(const struct fdt_node *node, u32 version) {
    u64 size;
    machine.gic_version = version;
    fdt_reg(node, 0, &machine.gicd, &size);
    if (version == 2) {
        fdt_reg(node, 1, &machine.gicc, &size);
        return;
    }
    u32 bytes;
    const u8 *count = fdt_property(node, "#redistributor-regions", &bytes);
    u32 regions = count ? (u32)fdt_number(count, 1) : 1;
    for (u32 i = 0; i < regions && i < most_redistributors; i++) {
        struct region *region = &machine.gicr[machine.gicrs];
        machine.gicrs += fdt_reg(node, 1 + i, &region->base, &region->bytes);
    }
}

static void visit(const struct fdt_node *node) {
    u64 base, size;
    u32 bytes;
    const char *type = (const char *)fdt_property(node, "device_type", &bytes);
    const char *status = (const char *)fdt_property(node, "status", &bytes);
    if (status && !text_begins(status, "ok")) {
        return;
    }
    if (text_equal(node->name, "chosen")) {
        chosen(node);
    } else if (type && text_equal(type, "memory")) {
        for (u32 i = 0; machine.memories < most_memory && fdt_reg(node, i, &base, &size); i++) {
            machine.memory[machine.memories++] = (struct region){base, size};
        }
    } else if (type && text_equal(type, "cpu")) {
        if (machine.cpu_count < KERNEL_CORES && fdt_reg(node, 0, &base, &size)) {
            machine.cpus[machine.cpu_count++] = base;
        }
    } else if (fdt_compatible(node, "arm,gic-v3")) {
        interrupt_controller(node, 3);
    } else if (fdt_compatible(node, "arm,gic-400") || fdt_compatible(node, "arm,cortex-a15-gic")) {
        interrupt_controller(node, 2);
    } else if (fdt_compatible(node, "arm,armv8-timer") || fdt_compatible(node, "arm,armv7-timer")) {
        machine.physical_timer = fdt_intid(node, 1, 0);
        machine.virtual_timer = fdt_intid(node, 2, 0);
    } else if (fdt_compatible(node, "arm,psci-0.2") || fdt_compatible(node, "arm,psci-1.0")) {
        const char *method = (const char *)fdt_property(node, "method", &bytes);
        machine.has_psci = true;
        machine.psci_by_hvc = method && text_equal(method, "hvc");
    } else if (fdt_compatible(node, "arm,pl011") && !machine.uart) {
        fdt_reg(node, 0, &machine.uart, &size);
        machine.uart_intid = fdt_intid(node, 0, 0);
    } else if (fdt_compatible(node, "virtio,mmio") && machine.transport_count < most_transports) {
        struct transport *transport = &machine.transports[machine.transport_count++];
        fdt_reg(node, 0, &transport->base, &size);
        transport->intid = fdt_intid(node, 0, &transport->edge);
    } else if (fdt_compatible(node, "heddle,rhyper")) {
        machine.under_rhyper = true;
        machine.notification = fdt_intid(node, 0, 0);
    } else if (fdt_compatible(node, "heddle,store")) {
        fdt_reg(node, 0, &machine.store.base, &machine.store.bytes);
    }
}

void machine_read(u64 given, bool search) {
    u64 below = (u64)image_start - 0x200000;
    if (search && given == 0) {
        given = below;
    }
    if (fdt_is_tree(given)) {
        machine.tree = given;
        fdt_walk(given, visit);
    }
    if (!machine.cpu_count) {
        machine.cpus[machine.cpu_count++] = READ(mpidr_el1) & 0xff00ffffffull;
    }
}

struct region machine_free_memory(void) {
    u64 end = (u64)image_end;
    for (u32 i = 0; i < machine.memories; i++) {
        u64 top = machine.memory[i].base + machine.memory[i].bytes;
        if (end >= machine.memory[i].base && end < top) {
            u64 occupied[] = {machine.tree, machine.initrd};
            for (u32 k = 0; k < 2; k++) {
                top = occupied[k] >= end && occupied[k] < top ? occupied[k] : top;
            }
            return (struct region){end, (top - end) & ~0xfffull};
        }
    }
    return (struct region){end, 0};
}
