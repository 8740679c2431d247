/* Rhyper's interface to its virtual machines: HVC #0 with x7 = fid << 8 | event, arguments in x0-x6, the result in x0, all
 * ones for an error; and the page through which it sends messages, announced by an interrupt. */
#pragma once
#include "sysreg.h"

enum { fid_sys = 0x00, fid_vmm = 0x01, fid_ivc = 0x02, fid_mediated = 0x03, fid_config = 0x11, fid_unilib = 0x12 };
enum { vmm_list_vm = 0, vmm_boot_vm = 2, vmm_shutdown_vm = 3, vmm_reboot_vm = 4, vmm_get_vm_id = 8, vmm_vm_remove = 16, vmm_inject_serror = 32 };
enum { ivc_update_mq = 0, ivc_share_mem = 7 };
enum { mediated_dev_append = 0x30, mediated_dev_notify = 0x31, mediated_drv_notify = 0x32 };
enum {
    config_add_vm = 0,
    config_delete_vm = 1,
    config_cpu = 2,
    config_memory_region = 3,
    config_emulated_device = 4,
    config_passthrough_region = 5,
    config_passthrough_irqs = 6,
    config_passthrough_streams = 7,
    config_dtb_device = 8,
    config_upload_kernel = 9,
};
enum {
    unilib_init = 0,
    unilib_open = 1,
    unilib_close = 2,
    unilib_read = 3,
    unilib_write = 4,
    unilib_lseek = 5,
    unilib_append = 7,
    unilib_finished = 8,
};
#define RHYPER_ERROR (~0ull)

u64 rhyper_call(u32 fid, u32 event, const u64 arguments[7]);
#define rhyper(fid, event, ...) rhyper_call(fid, event, (const u64[7]){__VA_ARGS__})

/* Is Rhyper below us? It says our own VM id then. If not, every later call is an error without an HVC. */
bool rhyper_present(u64 *id);

/* fid, event, and by kind: vm_id (Manage); vm_id and three arguments (UniLib). */
struct message {
    u64 fid, event, vm_id, arguments[3];
};
/* Registers the message page and its interrupt. False if Rhyper refuses or the device tree names no interrupt. */
bool rhyper_listen(void);
/* The oldest message that was not taken yet. */
bool rhyper_take_message(struct message *message);
/* Takes messages in the interrupt handler and resets this machine when it is asked to (VMM, REBOOT_VM). */
void rhyper_obey_reboot(void);
