// Mutexes whose owner has ended with them: a thread, a process that was killed, and one that nobody has made consistent. Not for
// qemu-aarch64, which has no robust lists.
#include "pthreads.h"

static void make(pthread_mutex_t *mutex, int shared) {
  pthread_mutexattr_t attributes;
  CHECK(pthread_mutexattr_init(&attributes) == 0);
  CHECK(pthread_mutexattr_setpshared(&attributes, shared) == 0 && pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
  CHECK(pthread_mutex_init(mutex, &attributes) == 0);
}

static void *die_with(void *mutex) {
  CHECK(pthread_mutex_lock(mutex) == 0);
  return NULL;
}
static _Atomic int found[2];
static void *wait_for(void *mutex) {
  const int result = pthread_mutex_lock(mutex);
  found[result == EOWNERDEAD]++;
  if (result == EOWNERDEAD) CHECK(pthread_mutex_consistent(mutex) == 0);
  CHECK(pthread_mutex_unlock(mutex) == 0);
  return NULL;
}
static _Atomic int is_held;
static void *hold_and_die(void *mutex) {
  CHECK(pthread_mutex_lock(mutex) == 0);
  is_held = 1;
  usleep(3000);
  return NULL;
}

void robust(void) {
  pthread_t ids[4];
  pthread_mutex_t mutex;
  make(&mutex, PTHREAD_PROCESS_PRIVATE);
  CHECK(pthread_create(&ids[0], NULL, die_with, &mutex) == 0);
  join_all(ids, 1);
  printf("owner died %d", pthread_mutex_trylock(&mutex) == EOWNERDEAD);
  // Given back as it is, it can never be had again.
  CHECK(pthread_mutex_unlock(&mutex) == 0);
  printf(", not recoverable %d\n", pthread_mutex_lock(&mutex) == ENOTRECOVERABLE);

  make(&mutex, PTHREAD_PROCESS_PRIVATE);
  CHECK(pthread_create(&ids[0], NULL, hold_and_die, &mutex) == 0);
  while (!is_held) usleep(100);
  for (int n = 1; n < 4; n++) CHECK(pthread_create(&ids[n], NULL, wait_for, &mutex) == 0);
  join_all(ids, 4);
  printf("waiters: %d heard of it, %d had it after\n", (int)found[1], (int)found[0]);

  pthread_mutex_t *const shared = shared_memory(4096);
  make(shared, PTHREAD_PROCESS_SHARED);
  const pid_t child = fork();
  if (child == 0) {
    pthread_mutex_lock(shared);
    kill(getpid(), SIGKILL);
  }
  CHECK(WTERMSIG(status_of(child)) == SIGKILL);
  printf("killed with it %d", pthread_mutex_lock(shared) == EOWNERDEAD);
  CHECK(pthread_mutex_consistent(shared) == 0 && pthread_mutex_unlock(shared) == 0);
  printf(", consistent %d\n", pthread_mutex_lock(shared) == 0);
}
