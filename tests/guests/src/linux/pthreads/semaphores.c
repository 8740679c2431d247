// Semaphores: bounded buffers, tries and time-outs, a signal that interrupts, and between processes.
#include "pthreads.h"
#include <limits.h>

enum { places = 4, items = 60, pairs = 3 };
static sem_t free_places, filled;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long buffer[places], in, out, received;

static void *produce(void *argument) {
  for (long n = 1; n <= items; n++) {
    sem_wait(&free_places);
    pthread_mutex_lock(&mutex);
    buffer[in++ % places] = n;
    pthread_mutex_unlock(&mutex);
    sem_post(&filled);
  }
  return argument;
}
static void *consume(void *argument) {
  for (long n = 1; n <= items; n++) {
    sem_wait(&filled);
    pthread_mutex_lock(&mutex);
    received += buffer[out++ % places];
    pthread_mutex_unlock(&mutex);
    sem_post(&free_places);
  }
  return argument;
}

static _Atomic int handled, is_waiting;
static void note(int number) { handled = number; }
static void *wait_for_signal(void *argument) {
  sem_t *const never = argument;
  is_waiting = 1;
  return (void *)(long)(sem_wait(never) == -1 && errno == EINTR);
}

void semaphores(void) {
  pthread_t ids[2 * pairs];
  CHECK(sem_init(&free_places, 0, places) == 0 && sem_init(&filled, 0, 0) == 0);
  start_all(ids, pairs, produce);
  start_all(ids + pairs, pairs, consume);
  join_all(ids, 2 * pairs);
  int left = -1;
  sem_getvalue(&free_places, &left);
  printf("received %ld, places %d\n", received, left);
  const struct timespec soon = later(CLOCK_REALTIME, 2);
  printf("try %d", sem_trywait(&filled) == -1 && errno == EAGAIN);
  printf(", timed %d", sem_timedwait(&filled, &soon) == -1 && errno == ETIMEDOUT);
  sem_t highest;
  CHECK(sem_init(&highest, 0, SEM_VALUE_MAX) == 0);
  printf(", overflow %d\n", sem_post(&highest) == -1 && errno == EOVERFLOW);

  sem_t never;
  CHECK(sem_init(&never, 0, 0) == 0);
  const struct sigaction action = {.sa_handler = note};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t id;
  CHECK(pthread_create(&id, NULL, wait_for_signal, &never) == 0);
  while (!is_waiting) sched_yield();
  void *result = NULL;
  // It may not be waiting yet: until it has been interrupted there.
  while (pthread_tryjoin_np(id, &result) != 0) pthread_kill(id, SIGUSR1), usleep(500);
  printf("interrupted %ld, signal %d\n", (long)result, (int)handled);

  sem_t *const shared = shared_memory(4096);
  CHECK(sem_init(&shared[0], 1, 0) == 0 && sem_init(&shared[1], 1, 0) == 0);
  const pid_t child = fork();
  if (child == 0) {
    for (int n = 0; n < 10; n++) sem_wait(&shared[0]), sem_post(&shared[1]);
    _exit(4);
  }
  for (int n = 0; n < 10; n++) sem_post(&shared[0]), sem_wait(&shared[1]);
  printf("between processes, exit %d\n", WEXITSTATUS(status_of(child)));
}
