/* The file service (fid 0x12): a small file system in memory, a directory for each VM. A call is a message; its path or data
 * is in the page's buffer, its result goes into the page with a flag, which Rhyper waits for. Files 1 and 2 are our console.
 * No directories below a VM's own, no permissions, no removal. */
#include "mvm.h"

enum { most_clients = 4, most_files = 16, most_open = 16, file_bytes = 8192, buffer_bytes = 16384, name_bytes = 64 };
enum { flag_create = 0x40, flag_truncate = 0x200, flag_append = 0x400 };

struct client {
    struct {
        char name[32];
        u64 vm_id, buffer_bytes, buffer_va, buffer_ipa, buffer_pa;
    } config;
    volatile u64 flag, value;
} __attribute__((aligned(4096)));
_Static_assert(offsetof(struct client, flag) == 72 && offsetof(struct client, value) == 80, "UnilibFS");

struct file {
    char name[name_bytes];
    u64 vm_id;
    u32 bytes;
    u8 data[file_bytes];
};
struct open_file {
    struct file *file;
    u64 vm_id;
    u32 at;
    bool appends;
};

static struct client clients[most_clients];
static u8 buffers[most_clients][buffer_bytes] __attribute__((aligned(4096)));
static u32 client_count;
static struct file files[most_files];
static struct open_file open_files[most_open];
static u64 calls;

static struct client *client_of(u64 vm_id) {
    for (u32 i = 0; i < client_count; i++) {
        if (clients[i].config.vm_id == vm_id) {
            return &clients[i];
        }
    }
    return 0;
}

static void add_client(u64 vm_id) {
    struct client *client = client_of(vm_id);
    if (!client && client_count < most_clients) {
        client = &clients[client_count];
        format(client->config.name, sizeof client->config.name, "vm%lu", vm_id);
        client->config.vm_id = vm_id;
        client->config.buffer_bytes = buffer_bytes;
        client->config.buffer_va = client->config.buffer_ipa = (u64)buffers[client_count];
        client_count++;
    }
    if (client) {
        rhyper(fid_unilib, unilib_append, (u64)client);
    }
}

static long open_path(u64 vm_id, const u8 *path, u64 length, u64 flags) {
    char name[name_bytes] = {0};
    if (length == 0 || length >= name_bytes) {
        return -1;
    }
    memcpy(name, path, length);
    struct file *file = 0, *unused = 0;
    for (u32 i = 0; i < most_files; i++) {
        if (files[i].name[0] == 0) {
            unused = unused ? unused : &files[i];
        } else if (files[i].vm_id == vm_id && text_equal(files[i].name, name)) {
            file = &files[i];
        }
    }
    if (!file && flags & flag_create && unused) {
        file = unused;
        memcpy(file->name, name, name_bytes);
        file->vm_id = vm_id;
        file->bytes = 0;
    }
    if (!file) {
        return -1;
    }
    if (flags & flag_truncate) {
        file->bytes = 0;
    }
    for (u32 i = 3; i < most_open; i++) {
        if (!open_files[i].file) {
            open_files[i] = (struct open_file){file, vm_id, 0, (flags & flag_append) != 0};
            return i;
        }
    }
    return -1;
}

static struct open_file *opened(u64 vm_id, u64 fd) {
    return fd < most_open && open_files[fd].file && open_files[fd].vm_id == vm_id ? &open_files[fd] : 0;
}

static long write_file(struct open_file *open, const u8 *data, u64 bytes) {
    struct file *file = open->file;
    u32 at = open->appends ? file->bytes : open->at;
    u32 room = file_bytes - at, n = bytes < room ? (u32)bytes : room;
    if (at > file->bytes) {
        memset(file->data + file->bytes, 0, at - file->bytes);
    }
    memcpy(file->data + at, data, n);
    open->at = at + n;
    file->bytes = open->at > file->bytes ? open->at : file->bytes;
    return n || !bytes ? (long)n : -1;
}

static long read_file(struct open_file *open, u8 *to, u64 bytes) {
    u32 left = open->at < open->file->bytes ? open->file->bytes - open->at : 0, n = bytes < left ? (u32)bytes : left;
    memcpy(to, open->file->data + open->at, n);
    open->at += n;
    return n;
}

static long seek_file(struct open_file *open, long offset, u64 whence) {
    long base = whence == 0 ? 0 : whence == 1 ? (long)open->at : whence == 2 ? (long)open->file->bytes : -1;
    if (base < 0 || offset > file_bytes || offset < -file_bytes || base + offset < 0 || base + offset > file_bytes) {
        return -1;
    }
    open->at = (u32)(base + offset);
    return open->at;
}

static long serve(struct client *client, u32 event, const u64 *a) {
    u64 vm_id = client->config.vm_id;
    u8 *buffer = (u8 *)client->config.buffer_va;
    if (event == unilib_open) {
        return open_path(vm_id, buffer, a[0], a[1]);
    }
    if (event == unilib_write && (a[0] == 1 || a[0] == 2) && a[1] <= buffer_bytes) {
        print("vm%lu: ", vm_id);
        console_write((const char *)buffer, (u32)a[1]);
        return (long)a[1];
    }
    struct open_file *open = opened(vm_id, a[0]);
    if (!open || ((event == unilib_read || event == unilib_write) && a[1] > buffer_bytes)) {
        return -1;
    }
    switch (event) {
    case unilib_read: return read_file(open, buffer, a[1]);
    case unilib_write: return write_file(open, buffer, a[1]);
    case unilib_lseek: return seek_file(open, (long)a[1], a[2]);
    case unilib_close: open->file = 0; return 0;
    default: return -1;
    }
}

void files_serve(const struct message *message) {
    if (message->event == unilib_init) {
        add_client(message->vm_id);
        return;
    }
    struct client *client = client_of(message->vm_id);
    if (client) {
        calls++;
        client->value = (u64)serve(client, (u32)message->event, message->arguments);
        dsb(sy); /* the data and the value are visible before the flag */
        client->flag = 1;
    }
}

void files_report(void) {
    for (u32 i = 0; i < most_files; i++) {
        if (files[i].name[0]) {
            print("vm%lu/%s: %u bytes\n", files[i].vm_id, files[i].name, files[i].bytes);
        }
    }
    print("%u VMs use files, %lu calls\n", client_count, calls);
}
