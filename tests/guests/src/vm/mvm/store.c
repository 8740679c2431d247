/* The store (store.h): VMs that the host has described, made by the calls that it holds. */
#include "store.h"
#include "mvm.h"

enum { most_vms = 8 };

static const struct store_config *made_from[most_vms];

static const struct store *store(void) {
    const struct store *found = (const struct store *)machine.store.base;
    return machine.store.bytes && found->magic == STORE_MAGIC && found->version == 1 ? found : 0;
}

/* The entry whose name is `name` and then `ending`. */
static const u8 *entry(const char *name, const char *ending, u64 *bytes) {
    const struct store *all = store();
    u32 length = text_length(name);
    for (u32 i = 0; all && i < all->count; i++) {
        const struct store_entry *e = &all->entries[i];
        if (text_begins(e->name, name) && text_equal(e->name + length, ending)) {
            *bytes = e->bytes;
            return (const u8 *)all + e->offset;
        }
    }
    return 0;
}

const char *store_script(u64 *bytes) {
    return (const char *)entry("script", "", bytes);
}

void store_list(void) {
    const struct store *all = store();
    for (u32 i = 0; all && i < all->count; i++) {
        const struct store_entry *e = &all->entries[i];
        u32 length = text_length(e->name);
        if (length > 4 && text_equal(e->name + length - 4, ".cfg")) {
            const struct store_config *config = (const struct store_config *)((const u8 *)all + e->offset);
            print("%s: %u calls\n", config->name, config->calls);
        }
    }
}

static u64 make(const u64 *call, u64 id, bool first) {
    const u64 arguments[7] = {first ? call[1] : id, call[2], call[3], call[4], call[5], call[6], call[7]};
    return rhyper_call((u32)(call[0] >> 8), (u32)call[0] & 0xff, arguments);
}

bool store_build(const char *name) {
    u64 bytes, id = 0;
    const struct store_config *config = (const struct store_config *)entry(name, ".cfg", &bytes);
    if (!config) {
        return false;
    }
    for (u32 i = 0; i < config->calls; i++) {
        u64 result = make(config->call[i], id, i == 0);
        if (result == RHYPER_ERROR) {
            print("CONFIG %lu: refused\n", config->call[i][0] & 0xff);
            if (i > 0) {
                rhyper(fid_config, config_delete_vm, id);
            }
            return true;
        }
        id = i == 0 ? result : id;
    }
    made_from[id % most_vms] = config;
    print("VM %lu is %s\n", id, name);
    return true;
}

bool store_reload(u64 id) {
    const struct store_config *config = made_from[id % most_vms];
    for (u32 i = 0; config && i < config->calls; i++) {
        const u64 *call = config->call[i];
        if (call[0] == (fid_config << 8 | config_upload_kernel) && make(call, id, false) == RHYPER_ERROR) {
            print("UPLOAD_KERNEL_IMAGE: refused\n");
            return true;
        }
    }
    if (config && rhyper(fid_vmm, vmm_boot_vm, id) != RHYPER_ERROR) {
        print("VM %lu has its kernel again\n", id);
    }
    return config != 0;
}

void store_forget(u64 id) {
    made_from[id % most_vms] = 0;
}
