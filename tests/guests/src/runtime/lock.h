/* Waiting and mutual exclusion between cores. Every wait sleeps in WFE on the exclusive monitor of the location it
 * waits for: another core's store to it clears the monitor, and that is an event ("Wait for Event", Arm ARM). */
#pragma once
#include "sysreg.h"

static inline u32 load_acquire_exclusive(const u32 *p) {
    u32 value;
    asm volatile("ldaxr %w0, %1" : "=r"(value) : "Q"(*p) : "memory");
    return value;
}

static inline void await_equal(const u32 *p, u32 wanted) {
    while (load_acquire_exclusive(p) != wanted) {
        wfe();
    }
}
static inline void await_at_least(const u32 *p, u32 wanted) {
    while (load_acquire_exclusive(p) < wanted) {
        wfe();
    }
}

#define load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)

/* LDAXR, STXR; released by STLR. */
struct spinlock {
    u32 held;
} __attribute__((aligned(64)));

static inline void lock(struct spinlock *l) {
    u32 value, failed;
    asm volatile("   sevl\n"
                 "1: wfe\n"
                 "2: ldaxr %w0, %2\n"
                 "   cbnz %w0, 1b\n"
                 "   stxr %w1, %w3, %2\n"
                 "   cbnz %w1, 2b\n"
                 : "=&r"(value), "=&r"(failed), "+Q"(l->held)
                 : "r"(1)
                 : "memory");
}
static inline void unlock(struct spinlock *l) {
    store_release(&l->held, 0);
}

/* A barrier for `count` cores, any number of times. The last to arrive starts the next round. */
struct rendezvous {
    u32 arrived;
    u32 round __attribute__((aligned(64)));
} __attribute__((aligned(64)));

static inline void meet(struct rendezvous *r, u32 count) {
    u32 round = load_acquire(&r->round);
    if (fetch_add(&r->arrived, 1) + 1 == count) {
        r->arrived = 0;
        store_release(&r->round, round + 1);
    } else {
        await_equal(&r->round, round + 1);
    }
}
