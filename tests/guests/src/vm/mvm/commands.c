/* The shell's commands: those of the ancestor's command line, the CONFIG calls one by one, and any call by number. */
#include "mvm.h"

enum { most_words = 12 };
void serve_until(u64 deadline);

static const char *words[most_words];
static u32 count;

static u64 number(u32 n) {
    return n < count ? text_number(words[n], 0) : 0;
}

static void answer(u64 result) {
    if (result == RHYPER_ERROR) {
        print("error\n");
    } else {
        print("0x%lx\n", result);
    }
}

/* {num: u64, then per VM id: u32, name[32], type: u32, state: u32} */
static void list(void) {
    static struct {
        u64 count;
        struct {
            u32 id;
            char name[32];
            u32 type, state;
        } vms[8];
    } all;
    static const char *types[] = {"Linux", "Bare Metal App", "FreeRTOS"}, *states[] = {"Inactive", "Pending", "Active"};
    if (rhyper(fid_vmm, vmm_list_vm, (u64)&all) == RHYPER_ERROR) {
        print("error\n");
        return;
    }
    for (u32 i = 0; i < all.count && i < 8; i++) {
        all.vms[i].name[31] = 0;
        print("----------vm[%u]----------\nvm id [%u] name: %s type: %u\nvm type: %s\nvm state: %s\n", i, all.vms[i].id,
              all.vms[i].name, all.vms[i].type, all.vms[i].type < 3 ? types[all.vms[i].type] : "?",
              all.vms[i].state < 3 ? states[all.vms[i].state] : "?");
    }
}

static void own_id(void) {
    u64 id;
    if (rhyper_present(&id)) {
        print("vm id [%lu]\n", id);
    } else {
        print("error\n");
    }
}

static void config(void) {
    if (count > 2) {
        configuration_build(words[2]);
    } else {
        configuration_list();
    }
}

static void boot(void) {
    answer(rhyper(fid_vmm, vmm_boot_vm, number(2)));
}
static void reboot(void) {
    bool force = count > 3 && text_equal(words[3], "--force");
    answer(rhyper(fid_vmm, vmm_reboot_vm, (number(2) & 0xffff) | (force ? 1 << 16 : 0)));
}
static void shut_down(void) {
    answer(rhyper(fid_vmm, vmm_shutdown_vm, number(2)));
}
static void inject_serror(void) {
    answer(rhyper(fid_vmm, vmm_inject_serror, number(2), number(3)));
}
static void remove_vm(void) {
    u64 result = rhyper(fid_vmm, vmm_vm_remove, number(2));
    if (result != RHYPER_ERROR) {
        configuration_forget(number(2));
    }
    answer(result);
}

/* The CONFIG calls one by one. Strings and lists live here while the call lasts. */
static void add(void) {
    static u64 request[8];
    const u64 values[8] = {(u64)words[2], text_length(words[2]), number(3), (u64) "", 0, number(4), number(5), 0};
    memcpy(request, values, sizeof request);
    answer(rhyper(fid_config, config_add_vm, (u64)request));
}
static void memory(void) {
    answer(rhyper(fid_config, config_memory_region, number(2), number(3), number(4)));
}
static void cpu(void) {
    answer(rhyper(fid_config, config_cpu, number(2), number(3), number(4), number(5)));
}
static void device(void) {
    static u64 settings[16];
    memset(settings, 0, sizeof settings);
    for (u32 i = 8; i < count; i++) {
        settings[i - 8] = number(i);
    }
    answer(rhyper(fid_config, config_emulated_device, number(2), (u64)words[3], number(5), number(6), number(7), (u64)settings, number(4)));
}
static void pass(void) {
    answer(rhyper(fid_config, config_passthrough_region, number(2), number(3), number(4), number(5)));
}
static void numbers(u32 event) {
    static u64 numbers_of_call[most_words];
    for (u32 i = 3; i < count; i++) {
        numbers_of_call[i - 3] = number(i);
    }
    answer(rhyper(fid_config, event, number(2), (u64)numbers_of_call, count > 3 ? count - 3 : 0));
}
static void irqs(void) {
    numbers(config_passthrough_irqs);
}
static void streams(void) {
    numbers(config_passthrough_streams);
}
static void load(void) {
    print("%s\n", count > 3 && upload(number(2), words[3]) ? "loaded" : "error");
}
static void call(void) {
    answer(rhyper((u32)number(1), (u32)number(2), number(3), number(4), number(5), number(6), number(7), number(8), number(9)));
}

static void type(void) {
    static char text[200];
    u32 length = 0;
    for (u32 i = 2; i < count; i++) {
        length += format(text + length, sizeof text - length, i > 2 ? " %s" : "%s", words[i]);
    }
    print("%s\n", consoles_type((u32)number(1), text) ? "sent" : "error");
}

static void wait(void) {
    serve_until(clock_now() + clock_ticks(number(1) * 1000));
}
/* The reset of VM 0 is the machine's, whatever other VMs do; its SYSTEM_OFF is its own alone. */
static void leave(void) {
    if (machine.under_rhyper) {
        psci(PSCI_SYSTEM_RESET, 0, 0, 0);
    }
    exit(0);
}
static void show_file(const char *name, const u8 *data, u64 bytes) {
    (void)data;
    print("initrd/%s: %lu bytes\n", name, bytes);
}
static void list_files(void) {
    archive_walk(show_file);
    files_report();
}
static void help(void);

static const struct {
    const char *first, *second; /* the words that choose it; the second may be 0 */
    u32 least;                  /* words with those */
    const char *says;
    void (*run)(void);
} commands[] = {
    {"vm", "list", 2, "vm list", list},
    {"vm", "config", 2, "vm config [NAME]                    build a VM from a sample configuration, or list them", config},
    {"vm", "boot", 3, "vm boot ID", boot},
    {"vm", "reboot", 3, "vm reboot ID [--force]", reboot},
    {"vm", "shutdown", 3, "vm shutdown ID", shut_down},
    {"vm", "remove", 3, "vm remove ID", remove_vm},
    {"vm", "serror", 3, "vm serror ID [VCPU]                 an SError interrupt", inject_serror},
    {"vm", "id", 2, "vm id                               our own", own_id},
    {"vm", "getvmid", 2, 0, own_id},
    {"vm", "add", 4, "vm add NAME TYPE [KERNEL [TREE]]", add},
    {"vm", "memory", 5, "vm memory ID IPA BYTES", memory},
    {"vm", "cpu", 6, "vm cpu ID NUMBER BITMAP MASTER", cpu},
    {"vm", "device", 8, "vm device ID NAME TYPE BASE BYTES INTID [SETTING...]", device},
    {"vm", "pass", 6, "vm pass ID IPA PA BYTES", pass},
    {"vm", "irqs", 4, "vm irqs ID INTID...", irqs},
    {"vm", "streams", 4, "vm streams ID STREAM...", streams},
    {"vm", "load", 4, "vm load ID FILE                     of the initial RAM disk", load},
    {"hvc", 0, 3, "hvc FID EVENT [ARGUMENT...]", call},
    {"disk", 0, 1, "disk                                the daemon for block requests", mediated_report},
    {"files", 0, 1, "files                               the initial RAM disk and the file service", list_files},
    {"type", 0, 3, "type N WORDS...                     a line to the console hvcN", type},
    {"wait", 0, 2, "wait MILLISECONDS", wait},
    {"exit", 0, 1, "exit                                power off", leave},
    {"help", 0, 1, "help", help},
};
enum { command_count = sizeof commands / sizeof commands[0] };

static void help(void) {
    for (u32 i = 0; i < command_count; i++) {
        if (commands[i].says) {
            print("%s\n", commands[i].says);
        }
    }
}

void command(char *line) {
    count = 0;
    for (char *p = line; *p && count < most_words;) {
        while (*p == ' ') {
            *p++ = 0;
        }
        if (*p) {
            words[count++] = p;
        }
        while (*p && *p != ' ') {
            p++;
        }
    }
    if (!count) {
        return;
    }
    for (u32 i = 0; i < command_count; i++) {
        if (text_equal(words[0], commands[i].first) &&
            (!commands[i].second || (count > 1 && text_equal(words[1], commands[i].second)))) {
            if (count < commands[i].least) {
                print("usage: %s\n", commands[i].says);
            } else {
                commands[i].run();
            }
            return;
        }
    }
    print("no command %s; try help\n", words[0]);
}
