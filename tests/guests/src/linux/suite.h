// Programs for Linux in one executable: the first argument chooses. Each prints what does not depend on the machine or on timing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checks.h"

int start(int argc, char **argv);
int threads(int argc, char **argv);
int lockfree(int argc, char **argv);
int memory(int argc, char **argv);
int signals(int argc, char **argv);
int processes(int argc, char **argv);
int files(int argc, char **argv);
int timing(int argc, char **argv);
int events(int argc, char **argv);
int jobs(int argc, char **argv);
int locks(int argc, char **argv);
int timers(int argc, char **argv);
int cpu_timers(int argc, char **argv);
int beyond(int argc, char **argv);
int transfers(int argc, char **argv);
int faults(int argc, char **argv);
int more_faults(int argc, char **argv);
int sockets(int argc, char **argv);
int robust(int argc, char **argv);
int linpack(int argc, char **argv);
int open_each(int argc, char **argv);
int devour(int argc, char **argv);
int spoil(int argc, char **argv);
int random_calls(int argc, char **argv);
int race(int argc, char **argv);
