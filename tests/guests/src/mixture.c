/* What small processors are asked to do, in four parts whose results go into one CRC, which decides what the next round begins with:
 * a linked list that is searched, reversed and sorted by merging; products of matrices of 16-bit numbers; a state machine that reads
 * numbers in text; the CRC itself, a bit at a time. The set is CoreMark's; the programs are not. About 4 million instructions;
 * repeat=N times as many. */
#include "guest.h"
#include "option.h"

#define ITEMS 128
#define SIDE 16
#define ROUNDS 12

static __attribute__((noinline)) u16 crc(u16 sum, u32 value, u32 count) {
    for (u32 i = 0; i < count; i++, value >>= 1) {
        bool carry = (sum ^ value) & 1;
        sum = sum >> 1;
        if (carry) {
            sum ^= 0xa001;
        }
    }
    return sum;
}

struct item {
    struct item *next;
    short key, payload;
};
static struct item items[ITEMS];

static struct item *reverse(struct item *list) {
    struct item *reversed = 0;
    while (list) {
        struct item *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static struct item *search(struct item *list, short key) {
    while (list && list->key != key) {
        list = list->next;
    }
    return list;
}

static int by_key(const struct item *a, const struct item *b) {
    return a->key - b->key;
}
static int by_payload(const struct item *a, const struct item *b) {
    return (a->payload & 0xff) - (b->payload & 0xff);
}

static struct item *merge(struct item *a, struct item *b, int (*order)(const struct item *, const struct item *)) {
    struct item head, *last = &head;
    while (a && b) {
        struct item **smaller = order(a, b) <= 0 ? &a : &b;
        last = last->next = *smaller;
        *smaller = (*smaller)->next;
    }
    last->next = a ? a : b;
    return head.next;
}

static struct item *sort(struct item *list, int (*order)(const struct item *, const struct item *)) {
    if (!list || !list->next) {
        return list;
    }
    struct item *middle = list, *end = list->next;
    while (end && end->next) {
        middle = middle->next;
        end = end->next->next;
    }
    struct item *second = middle->next;
    middle->next = 0;
    return merge(sort(list, order), sort(second, order), order);
}

static __attribute__((noinline)) u16 lists(u16 seed) {
    u16 sum = 0;
    for (u32 i = 0; i < ITEMS; i++) {
        seed = (u16)(seed * 25173 + 13849);
        items[i] = (struct item){i + 1 < ITEMS ? &items[i + 1] : 0, (short)(i ^ 0x55), (short)seed};
    }
    struct item *list = items;
    for (u32 i = 0; i < ITEMS / 4; i++) {
        struct item *found = search(list, (short)(seed >> (i & 7) & 0xff));
        sum = crc(sum, found ? (u16)found->payload : i, 16);
        if (i % 8 == 0) {
            list = reverse(list);
        }
    }
    list = sort(list, by_payload);
    sum = crc(sum, (u16)list->key, 16);
    list = sort(list, by_key);
    for (struct item *at = list; at; at = at->next) {
        sum = crc(sum, (u16)at->payload, 16);
    }
    return sum;
}

static short left[SIDE][SIDE], right[SIDE][SIDE];
static int product[SIDE][SIDE];

static __attribute__((noinline)) u16 matrices(u16 seed) {
    for (u32 i = 0; i < SIDE; i++) {
        for (u32 j = 0; j < SIDE; j++) {
            seed = (u16)(seed * 25173 + 13849);
            left[i][j] = (short)(seed & 0xff);
            right[i][j] = (short)((seed >> 4) + i);
        }
    }
    u16 sum = 0;
    for (u32 shift = 0; shift < 3; shift++) {
        int total = 0;
        for (u32 i = 0; i < SIDE; i++) {
            for (u32 j = 0; j < SIDE; j++) {
                int value = 0;
                for (u32 k = 0; k < SIDE; k++) {
                    value += (left[i][k] * right[k][j]) >> shift & 0x7ff;
                }
                product[i][j] = value;
                total += value > total ? 10 : value;
            }
        }
        for (u32 i = 0; i < SIDE; i++) {
            left[i][shift] = (short)product[i][i];
        }
        sum = crc(sum, (u32)total, 32);
    }
    return sum;
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, WRONG, STATES };
static const char *const numbers[] = {"5012", "-874", "+122", "35.54400", ".1234500", "-110.700", "+0.64400",
                                      "5.500e+3", "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z"};

static enum state next_state(enum state state, char c) {
    bool digit = c >= '0' && c <= '9';
    switch (state) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : WRONG;
    case SIGN: return digit ? INTEGER : c == '.' ? POINT : WRONG;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case POINT: return digit ? FRACTION : WRONG;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case EXPONENT: return c == '+' || c == '-' ? EXPONENT_SIGN : WRONG;
    case EXPONENT_SIGN: return digit ? POWER : WRONG;
    case POWER: return digit ? POWER : WRONG;
    default: return WRONG;
    }
}

static char text[1024];

static __attribute__((noinline)) u16 states(u16 seed) {
    u32 length = 0;
    while (length < sizeof text - 16) {
        seed = (u16)(seed * 25173 + 13849);
        for (const char *from = numbers[(seed >> 6) % (sizeof numbers / sizeof *numbers)]; *from; from++) {
            text[length++] = *from;
        }
        text[length++] = ',';
    }
    u32 ends[STATES] = {0}, passes[STATES] = {0};
    enum state state = START;
    for (u32 i = 0; i < length; i++) {
        if (text[i] == ',') {
            ends[state]++;
            state = START;
        } else {
            state = next_state(state, text[i]);
            passes[state]++;
        }
    }
    u16 sum = 0;
    for (u32 i = 0; i < STATES; i++) {
        sum = crc(crc(sum, ends[i], 32), passes[i], 32);
    }
    return sum;
}

int guest(void) {
    u16 sum = 0;
    u64 rounds = ROUNDS * option("repeat", 1);
    for (u64 round = 0; round < rounds; round++) {
        sum = crc(sum, lists(sum), 16);
        sum = crc(sum, matrices(sum), 16);
        sum = crc(sum, states(sum), 16);
    }
    print("mixture: CRC %04x\n", (u32)sum);
    return 0;
}
