// Threads: mutexes, condition variables, barriers, read-write locks, semaphores, thread-local storage, cancellation, many at once.
#include "suite.h"
#include <sched.h>
#include <semaphore.h>
#include <time.h>

enum { workers = 8, rounds = 500, many = 64 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long counter, queue[16], head, tail, consumed;
static _Atomic long atomic_counter;
static __thread long own;
static pthread_key_t key;
static _Atomic int destroyed;
static long shared_pair[2];
static sem_t semaphore;

static void *add(void *argument) {
  own = (long)argument;
  for (int n = 0; n < rounds; n++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    atomic_counter++;
    own++;
  }
  return (void *)own;
}

static void *produce(void *argument) {
  for (long n = 0; n < rounds; n++) {
    pthread_mutex_lock(&mutex);
    while (tail - head == 16) pthread_cond_wait(&not_full, &mutex);
    queue[tail++ % 16] = (long)argument * rounds + n;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}
static void *consume(void *argument) {
  (void)argument;
  for (long n = 0; n < rounds; n++) {
    pthread_mutex_lock(&mutex);
    while (tail == head) pthread_cond_wait(&not_empty, &mutex);
    consumed += queue[head++ % 16];
    pthread_cond_broadcast(&not_full);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static long phases[workers];
static void *march(void *argument) {
  const long self = (long)argument;
  long serial = 0;
  for (int n = 0; n < 20; n++) {
    phases[self] = n;
    serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int other = 0; other < workers; other++) CHECK(phases[other] == n);
    pthread_barrier_wait(&barrier);
  }
  return (void *)serial;
}

static void *read_or_write(void *argument) {
  const long self = (long)argument;
  for (int n = 0; n < 100; n++) {
    if (self < 2) {
      pthread_rwlock_wrlock(&lock);
      shared_pair[0]++;
      sched_yield();
      shared_pair[1]++;
      pthread_rwlock_unlock(&lock);
    } else {
      pthread_rwlock_rdlock(&lock);
      CHECK(shared_pair[0] == shared_pair[1]);
      pthread_rwlock_unlock(&lock);
    }
  }
  return NULL;
}

static void destroy(void *value) {
  (void)value;
  destroyed++;
}
static void *keep(void *argument) {
  pthread_setspecific(key, argument);
  sem_wait(&semaphore);
  CHECK(pthread_getspecific(key) == argument);
  return (void *)1;
}

static void *forever(void *argument) {
  (void)argument;
  for (;;) pause();
  return NULL;
}


int threads(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t ids[many];
  start_all(ids, workers, add);
  printf("results %ld", join_all(ids, workers));
  printf(", mutex %ld, atomic %ld\n", counter, (long)atomic_counter);
  start_all(ids, 4, produce);
  start_all(ids + 4, 4, consume);
  join_all(ids, 8);
  printf("consumed %ld\n", consumed);
  pthread_barrier_init(&barrier, NULL, workers);
  start_all(ids, workers, march);
  printf("serial threads %ld\n", join_all(ids, workers));
  start_all(ids, workers, read_or_write);
  join_all(ids, workers);
  printf("pairs %ld %ld\n", shared_pair[0], shared_pair[1]);
  pthread_key_create(&key, destroy);
  sem_init(&semaphore, 0, 0);
  for (long n = 0; n < many; n++) CHECK(pthread_create(&ids[n], NULL, keep, (void *)(n + 1)) == 0);
  for (int n = 0; n < many; n++) sem_post(&semaphore);
  printf("kept %ld", join_all(ids, many));
  printf(", destroyed %d\n", (int)destroyed);
  CHECK(pthread_create(&ids[0], NULL, forever, NULL) == 0);
  CHECK(pthread_cancel(ids[0]) == 0);
  void *result;
  pthread_join(ids[0], &result);
  printf("cancelled %d\n", result == PTHREAD_CANCELED);
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_nsec += 2000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  printf("timed out %d\n", pthread_cond_timedwait(&not_empty, &mutex, &soon) == ETIMEDOUT);
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1);
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
  printf("on core %d\n", sched_getcpu());
  return 0;
}
