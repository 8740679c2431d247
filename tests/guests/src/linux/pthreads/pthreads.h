// Programs of threads in one executable: the arguments choose, and without any all of those run that print the same on every Linux.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../checks.h"

/** Memory that children share. */
void *shared_memory(size_t size);
/** So many milliseconds from now. */
struct timespec later(clockid_t clock, long ms);
/** Status of a child that has ended. */
int status_of(pid_t child);

void mutexes(void);
void conditions(void);
void rwlocks(void);
void semaphores(void);
void once(void);
void cancellation(void);
void lockless(void);
void messages(void);
void forks(void);
void crowd(void);
void robust(void);
void execs(void);
void hundreds(void);
