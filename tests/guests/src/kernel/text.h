/* Strings and the options of the command line. */
#pragma once
#include "sysreg.h"

u32 text_length(const char *text);
bool text_equal(const char *a, const char *b);
/* Does `text` begin with `start`? */
bool text_begins(const char *text, const char *start);
int memcmp(const void *a, const void *b, size_t n);
void *memmove(void *to, const void *from, size_t n);
/* Copies with a terminating zero, shortened to fit. */
void text_copy(char *to, const char *from, u32 size);
/* Decimal, or hexadecimal after 0x; stops at the first other character and tells where. */
u64 text_number(const char *text, const char **end);
/* An IPv4 address in dotted decimal, as four bytes in order. */
void text_ip(const char *text, u8 ip[4]);

/* The command line is words with spaces between them: NAME or NAME=VALUE; a value in "double quotes" may hold spaces. */
void options_set(const char *command_line);
bool option_given(const char *name);
/* The value, or `otherwise`. The text is valid until the next call. */
const char *option_text(const char *name, const char *otherwise);
u64 option_number(const char *name, u64 otherwise);
/* Is `item` in the comma-separated value of NAME? A value `all`, or none at all, lists everything. */
bool option_lists(const char *name, const char *item);
