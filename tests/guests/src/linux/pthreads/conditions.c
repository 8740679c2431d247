// Condition variables: turns, broadcasts, time-outs by both clocks, and one that processes share.
#include "pthreads.h"

enum { ring = 6, laps = 8, crowd_size = 12 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turns[ring], gate = PTHREAD_COND_INITIALIZER, arrived = PTHREAD_COND_INITIALIZER;
static int turn, order_wrong, waiting, is_open;

/** Each in its turn: the next one is signalled alone. */
static void *go_round(void *argument) {
  const int self = (int)(long)argument;
  pthread_mutex_lock(&mutex);
  for (int lap = 0; lap < laps; lap++) {
    while (turn % ring != self) pthread_cond_wait(&turns[self], &mutex);
    order_wrong += turn != lap * ring + self;
    turn++;
    pthread_cond_signal(&turns[(self + 1) % ring]);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void *enter(void *argument) {
  (void)argument;
  pthread_mutex_lock(&mutex);
  waiting++;
  pthread_cond_signal(&arrived);
  while (!is_open) pthread_cond_wait(&gate, &mutex);
  waiting--;
  pthread_mutex_unlock(&mutex);
  return (void *)1;
}

static void time_out(clockid_t clock) {
  pthread_condattr_t attributes;
  pthread_cond_t condition;
  CHECK(pthread_condattr_init(&attributes) == 0 && pthread_condattr_setclock(&attributes, clock) == 0);
  CHECK(pthread_cond_init(&condition, &attributes) == 0);
  const struct timespec end = later(clock, 3);
  pthread_mutex_lock(&mutex);
  const int result = pthread_cond_timedwait(&condition, &mutex, &end);
  struct timespec now;
  clock_gettime(clock, &now);
  const int is_late = now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
  printf("timed out %d, not early %d", result == ETIMEDOUT, is_late);
  printf(", still locked %d", pthread_mutex_trylock(&mutex) == EBUSY);
  const struct timespec past = {0};
  printf(", past %d\n", pthread_cond_timedwait(&condition, &mutex, &past) == ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
  CHECK(pthread_cond_destroy(&condition) == 0);
}

void conditions(void) {
  pthread_t ids[crowd_size];
  for (int n = 0; n < ring; n++) CHECK(pthread_cond_init(&turns[n], NULL) == 0);
  start_all(ids, ring, go_round);
  join_all(ids, ring);
  printf("turns %d, out of order %d\n", turn, order_wrong);
  start_all(ids, crowd_size, enter);
  pthread_mutex_lock(&mutex);
  while (waiting < crowd_size) pthread_cond_wait(&arrived, &mutex);
  is_open = 1;
  pthread_cond_broadcast(&gate);
  pthread_mutex_unlock(&mutex);
  printf("through the gate %ld", join_all(ids, crowd_size));
  printf(", waiting %d\n", waiting);
  time_out(CLOCK_REALTIME);
  time_out(CLOCK_MONOTONIC);

  struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int value;
  } *const shared = shared_memory(4096);
  pthread_mutexattr_t of_mutex;
  pthread_condattr_t of_condition;
  pthread_mutexattr_init(&of_mutex), pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
  pthread_condattr_init(&of_condition), pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
  CHECK(pthread_mutex_init(&shared->mutex, &of_mutex) == 0 && pthread_cond_init(&shared->changed, &of_condition) == 0);
  const pid_t child = fork();
  const int parity = child == 0;
  pthread_mutex_lock(&shared->mutex);
  while (shared->value < 20) {
    if (shared->value % 2 == parity) {
      shared->value++;
      pthread_cond_signal(&shared->changed);
    } else {
      pthread_cond_wait(&shared->changed, &shared->mutex);
    }
  }
  pthread_mutex_unlock(&shared->mutex);
  if (child == 0) _exit(3);
  printf("between processes %d, exit %d\n", shared->value, WEXITSTATUS(status_of(child)));
}
