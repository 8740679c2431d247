/* A Dhrystone-like integer loop on core 0: records and pointers, calls, string comparison, arrays, branches.
 * 640,000 runs of about 640 instructions: 400 million; repeat=N times as many. */
#include "guest.h"
#include "option.h"

#define RUNS 640000

enum identifier { IDENT_1, IDENT_2, IDENT_3, IDENT_4, IDENT_5 };

struct record {
    struct record *next;
    enum identifier discriminant, kind;
    int number;
    char text[32];
};

static struct record first, second;
static int global_int, array_1[50], array_2[50][50];
static char global_char_1, global_char_2;

static __attribute__((noinline)) enum identifier func_1(char a, char b) {
    if (a != b) {
        return IDENT_1;
    }
    global_char_1 = a;
    return IDENT_2;
}

static __attribute__((noinline)) int compare(const char *a, const char *b) {
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (u8)*a - (u8)*b;
}

static __attribute__((noinline)) bool func_2(const char *a, const char *b) {
    int i = 2;
    char letter = 'A';
    while (i <= 2) {
        if (func_1(a[i], b[i + 1]) == IDENT_1) {
            letter = 'A';
            i++;
        }
    }
    if (letter >= 'W' && letter < 'Z') {
        i = 7;
    }
    if (compare(a, b) > 0) {
        global_int = i + 7;
        return true;
    }
    return false;
}

static __attribute__((noinline)) void proc_6(enum identifier value, enum identifier *reference) {
    *reference = value == IDENT_3 ? value : IDENT_4;
    switch (value) {
    case IDENT_1: *reference = IDENT_1; break;
    case IDENT_2: *reference = global_int > 100 ? IDENT_1 : IDENT_4; break;
    case IDENT_3: *reference = IDENT_2; break;
    case IDENT_4: break;
    case IDENT_5: *reference = IDENT_3; break;
    }
}

static __attribute__((noinline)) void proc_7(int a, int b, int *result) {
    *result = b + a + 2;
}

static __attribute__((noinline)) void proc_8(int *row, int (*table)[50], int a, int b) {
    int at = a + 5;
    row[at] = b;
    row[at + 1] = row[at];
    row[at + 30] = at;
    for (int i = at; i <= at + 1; i++) {
        table[at][i] = at;
    }
    table[at][at - 1]++;
    table[at + 20][at] = row[at];
    global_int = 5;
}

static __attribute__((noinline)) void proc_1(struct record *r) {
    struct record *next = r->next;
    *next = *r;
    r->number = 5;
    next->number = r->number;
    next->next = r->next;
    if (next->discriminant == IDENT_1) {
        next->number = 6;
        proc_6(r->kind, &next->kind);
        proc_7(next->number, 10, &next->number);
    } else {
        *r = *next;
    }
}

static void set_text(char *to, const char *from) {
    do {
        *to++ = *from;
    } while (*from++);
}

int guest(void) {
    char text_1[32], text_2[32];
    int a = 0, b = 0, c = 0;
    enum identifier kind = IDENT_1;
    u32 checksum = 1, runs = RUNS * (u32)option("repeat", 1);

    first.next = &second;
    first.discriminant = IDENT_1;
    first.kind = IDENT_3;
    first.number = 40;
    set_text(first.text, "WEAVING PROGRAM, SOME STRING");
    set_text(text_1, "WEAVING PROGRAM, 1'ST STRING");
    array_2[8][7] = 10;

    for (u32 run = 1; run <= runs; run++) {
        global_char_1 = 'A';
        global_char_2 = 'B';
        a = 2;
        b = 3;
        set_text(text_2, "WEAVING PROGRAM, 2'ND STRING");
        kind = IDENT_2;
        bool differs = !func_2(text_1, text_2);
        while (a < b) {
            c = 5 * a - b;
            proc_7(a, b, &c);
            a++;
        }
        proc_8(array_1, array_2, a, c);
        proc_1(&first);
        for (char letter = 'A'; letter <= global_char_2; letter++) {
            if (kind == func_1(letter, 'C')) {
                proc_6(IDENT_1, &kind);
                b = (int)run;
            }
        }
        b = b * a;
        a = b / c;
        b = 7 * (b - c) - a;
        checksum = checksum * 1664525 + (u32)(a ^ b ^ c ^ global_int ^ differs);
        checksum ^= checksum >> 15;
    }

    print("intloop: %u runs\n", runs);
    print("integers %d %d %d, global %d, identifier %u\n", a, b, c, global_int, (u32)kind);
    print("arrays %d %d, records %d %d %u\n", array_1[8], array_2[8][7], first.number, second.number, (u32)second.kind);
    print("characters %c %c, text \"%s\"\n", global_char_1, global_char_2, second.text);
    print("checksum %08x\n", checksum);
    return 0;
}
