// Processes of threads: a fork takes the thread that asks for it and no other, what pthread_atfork has asked for, ends by all ways.
#include "pthreads.h"

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
static void *outlive(void *argument) {
  usleep(3000);
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
  start_all(&ids[0], 1, wait_for_ever);
  start_all(&ids[1], 1, run);
  if (isLeaderGone) pthread_exit(NULL);
  for (;;) pause();
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
