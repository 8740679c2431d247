/* Five locks, each around a counter that is loaded, changed and stored in the ordinary way, and two atomic additions
 * without a lock. The locks: LDAXR/STXR, SWPA, CASA, a ticket lock (fair), an MCS queue lock (each core waits on its
 * own line). rounds=N for more than 500 additions of each kind. */
#include "guest.h"
#include "option.h"

static u32 count, rounds;
static u64 totals[7];

struct line {
    u32 value;
} __attribute__((aligned(64)));

/* Waits for a store to the lock's line in WFE, then tries again. */
static void wait_until_clear(u32 *p) {
    await_equal(p, 0);
}

static struct spinlock exclusive;
static void exclusive_add(u64 *total) {
    lock(&exclusive);
    ++*(volatile u64 *)total;
    unlock(&exclusive);
}

static struct line swap_lock;
static void swap_add(u64 *total) {
    u32 old;
    for (;;) {
        asm volatile(".arch_extension lse\n swpa %w2, %w0, %1" : "=r"(old), "+Q"(swap_lock.value) : "r"(1) : "memory");
        if (old == 0) {
            break;
        }
        wait_until_clear(&swap_lock.value);
    }
    ++*(volatile u64 *)total;
    store_release(&swap_lock.value, 0);
}

static struct line cas_lock;
static void cas_add(u64 *total) {
    u32 mine = core_index() + 1;
    for (;;) {
        u32 expected = 0;
        asm volatile(".arch_extension lse\n casa %w0, %w2, %1" : "+r"(expected), "+Q"(cas_lock.value) : "r"(mine) : "memory");
        if (expected == 0) {
            break;
        }
        wait_until_clear(&cas_lock.value);
    }
    ++*(volatile u64 *)total;
    check(cas_lock.value == mine, "the lock names its holder");
    store_release(&cas_lock.value, 0);
}

static struct {
    struct line next, owner;
} ticket_lock;
static void ticket_add(u64 *total) {
    u32 ticket = __atomic_fetch_add(&ticket_lock.next.value, 1, __ATOMIC_RELAXED);
    await_equal(&ticket_lock.owner.value, ticket);
    ++*(volatile u64 *)total;
    store_release(&ticket_lock.owner.value, ticket + 1);
}

struct node {
    struct node *next;
    u32 waiting;
} __attribute__((aligned(64)));
static struct node nodes[MAX_CORES];
static struct node *tail;
static void mcs_add(u64 *total) {
    struct node *mine = &nodes[core_index()];
    mine->next = 0;
    mine->waiting = 1;
    struct node *before = __atomic_exchange_n(&tail, mine, __ATOMIC_ACQ_REL);
    if (before) {
        store_release(&before->next, mine);
        await_equal(&mine->waiting, 0);
    }
    ++*(volatile u64 *)total;
    if (!load_acquire(&mine->next)) {
        struct node *expected = mine;
        if (__atomic_compare_exchange_n(&tail, &expected, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            return;
        }
        while (!load_acquire(&mine->next)) {
        }
    }
    store_release(&mine->next->waiting, 0);
}

static void exclusive_fetch_add(u64 *total) {
    __atomic_fetch_add(total, 1, __ATOMIC_RELAXED); /* built with -mno-outline-atomics: LDXR, STXR */
}

static void lse_fetch_add(u64 *total) {
    asm volatile(".arch_extension lse\n stadd %1, %0" : "+Q"(*total) : "r"(1ull) : "memory");
}

static const struct {
    const char *name;
    void (*add)(u64 *);
    bool needs_lse;
} kinds[7] = {
    {"LDAXR/STXR lock", exclusive_add, false},  {"SWPA lock", swap_add, true},
    {"CASA lock", cas_add, true},               {"ticket lock", ticket_add, false},
    {"MCS lock", mcs_add, false},               {"LDXR/STXR add", exclusive_fetch_add, false},
    {"STADD", lse_fetch_add, true},
};

static void work(void) {
    bool lse = (READ(id_aa64isar0_el1) >> 20 & 15) >= 2;
    for (u32 kind = 0; kind < 7; kind++) {
        meet_all();
        if (lse || !kinds[kind].needs_lse) {
            for (u32 i = 0; i < rounds; i++) {
                kinds[kind].add(&totals[kind]);
            }
        }
    }
    meet_all();
}

int guest(void) {
    count = core_count();
    rounds = (u32)option("rounds", 500);
    title("spinlocks");
    print("%u additions by each core\n", rounds);
    on_all_cores(work);
    bool exact = true;
    for (u32 kind = 0; kind < 7; kind++) {
        if (totals[kind] == 0) {
            print("%s: FEAT_LSE is not implemented\n", kinds[kind].name);
        } else {
            print("%s: %lu\n", kinds[kind].name, totals[kind]);
            exact &= totals[kind] == (u64)count * rounds;
        }
    }
    print(exact ? "no addition lost\n" : "ADDITIONS LOST\n");
    return !exact;
}
