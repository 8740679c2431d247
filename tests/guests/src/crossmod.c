/* Code that changes code, at random: functions and parts of them in two pages, written by stores of all sizes at their own addresses and at
 * an alias, by the core that runs them, from inside themselves, and by other cores. By the sequence of code.h, with an ISB on every core that
 * executes the result; or, where the writer does not, by the sequence on each core that has seen the stores. And the exception to it: B, BL,
 * BRK, ISB, NOP and SVC may replace each other while others execute them. Options: rounds=N, calls=N of each function, seed=N. */
#include "guest.h"
#include "code.h"
#include "option.h"

#define WORDS 2048
#define MOST 48

#define ADD_W0(imm) (0x11000000u | (imm) << 10)
#define EOR_W0_ROR(amount) (0x4ac00000u | (amount) << 10)
#define TBZ_W0_PLUS_8(bit) (0x36000040u | (bit) << 19)
#define B_PLUS_8 0x14000002u

static u32 rounds, calls, seed;
static u32 code[WORDS] __attribute__((aligned(4096)));
/* What is to be in `code`. */
static u32 model[WORDS];
static u64 wrong;
static u32 checksum;

static u32 next(u32 *state) {
    u32 z = *state += 0x9e3779b9;
    z = (z ^ z >> 16) * 0x21f0aaad;
    z = (z ^ z >> 15) * 0x735a2d97;
    return z ^ z >> 15;
}
static u32 below(u32 *state, u32 n) {
    return next(state) % n;
}

/* An instruction of which `after` words follow in its function. */
static u32 any_instruction(u32 *state, u32 after) {
    switch (below(state, after >= 2 ? 7 : 4)) {
    case 0: return NOP;
    case 1: return EOR_W0_ROR(1 + below(state, 31));
    case 2: return MOVZ_W0(below(state, 0x10000));
    case 4: return B_PLUS_8;
    case 5:
    case 6: return TBZ_W0_PLUS_8(below(state, 32));
    default: return ADD_W0(below(state, 0x1000));
    }
}

static u32 interpret(const u32 *at) {
    u32 w0 = 0xdead;
    for (;; at++) {
        u32 word = *at;
        if (word == RET) {
            return w0;
        }
        if ((word & 0xffc00000) == ADD_W0(0)) {
            w0 += word >> 10 & 0xfff;
        } else if ((word & 0xffc00000) == EOR_W0_ROR(0)) {
            u32 amount = word >> 10 & 31;
            w0 ^= w0 >> amount | w0 << (32 - amount);
        } else if ((word & 0xffe00000) == MOVZ_W0(0)) {
            w0 = word >> 5 & 0xffff;
        } else if (word == B_PLUS_8 || ((word & 0xff07ffff) == TBZ_W0_PLUS_8(0) && !(w0 >> (word >> 19 & 31) & 1))) {
            at++;
        }
    }
}

static void expect(u32 got, u32 wanted) {
    if (got != wanted) {
        fetch_add(&wrong, 1);
    }
}

/* Words of the model become code, by stores of 1 to 16 bytes. */
static void write(u32 *state, u32 from, u32 count) {
    u64 to = below(state, 2) ? el0_data(code + from) : (u64)(code + from);
    const u8 *bytes = (const u8 *)(model + from);
    for (u32 left = 4 * count; left > 0;) {
        u64 low = 0, high = 0;
        u32 size = 1u << below(state, 5);
        if (size > left) {
            continue;
        }
        for (u32 n = 0; n < size; n++) {
            *(n < 8 ? &low : &high) |= (u64)bytes[n] << 8 * (n & 7);
        }
        switch (size) {
        case 1: asm volatile("strb %w0, [%1]" ::"r"(low), "r"(to) : "memory"); break;
        case 2: asm volatile("strh %w0, [%1]" ::"r"(low), "r"(to) : "memory"); break;
        case 4: asm volatile("str %w0, [%1]" ::"r"(low), "r"(to) : "memory"); break;
        case 8: asm volatile("str %0, [%1]" ::"r"(low), "r"(to) : "memory"); break;
        default: asm volatile("stp %0, %1, [%2]" ::"r"(low), "r"(high), "r"(to) : "memory");
        }
        bytes += size;
        to += size;
        left -= size;
    }
}

struct function {
    u32 start;
    u32 length;
};
struct range {
    u32 from;
    u32 count;
};

/* Instructions of the function become others; all of them where it is a new one. */
static struct range change(u32 *state, const struct function *f, u32 at, u32 count) {
    for (u32 n = at; n < at + count; n++) {
        u32 after = f->length - 1 - n;
        model[f->start + n] = after == 0 ? RET : any_instruction(state, after);
    }
    return (struct range){f->start + at, count};
}
static struct range new_function(u32 *state, struct function *f, u32 least) {
    f->length = least + below(state, MOST - least);
    f->start = below(state, WORDS - f->length);
    return change(state, f, 0, f->length);
}
static struct range new_part(u32 *state, const struct function *f) {
    u32 at = below(state, f->length);
    return change(state, f, at, 1 + below(state, f->length - at));
}
static struct range rewrite(u32 *state, struct function *f) {
    return f->length == 0 || below(state, 4) == 0 ? new_function(state, f, 4) : new_part(state, f);
}

static void run_function(const struct function *f) {
    u32 wanted = interpret(model + f->start), got = 0;
    for (u32 n = 0; n < calls; n++) {
        got = run(code + f->start);
        expect(got, wanted);
    }
    if (core_index() == 0) {
        checksum = checksum * 31 + got;
    }
}

static void own(void) {
    struct function f = {0, 0};
    u32 state = seed;
    for (u32 round = 0; round < 4 * rounds; round++) {
        struct range changed = rewrite(&state, &f);
        write(&state, changed.from, changed.count);
        synchronize(code + changed.from, 4 * changed.count);
        run_function(&f);
    }
}

/* What a function begins with that changes itself: the four words of X1 and X4 become code at X2, by its address X3; X5 is that of the last. */
static const u32 change_itself[] = {
    0xa9001061, /* STP X1, X4, [X3] */
    0xd5033b9f, /* DSB ISH */
    0xd50b7b22, /* DC CVAU, X2 */
    0xd50b7b25, /* DC CVAU, X5 */
    0xd5033b9f, /* DSB ISH */
    0xd50b7522, /* IC IVAU, X2 */
    0xd50b7525, /* IC IVAU, X5 */
    0xd5033b9f, /* DSB ISH */
    0xd5033fdf, /* ISB */
};
#define PROLOGUE (sizeof change_itself / 4)

static u32 run_changing(const u32 *at, const u32 *words, const u32 *to, u64 by) {
    register u64 x0 asm("x0") = 0xdead;
    register u64 x1 asm("x1") = words[0] | (u64)words[1] << 32;
    register u64 x2 asm("x2") = (u64)to;
    register u64 x3 asm("x3") = by;
    register u64 x4 asm("x4") = words[2] | (u64)words[3] << 32;
    register u64 x5 asm("x5") = (u64)(to + 3);
    asm volatile("blr %6" : "+r"(x0), "+r"(x1) : "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(at) : "x30", "memory");
    return (u32)x0;
}

static void from_inside(void) {
    u32 state = seed + 1;
    for (u32 round = 0; round < rounds; round++) {
        struct function f;
        new_function(&state, &f, PROLOGUE + 6);
        for (u32 n = 0; n < PROLOGUE; n++) {
            model[f.start + n] = change_itself[n];
        }
        write(&state, f.start, f.length);
        synchronize(code + f.start, 4 * f.length);
        for (u32 call = 0; call < 6; call++) {
            u32 at = PROLOGUE + below(&state, f.length - PROLOGUE - 4);
            u32 to = change(&state, &f, at, 4).from;
            u64 by = below(&state, 2) ? el0_data(code + to) : (u64)(code + to);
            u32 got = run_changing(code + f.start, model + to, code + to, by);
            expect(got, interpret(model + f.start + PROLOGUE));
            checksum = checksum * 31 + got;
        }
    }
}

/* What happens in a round, all cores know; who has the turn changes the code. */
static u32 turn;
static struct range changed;
static struct function shared_function;

static void by_turns(u32 n, u32 count) {
    u32 plan = seed + 2;
    for (u32 round = 0; round < rounds; round++) {
        u32 of_round = next(&plan);
        u32 each_synchronizes = below(&plan, 3) == 0;
        if (round % count == n) {
            changed = rewrite(&of_round, &shared_function);
            write(&of_round, changed.from, changed.count);
            if (!each_synchronizes) {
                synchronize(code + changed.from, 4 * changed.count);
            }
            store_release(&turn, round + 1);
        }
        while (load_acquire(&turn) != round + 1) {
            asm volatile("yield");
        }
        if (each_synchronizes) {
            synchronize(code + changed.from, 4 * changed.count);
        } else {
            isb();
        }
        run_function(&shared_function);
        meet_all();
    }
}

/* The second word changes under those who run the first to the last: MOV X1, X30; word; ADD W0, W0, #1; RET X1; NOP; ADD W0, W0, #2; RET X1;
 * NOP; ADD W0, W0, #4; RET. */
static const u32 around[] = {0xaa1e03e1, NOP, ADD_W0(1), 0xd65f0020, NOP, ADD_W0(2), 0xd65f0020, NOP, ADD_W0(4), RET};
static const struct {
    u32 word;
    u32 adds;
} exchangeable[] = {
    {NOP, 1},
    {0xd5033fdf, 1},  /* ISB */
    {0x14000004, 2},  /* B to the second addition */
    {0x94000007, 5},  /* BL to the third */
    {0xd4000001, 9},  /* SVC #0, for which 8 are added */
    {0xd4200000, 17}, /* BRK #0, for which 16 are added */
};
static u32 started, finished;

/* Of the change with this number. */
static u32 kind_of(u32 change) {
    u32 state = seed + change;
    return change == 0 ? 0 : below(&state, sizeof exchangeable / sizeof *exchangeable);
}

static void add_for_exception(struct frame *frame, unsigned vector) {
    (void)vector;
    if (exception_class(frame->esr) == 0x15) {
        frame->x[0] += 8;
    } else {
        frame->x[0] += 16;
        frame->elr += 4;
    }
}

/* Between two looks at the counts the word was one of those from the last finished change to the last started one. */
static void execute_meanwhile(void) {
    u32 first = load_acquire(&finished);
    isb();
    u32 added = run(code) - 0xdead;
    isb();
    u32 last = load_acquire(&started);
    for (u32 n = first; n <= last; n++) {
        if (added == exchangeable[kind_of(n)].adds) {
            return;
        }
    }
    fetch_add(&wrong, 1);
}

static void at_once(u32 n) {
    if (n == 0) {
        on_sync = add_for_exception;
        for (u32 at = 0; at < sizeof around / 4; at++) {
            code[at] = around[at];
        }
        synchronize(code, sizeof around);
    }
    meet_all();
    isb();
    if (n == 0) {
        for (u32 change = 1; change <= rounds; change++) {
            store_release(&started, change);
            dmb(ish);
            *(volatile u32 *)(code + 1) = exchangeable[kind_of(change)].word;
            synchronize(code + 1, 4);
            store_release(&finished, change);
            execute_meanwhile();
        }
    }
    while (load_acquire(&finished) < rounds) {
        execute_meanwhile();
        asm volatile("yield");
    }
    execute_meanwhile();
    meet_all();
}

static void tell(const char *what) {
    print("%s: checksum %08x, %lu wrong\n", what, checksum, wrong);
}

static void work(void) {
    u32 n = core_index();
    meet_all();
    by_turns(n, core_count());
    if (n == 0) {
        tell("code of others");
    }
    at_once(n);
}

int guest(void) {
    rounds = (u32)option("rounds", 60);
    calls = (u32)option("calls", 2);
    seed = (u32)option("seed", 1) * 0x1000;
    title("crossmod");
    own();
    tell("own code");
    from_inside();
    tell("code that changes itself");
    on_all_cores(work);
    tell("exchanged under others");
    return wrong != 0;
}
