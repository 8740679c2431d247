/* A guest that means harm. attack=N tries one thing, attack=all everything that comes back; `list` prints the names. Before an
 * attack it prints "attack N: NAME", after it what it has observed; a hypervisor may well stop it in between. Bare it attacks
 * nobody: the observations are then those of the architecture.
 *
 * Options: attack=N or all, from=N (with all), target=ADDRESS (an IPA that is not its own), rounds=N (storms), seed=N.
 */
#include "hostile/hostile.h"

u32 attack_number;
struct caught caught;
static volatile bool was_caught;
static u32 tried, faults;
static u64 random_state;
u64 guarded_call(u64 (*f)(u64, u64), u64 a, u64 b);

static void catch(struct frame *frame, unsigned vector) {
    extern u8 guarded_back[];
    (void)vector;
    caught = (struct caught){frame->esr, frame->far, frame->elr, 0};
    was_caught = true;
    frame->elr = (u64)guarded_back;
    frame->spsr = (frame->spsr & 0x3c0) | 5; /* EL1h, and not in the Illegal Execution state */
}

bool survives(u64 (*f)(u64, u64), u64 a, u64 b) {
    was_caught = false;
    u64 result = guarded_call(f, a, b);
    if (!was_caught) {
        caught.result = result;
    }
    return !was_caught;
}

static u32 made[most_made][2] __attribute__((aligned(64)));

void make(const u32 *words, u32 count) {
    for (u32 i = 0; i < count; i++) {
        made[i][0] = words[i];
        made[i][1] = 0xd65f03c0; /* RET */
    }
    /* Lines have 16 bytes at least. */
    for (u64 at = (u64)made; at < (u64)made[count]; at += 16) {
        asm volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
    dsb(ish);
    for (u64 at = (u64)made; at < (u64)made[count]; at += 16) {
        asm volatile("ic ivau, %0" : : "r"(at) : "memory");
    }
    asm volatile("dsb ish\n isb" : : : "memory");
}

static u64 run_made(u64 x, u64 n) {
    return ((u64(*)(u64))made[n])(x);
}

bool execute_made(u32 n, u64 *x0) {
    bool good = survives(run_made, *x0, n);
    *x0 = caught.result;
    return good;
}

bool execute(u32 word, u64 *x0) {
    make(&word, 1);
    return execute_made(0, x0);
}

void count(bool survived) {
    tried++;
    faults += !survived;
}

void tell_counts(const char *what) {
    if (faults) {
        tell("%s: %u tried, %u faults, the last EC 0x%x", what, tried, faults, exception_class(caught.esr));
    } else {
        tell("%s: %u tried, no fault", what, tried);
    }
    tried = faults = 0;
}

void tell_one(bool survived) {
    if (survived) {
        tell("survived");
    } else {
        tell("fault, ESR 0x%lx", caught.esr);
    }
}

u64 hole(void) {
    return option_number("target", 0x700000000);
}
u32 repetitions(u32 otherwise) {
    return (u32)option_number("rounds", otherwise);
}
u64 pseudo_random(void) {
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return random_state ^ random_state >> 29;
}

/* Numbers begin at 1, and go through the tables in this order. */
static const struct attack *find(u32 n) {
    const struct {
        const struct attack *attacks;
        u32 count;
    } tables[] = {
        {memory_attacks, memory_attack_count}, {system_attacks, system_attack_count}, {interrupt_attacks, interrupt_attack_count},
        {call_attacks, call_attack_count},     {device_attacks, device_attack_count},
    };
    n--;
    for (u32 i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (n < tables[i].count) {
            return &tables[i].attacks[n];
        }
        n -= tables[i].count;
    }
    return 0;
}

static void attack(u32 n) {
    attack_number = n;
    tried = faults = 0;
    random_state = option_number("seed", 1) + n;
    print("attack %u: %s\n", n, find(n)->name);
    find(n)->run();
    /* Some have hit our own interrupt controller: the next one finds it as it was. */
    irq_mask();
    clock_off();
    intc_init();
    intc_init_core();
    irq_unmask();
}

int guest(void) {
    introduce("hostile");
    on_sync = catch;
    u32 n = (u32)option_number("attack", 0);
    if (option_given("list")) {
        for (u32 i = 1; find(i); i++) {
            print("%u %s%s\n", i, find(i)->name, find(i)->is_last ? " (does not come back)" : "");
        }
    } else if (n && find(n)) {
        attack(n);
    } else if (text_equal(option_text("attack", ""), "all")) {
        for (u32 i = (u32)option_number("from", 1); find(i); i++) {
            if (!find(i)->is_last) {
                attack(i);
            }
        }
    } else {
        print("hostile: attack=N or attack=all or list\n");
    }
    print("hostile: done\n");
    return 0;
}
