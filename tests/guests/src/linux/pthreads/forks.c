// Processes of threads: a fork takes the thread that asks for it and no other, what pthread_atfork has asked for, ends by all ways.
#include "pthreads.h"
#include <sys/syscall.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int steps;
static void prepare_first(void) { steps = steps * 10 + 1; }
static void prepare_second(void) {
  steps = steps * 10 + 2;
  pthread_mutex_lock(&mutex);
}
static void in_parent(void) {
  steps = steps * 10 + 3;
  pthread_mutex_unlock(&mutex);
}
static void in_child(void) {
  steps = steps * 10 + 4;
  pthread_mutex_unlock(&mutex);
}

static _Atomic int is_over;
static void *keep_locking(void *argument) {
  while (!is_over) {
    pthread_mutex_lock(&mutex);
    sched_yield();
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

static __thread int own;
static void *fork_here(void *argument) {
  own = 5;
  const pid_t child = fork();
  if (child == 0) {
    // The only thread, with its own variables, and the mutex is as it was at the fork: free.
    pthread_t id;
    pthread_mutex_lock(&mutex);
    is_over = 1;
    pthread_mutex_unlock(&mutex);
    CHECK(pthread_create(&id, NULL, keep_locking, NULL) == 0);
    join_all(&id, 1);
    _exit(own * 10 + (getpid() == gettid()));
  }
  (void)argument;
  return (void *)(long)WEXITSTATUS(status_of(child));
}

static void *exit_process(void *argument) { exit((int)(long)argument + 6); }
static pthread_t leader;
// exit() takes away what unwinding in pthread_exit() needs: it waits for the end of that.
static void *outlive(void *argument) {
  CHECK(pthread_join(leader, NULL) == 0);
  exit(8);
  return argument;
}
static void *wait_for_ever(void *argument) {
  for (;;) pause();
  return argument;
}
static void *fault(void *argument) {
  *(volatile int *)8 = 1;
  return argument;
}

/** The status of a child with two more threads, of which one does this. */
static int child_with(void *(*run)(void *), int isLeaderGone) {
  fflush(stdout);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child > 0) return status_of(child);
  pthread_t ids[2];
  leader = pthread_self();
  start_all(&ids[0], 1, wait_for_ever);
  start_all(&ids[1], 1, run);
  if (isLeaderGone) pthread_exit(NULL);
  for (;;) pause();
}

// A thread writes to a page to which the kernel writes for another one, while it is shared with child after child, and copied for the parent.
static struct {
  volatile long count;
  struct timespec now;
} page __attribute__((aligned(4096)));
static _Atomic int lost;
static void *keep_counting(void *argument) {
  for (long n = 0; !is_over; n++) {
    if (page.count != n) lost = 1;
    page.count = n + 1;
  }
  return argument;
}
static void *keep_asking(void *argument) {
  while (!is_over) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &page.now);
  return argument;
}

static int writes_lost_by_forks(void) {
  pthread_t ids[2];
  is_over = 0;
  start_all(&ids[0], 1, keep_counting);
  start_all(&ids[1], 1, keep_asking);
  for (int i = 0; i < 12; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    CHECK(status_of(child) == 0);
  }
  is_over = 1;
  join_all(ids, 2);
  return lost;
}

void forks(void) {
  CHECK(pthread_atfork(prepare_second, in_parent, in_child) == 0 && pthread_atfork(prepare_first, NULL, NULL) == 0);
  pthread_t ids[3];
  start_all(ids, 2, keep_locking);
  start_all(&ids[2], 1, fork_here);
  printf("child of a thread %ld, steps %d\n", join_all(&ids[2], 1), steps);
  is_over = 1;
  join_all(ids, 2);
  printf("exit by a thread %d\n", WEXITSTATUS(child_with(exit_process, 0)));
  printf("the first thread is gone %d\n", WEXITSTATUS(child_with(outlive, 1)));
  printf("fault of a thread %d\n", WTERMSIG(child_with(fault, 0)));
  printf("writes lost by forks %d\n", writes_lost_by_forks());
  const pid_t child = fork();
  if (child == 0) {
    start_all(ids, 3, wait_for_ever);
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  printf("killed with its threads %d\n", WTERMSIG(status_of(child)));
}

static void *exec_here(void *argument) {
  char *const words[] = {"pthreads", "child", "a thread", NULL};
  execv("/proc/self/exe", words);
  return argument;
}

void execs(void) {
  // The other threads end, and the process goes on as the new program under its own number.
  const int status = child_with(exec_here, 0);
  printf("exec by a thread: exit %d\n", WEXITSTATUS(status));
}
