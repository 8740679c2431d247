// A robust mutex whose owner has ended. Not for qemu-aarch64, which has no robust lists.
#include "suite.h"

static pthread_mutex_t robust_mutex;
static void *die_with_it(void *argument) {
  pthread_mutex_lock(&robust_mutex);
  return argument;
}

int robust(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t id;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust_mutex, &attributes);
  CHECK(pthread_create(&id, NULL, die_with_it, NULL) == 0);
  pthread_join(id, NULL);
  printf("owner died %d\n", pthread_mutex_lock(&robust_mutex) == EOWNERDEAD);
  CHECK(pthread_mutex_consistent(&robust_mutex) == 0 && pthread_mutex_unlock(&robust_mutex) == 0);
  printf("locked again %d\n", pthread_mutex_lock(&robust_mutex) == 0);
  return 0;
}
