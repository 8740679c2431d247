#include "checks.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void check(int holds, const char *what, const char *file, int line) {
  if (holds) return;
  const int error = errno;
  fflush(stdout);
  fprintf(stderr, "FAILED: %s (%s:%d, errno %d)\n", what, strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, error);
  _exit(1);
}

void start_all(pthread_t *ids, int count, void *(*run)(void *)) {
  for (long n = 0; n < count; n++) CHECK(pthread_create(&ids[n], NULL, run, (void *)n) == 0);
}

long join_all(const pthread_t *ids, int count) {
  long sum = 0;
  for (int n = 0; n < count; n++) {
    void *result;
    CHECK(pthread_join(ids[n], &result) == 0);
    sum += (long)result;
  }
  return sum;
}
