// Mutexes of every kind, spin locks, and mutexes that processes share.
#include "pthreads.h"

enum { workers = 4, rounds = 50 };
static pthread_mutex_t mutex;
static pthread_spinlock_t spin;
static long counter, spun;

static void make(int type, int shared) {
  pthread_mutexattr_t attributes;
  CHECK(pthread_mutexattr_init(&attributes) == 0);
  CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
  CHECK(pthread_mutexattr_setpshared(&attributes, shared) == 0);
  CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
}

static void *count_up(void *argument) {
  for (int n = 0; n < rounds; n++) {
    if (n % 2)
      pthread_mutex_lock(&mutex);
    else
      while (pthread_mutex_trylock(&mutex) != 0) sched_yield();
    counter++;
    pthread_mutex_unlock(&mutex);
    pthread_spin_lock(&spin);
    spun++;
    pthread_spin_unlock(&spin);
  }
  return argument;
}

/** What one finds who tries while another holds it. */
static void *try(void *argument) {
  (void)argument;
  struct timespec soon = later(CLOCK_REALTIME, 2), steady = later(CLOCK_MONOTONIC, 2);
  printf("try %d", pthread_mutex_trylock(&mutex) == EBUSY);
  printf(", timed %d", pthread_mutex_timedlock(&mutex, &soon) == ETIMEDOUT);
  printf(", by another clock %d", pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &steady) == ETIMEDOUT);
  soon.tv_nsec = 1000000000;
  printf(", bad time %d\n", pthread_mutex_timedlock(&mutex, &soon) == EINVAL);
  return NULL;
}

static void *unlock_of_another(void *argument) {
  (void)argument;
  printf("not mine %d\n", pthread_mutex_unlock(&mutex) == EPERM);
  return NULL;
}

static void in_another(void *(*run)(void *)) {
  pthread_t id;
  start_all(&id, 1, run);
  join_all(&id, 1);
}

void mutexes(void) {
  pthread_t ids[workers];
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
  for (int n = 0; n < 4; n++) {
    make(types[n], PTHREAD_PROCESS_PRIVATE);
    start_all(ids, workers, count_up);
    join_all(ids, workers);
    CHECK(pthread_mutex_destroy(&mutex) == 0);
  }
  printf("counted %ld, spun %ld\n", counter, spun);
  make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PROCESS_PRIVATE);
  for (int n = 0; n < 3; n++) CHECK(pthread_mutex_lock(&mutex) == 0);
  in_another(try);
  for (int n = 0; n < 3; n++) CHECK(pthread_mutex_unlock(&mutex) == 0);
  printf("unlocked too often %d\n", pthread_mutex_unlock(&mutex) == EPERM);
  make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_PRIVATE);
  CHECK(pthread_mutex_lock(&mutex) == 0);
  printf("locked twice %d\n", pthread_mutex_lock(&mutex) == EDEADLK);
  in_another(unlock_of_another);
  printf("busy %d\n", pthread_mutex_destroy(&mutex) == EBUSY);

  struct {
    pthread_mutex_t mutex;
    long sum;
  } *const shared = shared_memory(4096);
  make(PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED);
  shared->mutex = mutex;
  pid_t children[3];
  for (int n = 0; n < 3; n++) {
    children[n] = fork();
    CHECK(children[n] >= 0);
    if (children[n] > 0) continue;
    for (int round = 0; round < rounds; round++) {
      pthread_mutex_lock(&shared->mutex);
      const long before = shared->sum;
      if (round % 16 == 0) sched_yield();
      shared->sum = before + n + 1;
      pthread_mutex_unlock(&shared->mutex);
    }
    _exit(0);
  }
  for (int n = 0; n < 3; n++) CHECK(status_of(children[n]) == 0);
  printf("by processes %ld\n", shared->sum);
}
