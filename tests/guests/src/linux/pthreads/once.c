// What each thread has for itself, and what happens once: pthread_once, keys and their destructors, C11 threads, thread-local variables.
#include "pthreads.h"
#include <threads.h>

enum { workers = 8 };
static pthread_once_t control = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static _Atomic int made, flagged, seen_before;
static void make(void) {
  usleep(1000);
  made++;
}
static void set_flag(void) { flagged++; }

static __thread struct {
  long number;
  char text[48];
  _Alignas(64) long aligned;
} own = {.number = 7, .text = "initial"};

static void *begin(void *argument) {
  const long self = (long)argument;
  pthread_once(&control, make);
  seen_before += made != 1;
  call_once(&flag, set_flag);
  int wrong = own.number != 7 || strcmp(own.text, "initial") != 0 || (uintptr_t)&own.aligned % 64 != 0;
  own.number = self;
  snprintf(own.text, sizeof own.text, "thread %ld", self);
  for (int n = 0; n < 4; n++) sched_yield();
  char text[48];
  snprintf(text, sizeof text, "thread %ld", self);
  wrong += own.number != self || strcmp(own.text, text) != 0;
  return (void *)(long)wrong;
}

static pthread_key_t first, second;
static _Atomic int destroyed[2], again;
static void destroy_first(void *value) {
  destroyed[0] += value != NULL;
}
static void destroy_second(void *value) {
  destroyed[1]++;
  // What a destructor sets is destroyed in a further round, of which there are four.
  if (value == (void *)2) pthread_setspecific(second, value), again++;
  if (value == (void *)3) pthread_setspecific(first, value);
}
static void *hold(void *argument) {
  const long self = (long)argument;
  pthread_setspecific(first, (void *)(self + 1));
  pthread_setspecific(second, (void *)(self == 0 ? 2L : 3L + self % 2));
  if (self % 2) pthread_exit((void *)1);
  return (void *)1;
}

static mtx_t mutex;
static cnd_t changed;
static tss_t slot;
static int c11_counter;
static _Atomic int c11_destroyed;
static void drop(void *value) { c11_destroyed += *(int *)value; }
static int run_c11(void *argument) {
  static thread_local int mine;
  mine = *(int *)argument;
  tss_set(slot, &mine);
  mtx_lock(&mutex);
  c11_counter += mine;
  cnd_broadcast(&changed);
  while (c11_counter < 10) cnd_wait(&changed, &mutex);
  mtx_unlock(&mutex);
  return mine * 2;
}

void once(void) {
  pthread_t ids[workers];
  start_all(ids, workers, begin);
  const long wrong = join_all(ids, workers);
  printf("made %d, flagged %d, seen before %d, thread-local wrong %ld\n", (int)made, (int)flagged, (int)seen_before, wrong);
  printf("own number of the first %ld\n", own.number);
  CHECK(pthread_key_create(&first, destroy_first) == 0 && pthread_key_create(&second, destroy_second) == 0);
  start_all(ids, workers, hold);
  printf("held %ld", join_all(ids, workers));
  printf(", destroyed %d %d, again %d\n", destroyed[0], destroyed[1], (int)again);
  CHECK(pthread_key_delete(first) == 0);
  printf("deleted %d\n", pthread_setspecific(first, &wrong) == EINVAL);

  CHECK(mtx_init(&mutex, mtx_plain) == thrd_success && cnd_init(&changed) == thrd_success);
  CHECK(tss_create(&slot, drop) == thrd_success);
  thrd_t threads[4];
  int numbers[4] = {1, 2, 3, 4}, sum = 0;
  for (int n = 0; n < 4; n++) CHECK(thrd_create(&threads[n], run_c11, &numbers[n]) == thrd_success);
  for (int n = 0; n < 4; n++) {
    int result;
    CHECK(thrd_join(threads[n], &result) == thrd_success);
    sum += result;
  }
  printf("C11: counted %d, results %d, destroyed %d\n", c11_counter, sum, (int)c11_destroyed);
}
