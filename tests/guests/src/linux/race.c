// Increments without a lock: what is lost depends on the schedule, which depends on the seed alone.
#include "suite.h"

static volatile long counter;
static void *add(void *argument) {
  (void)argument;
  for (int n = 0; n < 2000; n++) counter++;
  return NULL;
}

int race(int argc, char **argv) {
  (void)argc, (void)argv;
  pthread_t ids[4];
  for (int n = 0; n < 4; n++) CHECK(pthread_create(&ids[n], NULL, add, NULL) == 0);
  for (int n = 0; n < 4; n++) pthread_join(ids[n], NULL);
  printf("%ld of 8000\n", counter);
  return 0;
}
