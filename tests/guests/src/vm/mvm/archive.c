/* cpio, "new ASCII" format (magic 070701): headers of hexadecimal digits, names and data padded to four bytes. */
#include "mvm.h"

enum { header_bytes = 110, size_at = 54, name_size_at = 94 };

static u64 hex8(const char *p) {
    u64 value = 0;
    for (u32 i = 0; i < 8; i++) {
        u32 c = (u8)p[i] | 0x20;
        value = value << 4 | (c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    return value;
}

static u64 round4(u64 value) {
    return (value + 3) & ~3ull;
}

void archive_walk(void (*visit)(const char *name, const u8 *data, u64 bytes)) {
    u64 at = machine.initrd;
    while (at && at + header_bytes < machine.initrd_end && text_begins((const char *)at, "070701")) {
        u64 size = hex8((const char *)at + size_at), name_size = hex8((const char *)at + name_size_at);
        const char *name = (const char *)at + header_bytes;
        u64 data = round4(at + header_bytes + name_size - machine.initrd) + machine.initrd;
        if (text_equal(name, "TRAILER!!!") || data + size > machine.initrd_end) {
            return;
        }
        visit(name, (const u8 *)data, size);
        at = round4(data + size - machine.initrd) + machine.initrd;
    }
}

static const char *wanted;
static const u8 *found;
static u64 found_bytes;

static void compare(const char *name, const u8 *data, u64 bytes) {
    if (text_equal(name, wanted)) {
        found = data;
        found_bytes = bytes;
    }
}

const u8 *archive_file(const char *name, u64 *bytes) {
    wanted = name;
    found = 0;
    archive_walk(compare);
    *bytes = found_bytes;
    return found;
}
