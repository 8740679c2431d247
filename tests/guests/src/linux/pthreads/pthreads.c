#include "pthreads.h"

void *shared_memory(size_t size) {
  void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  return memory;
}

struct timespec later(clockid_t clock, long ms) {
  struct timespec time;
  CHECK(clock_gettime(clock, &time) == 0);
  time.tv_nsec += ms * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

int status_of(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

static const struct {
  const char *name;
  void (*run)(void);
  int is_anywhere;
} programs[] = {
    {"mutexes", mutexes, 1}, {"conditions", conditions, 1}, {"rwlocks", rwlocks, 1},
    {"semaphores", semaphores, 1}, {"once", once, 1}, {"cancellation", cancellation, 1},
    {"lockless", lockless, 1}, {"messages", messages, 1}, {"forks", forks, 1}, {"crowd", crowd, 1},
    {"robust", robust, 0}, {"execs", execs, 0}, {"hundreds", hundreds, 0},
};

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 3 && strcmp(argv[1], "child") == 0) {
    printf("child of %s\n", argv[2]);
    return 9;
  }
  for (unsigned n = 0; n < sizeof programs / sizeof *programs; n++) {
    int isWanted = argc == 1 && programs[n].is_anywhere;
    for (int word = 1; word < argc; word++) isWanted |= strcmp(argv[word], programs[n].name) == 0;
    if (!isWanted) continue;
    printf("%s\n", programs[n].name);
    programs[n].run();
  }
  return 0;
}
