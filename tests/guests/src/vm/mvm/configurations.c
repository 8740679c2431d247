/* Sample configurations and how one becomes a VM: ADD_VM, MEMORY_REGION, CPU, EMULATED_DEVICE, PASSTHROUGH, DTB_DEVICE and
 * UPLOAD_KERNEL_IMAGE, whose first call builds it. The layouts are those of the reference's sample guest on QEMU's board; a VM
 * has the GIC version that we have. */
#include "mvm.h"

enum { vm_linux = 0, vm_bare_app = 1 };
enum { emu_gicd = 1, emu_gppt = 2, emu_net = 4, emu_console = 5, emu_rhyper = 6, emu_block_mediated = 7, emu_gicr = 11 };
enum { dtb_gicd = 1, dtb_gicc = 2 };
enum { most_vms = 8, most_emulated = 6, most_settings = 6, piece_bytes = 32 << 20 };

struct emulated {
    const char *name;
    u64 type, base, bytes, intid;
    u64 settings[most_settings];
};

struct configuration {
    const char *name;
    const char *image;
    const char *arguments;
    u64 type, ram, ram_bytes, kernel, tree;
    u64 cores, bitmap, master;
    bool has_vgic;
    struct emulated emulated[most_emulated];
};

#define GICD {"gicd", emu_gicd, 0x8000000, 0x10000, 0, {0}}
#define RHYPER(intid) {"shyper", emu_rhyper, 0, 0, intid, {0}}
#define BLOCK {"virtio_blk", emu_block_mediated, 0xa000000, 0x1000, 48, {0, 1024}}
#define NET(last) {"virtio_net", emu_net, 0xa001000, 0x1000, 49, {0x74, 0x56, 0xaa, 0x0f, 0x47, last}}
#define CONSOLE(peer_ipa) {"virtio_console", emu_console, 0xa002000, 0x1000, 50, {0, peer_ipa}}
#define RAM(base) base, 0x8000000, base + 0x80000, base

static const struct configuration configurations[] = {
    {"gvm1", "minikernel.img", "console=virtio tests=timer,threads,blk,rng", vm_linux, RAM(0x80000000), 1, 1 << 2, 2, true,
     {GICD, BLOCK, NET(0xd1), CONSOLE(0xa002000), RHYPER(64)}},
    {"gvm2", "minikernel.img", "console=virtio tests=timer,threads,smp", vm_linux, RAM(0x80000000), 2, 3 << 2, 2, true,
     {GICD, NET(0xd2), CONSOLE(0xa003000), RHYPER(64)}},
    {"noisy", "minikernel.img", "console=virtio spin=mem", vm_linux, RAM(0x80000000), 1, 1 << 2, 2, true,
     {GICD, CONSOLE(0xa003000), RHYPER(64)}},
    {"rtvm", "rt-task.img", "console=virtio", vm_linux, RAM(0x80000000), 1, 1 << 1, 1, true,
     {{"gppt", emu_gppt, 0x8000000, 0x1000, 0, {0}}, CONSOLE(0xa004000), RHYPER(64)}},
    {"bare", "bare-app.img", "", vm_bare_app, 0x80000000, 0x1000000, 0x80080000, 0, 1, 1 << 3, 3, false, {RHYPER(64)}},
    {"hostile", "hostile.img", "console=virtio attack=all", vm_linux, RAM(0x80000000), 1, 1 << 3, 3, true,
     {GICD, CONSOLE(0xa005000), RHYPER(64)}},
};
enum { configuration_count = sizeof configurations / sizeof configurations[0] };

static const struct configuration *made_from[most_vms];

void configuration_list(void) {
    store_list();
    for (u32 i = 0; i < configuration_count; i++) {
        const struct configuration *c = &configurations[i];
        print("%s: %s, %lu core%s of mask 0x%lx, %lu MiB\n", c->name, c->image, c->cores, c->cores == 1 ? "" : "s", c->bitmap,
              c->ram_bytes >> 20);
    }
}

static bool step(const char *what, u64 result) {
    if (result == RHYPER_ERROR) {
        print("%s: refused\n", what);
    }
    return result != RHYPER_ERROR;
}

bool upload(u64 id, const char *file) {
    u64 bytes;
    const u8 *data = archive_file(file, &bytes);
    if (!data) {
        print("no file %s in the initial RAM disk\n", file);
        return false;
    }
    for (u64 at = 0; at < bytes; at += piece_bytes) {
        u64 piece = bytes - at < piece_bytes ? bytes - at : piece_bytes;
        if (!step("UPLOAD_KERNEL_IMAGE", rhyper(fid_config, config_upload_kernel, id, bytes, (u64)data + at, at, piece))) {
            return false;
        }
    }
    return true;
}

static bool describe(u64 id, const struct configuration *c) {
    bool good = step("MEMORY_REGION", rhyper(fid_config, config_memory_region, id, c->ram, c->ram_bytes)) &&
                step("CPU", rhyper(fid_config, config_cpu, id, c->cores, c->bitmap, c->master));
    for (u32 i = 0; good && i < most_emulated && c->emulated[i].name; i++) {
        const struct emulated *e = &c->emulated[i];
        static u64 settings[16];
        memset(settings, 0, sizeof settings);
        memcpy(settings, e->settings, sizeof e->settings);
        good = step("EMULATED_DEVICE",
                    rhyper(fid_config, config_emulated_device, id, (u64)e->name, e->base, e->bytes, e->intid, (u64)settings, e->type));
    }
    static u64 timer[] = {27};
    if (good && c->has_vgic && machine.gic_version == 3) {
        static u64 none[16];
        good = step("EMULATED_DEVICE", rhyper(fid_config, config_emulated_device, id, (u64) "gicr", 0x80a0000, 0x100000, 0, (u64)none, emu_gicr)) &&
               step("PASSTHROUGH_IRQS", rhyper(fid_config, config_passthrough_irqs, id, (u64)timer, 1));
    } else if (good && c->has_vgic) {
        good = step("PASSTHROUGH", rhyper(fid_config, config_passthrough_region, id, 0x8010000, 0x8040000, 0x2000)) &&
               step("PASSTHROUGH_IRQS", rhyper(fid_config, config_passthrough_irqs, id, (u64)timer, 1)) &&
               step("DTB_DEVICE", rhyper(fid_config, config_dtb_device, id, (u64) "gicd", dtb_gicd, (u64)timer, 0, 0x8000000, 0x1000)) &&
               step("DTB_DEVICE", rhyper(fid_config, config_dtb_device, id, (u64) "gicc", dtb_gicc, (u64)timer, 0, 0x8010000, 0x2000));
    }
    return good;
}

void configuration_build(const char *name) {
    if (store_build(name)) {
        return;
    }
    for (u32 i = 0; i < configuration_count; i++) {
        const struct configuration *c = &configurations[i];
        if (!text_equal(c->name, name)) {
            continue;
        }
        static u64 request[8];
        const u64 values[8] = {(u64)c->name, text_length(c->name), c->type, (u64)c->arguments, text_length(c->arguments), c->kernel, c->tree, 0};
        memcpy(request, values, sizeof request);
        u64 id = rhyper(fid_config, config_add_vm, (u64)request);
        if (step("ADD_VM", id) && describe(id, c) && upload(id, c->image)) {
            made_from[id % most_vms] = c;
            print("VM %lu is %s\n", id, name);
        } else if (id != RHYPER_ERROR) {
            rhyper(fid_config, config_delete_vm, id);
        }
        return;
    }
    print("no configuration %s; there are:\n", name);
    configuration_list();
}

void configuration_reload(u64 id) {
    if (store_reload(id)) {
        return;
    }
    const struct configuration *c = made_from[id % most_vms];
    if (c && upload(id, c->image) && step("BOOT_VM", rhyper(fid_vmm, vmm_boot_vm, id))) {
        print("VM %lu has its kernel again\n", id);
    }
}

void configuration_forget(u64 id) {
    store_forget(id);
    made_from[id % most_vms] = 0;
}
