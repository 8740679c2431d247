/* A round-robin of threads with stacks of their own. A switch is a function call that returns on another stack; in the
 * timer's handler it happens inside the exception, and the thread's frame stays on its stack until it is back. */
#include "thread.h"
#include "clock.h"
#include "console.h"
#include "core.h"
#include "intc.h"
#include "machine.h"

enum { stack_bytes = 8192 };

struct thread {
    u64 sp; /* 0: not in use, or ended */
    void (*main)(u64);
    u64 argument;
};

static struct thread threads[most_threads];
static u8 stacks[most_threads][stack_bytes] __attribute__((aligned(16), section(".noinit")));
static u64 runner_sp;
static u32 current, preempted;
static u64 slice_ticks;
static bool is_over;

/* switch.S: saves x19-x30 below SP and SP in *from, continues at `to`. */
void thread_switch(u64 *from, u64 to);
void thread_enter(void);

void thread_create(void (*main)(u64 argument), u64 argument) {
    for (u32 i = 0; i < most_threads; i++) {
        if (!threads[i].sp) {
            u64 *top = (u64 *)(stacks[i] + stack_bytes) - 12;
            memset(top, 0, 96);
            top[11] = (u64)thread_enter; /* x30 */
            threads[i] = (struct thread){(u64)top, main, argument};
            return;
        }
    }
    check(false, "there is room for another thread");
}

static bool pick(u32 *next) {
    for (u32 i = 1; i <= most_threads; i++) {
        u32 candidate = (current + i) % most_threads;
        if (threads[candidate].sp) {
            *next = candidate;
            return true;
        }
    }
    return false;
}

void thread_yield(void) {
    u64 daif = READ(daif);
    irq_mask();
    u32 next, last = current;
    if (pick(&next) && next != last) {
        current = next;
        thread_switch(&threads[last].sp, threads[next].sp);
    }
    WRITE(daif, daif);
}

/* The first code of a thread (switch.S calls it with interrupts masked). */
void thread_main(void) {
    irq_unmask();
    threads[current].main(threads[current].argument);
    irq_mask();
    u64 lost;
    threads[current].sp = 0;
    u32 next;
    if (pick(&next)) {
        current = next;
        thread_switch(&lost, threads[next].sp);
    }
    thread_switch(&lost, runner_sp);
}

static void slice_over(u32 intid) {
    (void)intid;
    if (clock_fired()) {
        clock_set(clock_now() + slice_ticks);
        is_over = true;
    }
}

static void preempt(void) {
    u32 next, last = current;
    if (core_index() == 0 && is_over && pick(&next) && next != last) {
        is_over = false;
        preempted++;
        current = next;
        thread_switch(&threads[last].sp, threads[next].sp);
    }
}

void threads_run(u32 slice_us) {
    preempted = 0;
    slice_ticks = clock_ticks(slice_us);
    irq_mask();
    if (slice_us) {
        is_over = false;
        after_interrupt = preempt;
        intc_take(machine.virtual_timer, false, slice_over);
        clock_set(clock_now() + slice_ticks);
    }
    current = most_threads - 1;
    u32 next;
    if (pick(&next)) {
        current = next;
        thread_switch(&runner_sp, threads[next].sp);
    }
    clock_off();
    after_interrupt = 0;
    irq_unmask();
}

u32 threads_preempted(void) {
    return preempted;
}
