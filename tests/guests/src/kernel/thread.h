/* Threads of core 0: cooperative (thread_yield) and, while a slice is set, preempted by the virtual timer. */
#pragma once
#include "sysreg.h"

enum { most_threads = 8 };

/* Creates a thread that runs main(argument) and ends when that returns. */
void thread_create(void (*main)(u64 argument), u64 argument);
/* Lets another thread that can run do so. */
void thread_yield(void);
/* Runs all threads until they have ended. `slice_us` > 0: the timer takes the core away from a thread after so long. */
void threads_run(u32 slice_us);
/* How often a thread was taken off the core by the timer, since threads_run() began. */
u32 threads_preempted(void);
