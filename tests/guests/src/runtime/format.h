/* What print() understands: %d %u %x %c %s %%, with l, a width and zero padding. The file that includes this one has defined
 * put(char) before. */
#pragma once
#include <stdarg.h>

static void put_number(u64 value, unsigned base, int width, char pad, bool negative) {
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative && pad == '0') {
        put('-');
        width--;
    }
    for (int i = n + (negative && pad != '0'); i < width; i++) {
        put(pad);
    }
    if (negative && pad != '0') {
        put('-');
    }
    while (n) {
        put(digits[--n]);
    }
}

static void vprint(const char *f, va_list arguments) {
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        f++;
        char pad = ' ';
        int width = 0;
        bool is_long = false;
        if (*f == '0') {
            pad = '0';
        }
        for (; *f >= '0' && *f <= '9'; f++) {
            width = width * 10 + *f - '0';
        }
        for (; *f == 'l'; f++) {
            is_long = true;
        }
        if (*f == 'd') {
            long value = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            put_number(value < 0 ? -(u64)value : (u64)value, 10, width, pad, value < 0);
        } else if (*f == 'u' || *f == 'x') {
            u64 value = is_long ? va_arg(arguments, u64) : va_arg(arguments, u32);
            put_number(value, *f == 'u' ? 10 : 16, width, pad, false);
        } else if (*f == 's') {
            const char *s = va_arg(arguments, const char *);
            for (; *s; s++, width--) {
                put(*s);
            }
            for (; width > 0; width--) {
                put(' ');
            }
        } else {
            put(*f == 'c' ? (char)va_arg(arguments, int) : *f);
        }
    }
}
