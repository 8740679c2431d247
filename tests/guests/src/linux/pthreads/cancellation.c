// How threads end: cancelled where they wait or anywhere, by pthread_exit, detached; and what is cleaned up.
#include "pthreads.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t nothing, ready;
static _Atomic int order, locked_at_cleanup;
static int ends[2];

static void clean(void *digit) { order = order * 10 + (int)(long)digit; }
static void unlock(void *argument) {
  (void)argument;
  // A cancelled wait has the mutex again.
  locked_at_cleanup = pthread_mutex_trylock(&mutex) == EBUSY;
  pthread_mutex_unlock(&mutex);
}

static void *wait_on_condition(void *argument) {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlock, NULL);
  sem_post(&ready);
  for (;;) pthread_cond_wait(&never, &mutex);
  pthread_cleanup_pop(1);
  return argument;
}
static void *wait_on_semaphore(void *argument) {
  pthread_cleanup_push(clean, (void *)1);
  pthread_cleanup_push(clean, (void *)2);
  sem_post(&ready);
  for (;;) sem_wait(&nothing);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return argument;
}
static void *wait_for_input(void *argument) {
  char byte;
  sem_post(&ready);
  CHECK(read(ends[0], &byte, 1) == 1);
  return argument;
}
static void *work(void *argument) {
  int old;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  sem_post(&ready);
  for (volatile long n = 0;; n++) {
  }
  return argument;
}
static _Atomic int is_asked;
static void *refuse_first(void *argument) {
  int old;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  sem_post(&ready);
  while (!is_asked) sched_yield();
  pthread_testcancel();
  order = 100;
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
  pthread_testcancel();
  order = 0;
  return argument;
}
static void *sleep_long(void *argument) {
  sem_post(&ready);
  sleep(1000);
  return argument;
}

static void cancel(const char *name, void *(*run)(void *)) {
  pthread_t id;
  void *result = NULL;
  order = is_asked = 0;
  start_all(&id, 1, run);
  sem_wait(&ready);
  CHECK(pthread_cancel(id) == 0);
  is_asked = 1;
  CHECK(pthread_join(id, &result) == 0);
  printf("%s: cancelled %d, order %d\n", name, result == PTHREAD_CANCELED, (int)order);
}

static void *exit_deep(void *argument) {
  pthread_cleanup_push(clean, (void *)3);
  pthread_exit(argument);
  pthread_cleanup_pop(0);
  return NULL;
}

static _Atomic int gone;
static void *go(void *argument) {
  gone++;
  return argument;
}

void cancellation(void) {
  CHECK(sem_init(&nothing, 0, 0) == 0 && sem_init(&ready, 0, 0) == 0 && pipe(ends) == 0);
  cancel("semaphore", wait_on_semaphore);
  cancel("condition", wait_on_condition);
  printf("locked at clean-up %d, free after %d\n", (int)locked_at_cleanup, pthread_mutex_trylock(&mutex) == 0);
  pthread_mutex_unlock(&mutex);
  cancel("read", wait_for_input);
  cancel("sleep", sleep_long);
  cancel("loop", work);
  cancel("refused at first", refuse_first);
  pthread_t id;
  void *result = NULL;
  CHECK(pthread_create(&id, NULL, exit_deep, &gone) == 0 && pthread_join(id, &result) == 0);
  printf("pthread_exit: result %d, order %d\n", result == &gone, (int)order);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 65536);
  for (int n = 0; n < 10; n++) CHECK(pthread_create(&id, &attributes, go, NULL) == 0);
  while (gone < 10) sched_yield();
  CHECK(pthread_create(&id, NULL, go, NULL) == 0 && pthread_detach(id) == 0);
  while (gone < 11) sched_yield();
  printf("detached %d, join of itself %d\n", (int)gone, pthread_join(pthread_self(), NULL) == EDEADLK);
  close(ends[0]), close(ends[1]);
}
