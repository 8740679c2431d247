/* The program of the management VM: a shell for Rhyper's calls, the daemon that serves block requests of other VMs, and the
 * file service of bare-metal applications, and the other ends of consoles. Everything is done on one core between two sleeps in WFI: the console, the message
 * page and the disk each wake it by an interrupt.
 *
 * The store's script (store.h) comes first. Options: script="COMMAND;COMMAND;…" is carried out first (with `exit` at its end the machine is powered off); disks=N offers
 * equal parts of the first virtio block device in place of every device as a whole; ramdisk=SECTORS is the size of the disk in memory that
 * is offered where there is no such device (2048).
 */
#include "mvm/mvm.h"

static char typed[256];
static u32 typed_count;

static void serve_others(void) {
    struct message message;
    consoles_serve();
    while (rhyper_take_message(&message)) {
        if (message.fid == fid_mediated && message.event == mediated_drv_notify) {
            mediated_serve();
        } else if (message.fid == fid_unilib) {
            files_serve(&message);
        } else if (message.fid == fid_config && message.event == config_upload_kernel) {
            configuration_reload(message.vm_id);
        } else if (message.fid == fid_vmm && message.event == vmm_reboot_vm) {
            print("mvm: asked to reboot\n");
            psci(PSCI_SYSTEM_RESET, 0, 0, 0);
        } else {
            print("mvm: message 0x%lx/%lu for VM %lu is not for us\n", message.fid, message.event, message.vm_id);
        }
    }
}

static void prompt(void) {
    print("mvm> ");
}

static void serve_console(void) {
    int c;
    while ((c = console_read()) >= 0) {
        if (c == '\r' || c == '\n') {
            print("\n");
            typed[typed_count] = 0;
            typed_count = 0;
            command(typed);
            prompt();
        } else if ((c == 8 || c == 127) && typed_count) {
            typed_count--;
            print("\b \b");
        } else if (c >= ' ' && c < 127 && typed_count + 1 < sizeof typed) {
            typed[typed_count++] = (char)c;
            print("%c", c);
        }
    }
    console_listen();
}

/* What a command that waits does meanwhile: one look at messages and consoles, then sleep until something comes or the deadline. */
void serve_until(u64 deadline) {
    irq_mask();
    while ((long)(clock_now() - deadline) < 0) {
        serve_others();
        clock_sleep(deadline);
    }
    irq_unmask();
}

/* Carries out commands with `separator` between them; their text is written over. */
static void run_script(char *at, char separator) {
    while (*at) {
        char *end = at;
        while (*end && *end != separator) {
            end++;
        }
        bool last = *end == 0;
        *end = 0;
        print("mvm> %s\n", at);
        command(at);
        irq_mask();
        serve_others();
        irq_unmask();
        at = last ? end : end + 1;
    }
}

int guest(void) {
    introduce("mvm");
    u64 id = 0;
    bool hosted = rhyper_present(&id);
    if (hosted) {
        print("mvm: VM %lu of Rhyper, messages %s\n", id, rhyper_listen() ? "on" : "off");
    } else {
        print("mvm: runs bare, every call will be refused\n");
    }
    mediated_start();
    consoles_start();
    static char script[4096];
    u64 bytes = 0;
    const char *stored = store_script(&bytes);
    for (u64 i = 0; i < bytes && i + 1 < sizeof script; i++) {
        script[i] = stored[i];
    }
    run_script(script, '\n');
    text_copy(script, option_text("script", ""), sizeof script);
    run_script(script, ';');
    prompt();
    irq_mask();
    for (;;) {
        serve_others();
        serve_console();
        sleep_once();
    }
}
