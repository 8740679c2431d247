// Mutexes with priority inheritance: in the C library's words, and in the kernel's; the calls that wait for several words.
#include "suite.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

static pthread_mutex_t mutex;
static int counter;

static void initialize(int protocol, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  CHECK(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
  CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
  CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
}

static void *add(void *argument) {
  for (int n = 0; n < (int)(long)argument; n++) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    counter++;
    if (n % 16 == 0) sched_yield();
    CHECK(pthread_mutex_unlock(&mutex) == 0);
  }
  return NULL;
}

static struct timespec soon(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += 3000000;
  if (time.tv_nsec >= 1000000000) time.tv_sec++, time.tv_nsec -= 1000000000;
  return time;
}

static void *try_and_wait(void *argument) {
  (void)argument;
  printf("try %d", pthread_mutex_trylock(&mutex));
  const struct timespec time = soon();
  printf(", timed %d", pthread_mutex_timedlock(&mutex, &time));
  printf(", unlock %d\n", pthread_mutex_unlock(&mutex));
  return NULL;
}

static void library(void) {
  initialize(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ERRORCHECK);
  pthread_t ids[4];
  for (int n = 0; n < 4; n++) pthread_create(&ids[n], NULL, add, (void *)200);
  for (int n = 0; n < 4; n++) pthread_join(ids[n], NULL);
  printf("counted %d\n", counter);
  CHECK(pthread_mutex_lock(&mutex) == 0);
  printf("own lock %d\n", pthread_mutex_lock(&mutex));
  pthread_create(&ids[0], NULL, try_and_wait, NULL);
  pthread_join(ids[0], NULL);
  CHECK(pthread_mutex_unlock(&mutex) == 0);
  printf("unlocked %d\n", pthread_mutex_unlock(&mutex));
}

static _Atomic unsigned word, other;
static long futex(_Atomic unsigned *at, int operation, unsigned value, const void *time, _Atomic unsigned *at2, unsigned value3) {
  return syscall(SYS_futex, at, operation, value, time, at2, value3);
}
static void tell(const char *what, long result) {
  printf("%s: %ld", what, result);
  if (result < 0) printf(" %d", errno);
  printf("\n");
}

static _Atomic int stage;
static void *hold(void *argument) {
  (void)argument;
  CHECK(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
  stage = 1;
  while (!(word & FUTEX_WAITERS)) usleep(100);
  CHECK(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  return NULL;
}

static void kernel(void) {
  const unsigned self = (unsigned)syscall(SYS_gettid);
  tell("free", futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  printf("mine %d\n", word == self);
  tell("again", futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  tell("try", futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
  tell("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  printf("free %d\n", word == 0);
  tell("not mine", futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  word = 0x3ffffff0;
  tell("nobody's", futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  word = 0;
  pthread_t id;
  pthread_create(&id, NULL, hold, NULL);
  while (!stage) usleep(100);
  struct timespec time = soon();
  tell("waited", futex(&word, FUTEX_LOCK_PI, 0, &time, NULL, 0));
  printf("handed over %d\n", (word & FUTEX_TID_MASK) == self);
  pthread_join(id, NULL);
  futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
  printf("free %d\n", word == 0);
  tell("misaligned", futex((_Atomic unsigned *)((char *)&word + 1), FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  tell("unmapped", futex((_Atomic unsigned *)8, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  tell("requeue two", futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &other, 0));
  tell("requeue to itself", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &word, 0));
}

static void *requeued(void *argument) {
  stage++;
  const long result = futex(&word, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &other, 0);
  CHECK(result == 0 && (other & FUTEX_TID_MASK) == (unsigned)syscall(SYS_gettid));
  CHECK(futex(&other, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
  return argument;
}

static void requeues(void) {
  word = 5;
  other = 0;
  stage = 0;
  pthread_t ids[3];
  for (int n = 0; n < 3; n++) pthread_create(&ids[n], NULL, requeued, NULL);
  while (stage < 3) usleep(100);
  usleep(2000);
  tell("wrong value", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)10, &other, 6));
  tell("woken and moved", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)10, &other, 5));
  for (int n = 0; n < 3; n++) pthread_join(ids[n], NULL);
  printf("free %d\n", (other & FUTEX_TID_MASK) == 0);
}

int locks(int argc, char **argv) {
  (void)argc, (void)argv;
  library();
  kernel();
  requeues();
  return 0;
}
