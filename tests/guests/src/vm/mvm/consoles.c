/* The other ends of other VMs' consoles: what they write is shown line by line, and commands type to them. */
#include "mvm.h"
#include "serial.h"

enum { most_consoles = 4, line_bytes = 200 };

static struct {
    struct serial *serial;
    char line[line_bytes];
    u32 length;
} consoles[most_consoles];

void consoles_start(void) {
    for (u32 n = text_equal(console_name(), "virtio") ? 1 : 0; n < most_consoles; n++) {
        consoles[n].serial = serial_open(n);
    }
}

static void show(u32 n) {
    consoles[n].line[consoles[n].length] = 0;
    consoles[n].length = 0;
    print("hvc%u| %s\n", n, consoles[n].line);
}

void consoles_serve(void) {
    for (u32 n = 0; n < most_consoles; n++) {
        int c;
        while (consoles[n].serial && (c = serial_read(consoles[n].serial)) >= 0) {
            if (c == '\n' || consoles[n].length + 1 == line_bytes) {
                show(n);
            }
            if (c != '\n' && c != '\r') {
                consoles[n].line[consoles[n].length++] = (char)c;
            }
        }
    }
}

bool consoles_type(u32 n, const char *text) {
    if (n >= most_consoles || !consoles[n].serial) {
        return false;
    }
    serial_write(consoles[n].serial, text, text_length(text));
    serial_write(consoles[n].serial, "\n", 1);
    return true;
}
