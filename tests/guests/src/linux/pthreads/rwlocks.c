// Read-write locks: readers together, writers alone, tries and time-outs, the preference of writers; and barriers.
#include "pthreads.h"

enum { readers = 6, writers = 2, rounds = 30 };
static pthread_rwlock_t lock;
static pthread_barrier_t inside, step;
static long pair[2];
static _Atomic int readers_in, writers_in, mixed;

static void *read_together(void *argument) {
  (void)argument;
  CHECK(pthread_rwlock_rdlock(&lock) == 0);
  // All of them are in at once, or this never ends.
  pthread_barrier_wait(&inside);
  CHECK(pthread_rwlock_unlock(&lock) == 0);
  return (void *)1;
}

static void *use(void *argument) {
  const int is_writer = (long)argument < writers;
  for (int n = 0; n < rounds; n++) {
    if (is_writer) {
      CHECK(pthread_rwlock_wrlock(&lock) == 0);
      mixed += ++writers_in != 1 || readers_in != 0;
      pair[0]++;
      if (n % 8 == 0) sched_yield();
      pair[1]++;
      writers_in--;
    } else {
      while (n % 2 && pthread_rwlock_tryrdlock(&lock) != 0) sched_yield();
      if (n % 2 == 0) CHECK(pthread_rwlock_rdlock(&lock) == 0);
      readers_in++;
      mixed += writers_in != 0 || pair[0] != pair[1];
      readers_in--;
    }
    CHECK(pthread_rwlock_unlock(&lock) == 0);
  }
  return NULL;
}

static void *try(void *argument) {
  const struct timespec soon = later(CLOCK_REALTIME, 2);
  const int is_read = pthread_rwlock_tryrdlock(&lock);
  printf("%s: read %d", (const char *)argument, is_read == EBUSY);
  if (is_read == 0) pthread_rwlock_unlock(&lock);
  printf(", write %d", pthread_rwlock_trywrlock(&lock) == EBUSY);
  printf(", timed write %d", pthread_rwlock_timedwrlock(&lock, &soon) == ETIMEDOUT);
  const int timed = pthread_rwlock_timedrdlock(&lock, &soon);
  printf(", timed read %d\n", timed == ETIMEDOUT);
  if (timed == 0) pthread_rwlock_unlock(&lock);
  return NULL;
}

static void in_another(void *argument) {
  pthread_t id;
  CHECK(pthread_create(&id, NULL, try, argument) == 0);
  join_all(&id, 1);
}

static _Atomic int written;
static void *write_once(void *argument) {
  CHECK(pthread_rwlock_wrlock(&lock) == 0);
  written = 1;
  pthread_rwlock_unlock(&lock);
  return argument;
}

static long phase[readers];
static void *march(void *argument) {
  const long self = (long)argument;
  long serial = 0;
  for (int n = 1; n <= 10; n++) {
    phase[self] = n;
    serial += pthread_barrier_wait(&step) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int other = 0; other < readers; other++) CHECK(phase[other] == n);
    pthread_barrier_wait(&step);
  }
  return (void *)serial;
}

void rwlocks(void) {
  pthread_t ids[readers + writers];
  CHECK(pthread_rwlock_init(&lock, NULL) == 0);
  CHECK(pthread_barrier_init(&inside, NULL, readers) == 0);
  start_all(ids, readers, read_together);
  printf("readers at once %ld\n", join_all(ids, readers));
  start_all(ids, readers + writers, use);
  join_all(ids, readers + writers);
  printf("written %ld %ld, mixed %d\n", pair[0], pair[1], (int)mixed);
  CHECK(pthread_rwlock_rdlock(&lock) == 0);
  in_another("read-locked");
  CHECK(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_wrlock(&lock) == 0);
  in_another("write-locked");
  printf("mine %d\n", pthread_rwlock_wrlock(&lock) == EDEADLK);
  CHECK(pthread_rwlock_unlock(&lock) == 0 && pthread_rwlock_destroy(&lock) == 0);

  // A writer that waits keeps further readers out.
  pthread_rwlockattr_t attributes;
  pthread_rwlockattr_init(&attributes);
  pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  CHECK(pthread_rwlock_init(&lock, &attributes) == 0 && pthread_rwlock_rdlock(&lock) == 0);
  start_all(ids, 1, write_once);
  int tries = 0, result = 0;
  while ((result = pthread_rwlock_tryrdlock(&lock)) == 0 && tries++ < 1000) {
    pthread_rwlock_unlock(&lock);
    usleep(100);
  }
  printf("a writer waits %d, written %d", result == EBUSY, (int)written);
  pthread_rwlock_unlock(&lock);
  join_all(ids, 1);
  printf(", then %d\n", (int)written);
  CHECK(pthread_barrier_init(&step, NULL, readers) == 0);
  printf("no barrier %d", pthread_barrier_init(&inside, NULL, 0) == EINVAL);
  start_all(ids, readers, march);
  printf(", serial threads %ld\n", join_all(ids, readers));
}
