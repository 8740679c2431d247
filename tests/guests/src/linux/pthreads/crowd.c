// Many threads at once: all wait for all, a tree of threads, and hundreds.
#include "pthreads.h"

enum { many = 64, most = 256, depth = 5 };
static pthread_barrier_t barrier;
static _Atomic int here, wrong;
static int crowd_size;

static void *meet(void *argument) {
  here++;
  pthread_barrier_wait(&barrier);
  wrong += here != crowd_size;
  pthread_barrier_wait(&barrier);
  return (void *)((long)argument * (long)argument);
}

static void all_at_once(int count) {
  static pthread_t ids[most];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  crowd_size = count;
  here = 0;
  CHECK(pthread_barrier_init(&barrier, NULL, (unsigned)count) == 0);
  for (long n = 0; n < count; n++) CHECK(pthread_create(&ids[n], &attributes, meet, (void *)n) == 0);
  printf("%d at once: squares %ld, too early %d\n", count, join_all(ids, count), (int)wrong);
  pthread_barrier_destroy(&barrier);
}

static void *grow(void *argument) {
  const long level = (long)argument;
  if (level == 0) return (void *)1;
  pthread_t ids[2];
  for (int n = 0; n < 2; n++) CHECK(pthread_create(&ids[n], NULL, grow, (void *)(level - 1)) == 0);
  return (void *)(1 + join_all(ids, 2));
}

void crowd(void) {
  all_at_once(many);
  printf("a tree of %ld\n", (long)grow((void *)depth));
}

void hundreds(void) { all_at_once(most); }
