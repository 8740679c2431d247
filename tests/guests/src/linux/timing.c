// Time: what is asked for has passed, and clocks do not run back.
#include "suite.h"
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

static long now(void) {
  struct timespec time;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

int timing(int argc, char **argv) {
  (void)argc, (void)argv;
  long before = now();
  const struct timespec short_time = {.tv_nsec = 3000000};
  CHECK(nanosleep(&short_time, NULL) == 0);
  printf("nanosleep %d\n", now() - before >= 3000000);
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += 2000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
  printf("until %d\n", now() >= until.tv_sec * 1000000000 + until.tv_nsec);
  int ends[2];
  CHECK(pipe(ends) == 0);
  struct pollfd poller = {.fd = ends[0], .events = POLLIN};
  before = now();
  printf("poll %d", poll(&poller, 1, 2));
  printf(" %d\n", now() - before >= 2000000);
  CHECK(write(ends[1], "x", 1) == 1);
  printf("poll %d, events %d\n", poll(&poller, 1, 1000), poller.revents);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval limit = {.tv_sec = 1};
  printf("select %d\n", select(ends[0] + 1, &set, NULL, NULL, &limit));
  close(ends[1]);
  char byte;
  CHECK(read(ends[0], &byte, 1) == 1 && poll(&poller, 1, -1) == 1);
  printf("hang up %d\n", poller.revents & POLLHUP);
  struct timeval day;
  CHECK(gettimeofday(&day, NULL) == 0 && day.tv_sec > 900000000);
  long earlier = now();
  for (int n = 0; n < 1000; n++) {
    const long later = now();
    CHECK(later >= earlier);
    earlier = later;
  }
  struct timespec used;
  CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 && (used.tv_sec > 0 || used.tv_nsec > 0));
  CHECK(clock_gettime(99, &used) == -1 && errno == EINVAL);
  return 0;
}
