#include "suite.h"

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
} programs[] = {
    {"start", start},
    {"threads", threads},
    {"lockfree", lockfree},
    {"memory", memory},
    {"signals", signals},
    {"processes", processes},
    {"files", files},
    {"timing", timing},
    {"race", race},
    {"events", events},
    {"jobs", jobs},
    {"locks", locks},
    {"timers", timers},
    {"cpu-timers", cpu_timers},
    {"beyond", beyond},
    {"transfers", transfers},
    {"faults", faults},
    {"more-faults", more_faults},
    {"sockets", sockets},
    {"robust", robust},
    {"linpack", linpack},
    {"open", open_each},
    {"spoil", spoil},
    {"devour", devour},
    {"random-calls", random_calls},
};

int main(int argc, char **argv) {
  // What has been said is said, also where a fork or a signal follows.
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (unsigned n = 0; n < sizeof programs / sizeof *programs; n++)
    if (argc > 1 && strcmp(argv[1], programs[n].name) == 0) return programs[n].run(argc - 1, argv + 1);
  fprintf(stderr, "which program?\n");
  return 2;
}
