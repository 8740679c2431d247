/* Strings, the options of the command line, and what GCC calls even from freestanding code. */
#include "text.h"

enum { line_bytes = 2048 };
static char line[line_bytes];

u32 text_length(const char *text) {
    u32 n = 0;
    while (text[n]) {
        n++;
    }
    return n;
}

bool text_begins(const char *text, const char *start) {
    for (; *start; text++, start++) {
        if (*text != *start) {
            return false;
        }
    }
    return true;
}

bool text_equal(const char *a, const char *b) {
    return text_begins(a, b) && a[text_length(b)] == 0;
}

void text_copy(char *to, const char *from, u32 size) {
    u32 i = 0;
    for (; from[i] && i + 1 < size; i++) {
        to[i] = from[i];
    }
    to[i] = 0;
}

u64 text_number(const char *text, const char **end) {
    u64 value = 0, base = 10;
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    for (;; text++) {
        u32 c = (u8)*text | 0x20, digit = c >= 'a' && c <= 'f' ? c - 'a' + 10 : (u32)(u8)*text - '0';
        if (digit >= base) {
            break;
        }
        value = value * base + digit;
    }
    if (end) {
        *end = text;
    }
    return value;
}

void text_ip(const char *text, u8 ip[4]) {
    for (u32 i = 0; i < 4; i++) {
        ip[i] = (u8)text_number(text, &text);
        text += *text == '.';
    }
}

void options_set(const char *command_line) {
    text_copy(line, command_line, sizeof line);
}

/* The end of the word that begins at p. */
static const char *word_end(const char *p) {
    bool quoted = false;
    for (; *p && (quoted || *p != ' '); p++) {
        quoted ^= *p == '"';
    }
    return p;
}

/* What follows NAME in the line: "=value", or the end of a bare word; 0 if the name is not there. */
static const char *find(const char *name) {
    const char *p = line;
    while (*p) {
        if (*p == ' ') {
            p++;
            continue;
        }
        if (text_begins(p, name)) {
            const char *after = p + text_length(name);
            if (*after == '=' || *after == ' ' || *after == 0) {
                return after;
            }
        }
        p = word_end(p);
    }
    return 0;
}

bool option_given(const char *name) {
    return find(name) != 0;
}

const char *option_text(const char *name, const char *otherwise) {
    static char value[line_bytes];
    const char *p = find(name);
    if (!p || *p != '=') {
        return otherwise;
    }
    u32 n = 0;
    for (const char *end = word_end(p); ++p < end;) {
        if (*p != '"') {
            value[n++] = *p;
        }
    }
    value[n] = 0;
    return value;
}

u64 option_number(const char *name, u64 otherwise) {
    const char *value = option_text(name, 0);
    return value ? text_number(value, 0) : otherwise;
}

bool option_lists(const char *name, const char *item) {
    const char *value = option_text(name, "all");
    if (text_equal(value, "all")) {
        return true;
    }
    while (*value) {
        if (text_begins(value, item)) {
            char after = value[text_length(item)];
            if (after == 0 || after == ',') {
                return true;
            }
        }
        while (*value && *value++ != ',') {
        }
    }
    return false;
}

void *memcpy(void *to, const void *from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    if ((((u64)t | (u64)f) & 7) == 0) {
        for (; n >= 8; n -= 8, t += 8, f += 8) {
            *(u64 *)t = *(const u64 *)f;
        }
    }
    for (; n; n--) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    u8 *t = to;
    const u8 *f = from;
    if (t <= f) {
        return memcpy(to, from, n);
    }
    while (n--) {
        t[n] = f[n];
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    u8 *t = to;
    for (; n && ((u64)t & 7); n--) {
        *t++ = (u8)value;
    }
    for (; n >= 8; n -= 8, t += 8) {
        *(u64 *)t = (u8)value * 0x0101010101010101ull;
    }
    for (; n; n--) {
        *t++ = (u8)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
