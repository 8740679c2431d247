// Robust mutexes whose owner has ended, without and with priority inheritance. Not for qemu-aarch64, which has no robust lists.
#include "suite.h"

static pthread_mutex_t mutex;
static void *die_with_it(void *argument) {
  CHECK(pthread_mutex_lock(&mutex) == 0);
  return argument;
}

static void dead_owner(int protocol) {
  pthread_t id;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  CHECK(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
  CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
  CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
  CHECK(pthread_create(&id, NULL, die_with_it, NULL) == 0);
  pthread_join(id, NULL);
  printf("owner died %d\n", pthread_mutex_lock(&mutex) == EOWNERDEAD);
  CHECK(pthread_mutex_consistent(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
  printf("locked again %d\n", pthread_mutex_lock(&mutex) == 0);
  CHECK(pthread_mutex_unlock(&mutex) == 0);
}

int robust(int argc, char **argv) {
  (void)argc, (void)argv;
  dead_owner(PTHREAD_PRIO_NONE);
  dead_owner(PTHREAD_PRIO_INHERIT);
  return 0;
}
