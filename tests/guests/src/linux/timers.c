// Timers that send signals, of time and of running time, and how often they have expired.
#include "suite.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t count, code, value, thread;
static void expired(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  count++;
  code = info->si_code;
  value = info->si_value.sival_int;
  thread = (int)syscall(SYS_gettid);
}

static const struct itimerspec once = {.it_value = {.tv_nsec = 2000000}};
static const struct itimerspec often = {.it_value = {.tv_nsec = 1000000}, .it_interval = {.tv_nsec = 1000000}};
static const struct itimerspec never;

static void *wait_here(void *argument) {
  *(_Atomic int *)argument = (int)syscall(SYS_gettid);
  while (count == 0) usleep(500);
  return NULL;
}

static void of_time(void) {
  struct sigaction action = {.sa_sigaction = expired, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN + 1, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 77};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  struct itimerspec left;
  CHECK(timer_settime(timer, 0, &once, &left) == 0);
  printf("before: %ld", left.it_value.tv_nsec);
  CHECK(timer_gettime(timer, &left) == 0);
  printf(", left %d\n", left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2000000);
  while (count == 0) pause();
  printf("once: code %d, value %d, overrun %d\n", code, value, timer_getoverrun(timer));
  CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec == 0);
  // What is blocked is pending once: the other expirations are its overrun.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  CHECK(timer_settime(timer, 0, &often, NULL) == 0);
  usleep(8000);
  siginfo_t info;
  printf("taken: %d, code %d, value %d", sigwaitinfo(&set, &info) == SIGRTMIN + 1, info.si_code, info.si_value.sival_int);
  printf(", overrun %d, the same %d\n", info.si_overrun >= 5, info.si_overrun == timer_getoverrun(timer));
  CHECK(timer_settime(timer, 0, &never, &left) == 0);
  printf("interval %ld\n", left.it_interval.tv_nsec);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  CHECK(timer_delete(timer) == 0);
  printf("deleted: %ld %d\n", syscall(SYS_timer_delete, 99), errno);
  count = 0;
  CHECK(timer_create(CLOCK_REALTIME, NULL, &timer) == 0);
  struct timespec day;
  clock_gettime(CLOCK_REALTIME, &day);
  struct itimerspec past = {.it_value = {.tv_sec = day.tv_sec - 5}};
  CHECK(timer_settime(timer, TIMER_ABSTIME, &past, NULL) == 0);
  while (count == 0) usleep(500);
  printf("past: %d, code %d\n", count, code);
  timer_delete(timer);
  // To one thread.
  count = 0;
  _Atomic int tid = 0;
  pthread_t id;
  pthread_create(&id, NULL, wait_here, &tid);
  while (!tid) usleep(100);
  event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1};
  event._sigev_un._tid = tid;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &once, NULL) == 0);
  pthread_join(id, NULL);
  printf("thread: %d\n", thread == tid);
  timer_delete(timer);
  event = (struct sigevent){.sigev_notify = SIGEV_NONE};
  CHECK(timer_create(CLOCK_BOOTTIME, &event, &timer) == 0 && timer_settime(timer, 0, &often, NULL) == 0);
  usleep(3000);
  CHECK(timer_gettime(timer, &left) == 0);
  printf("silent: %d\n", left.it_value.tv_nsec > 0);
  timer_delete(timer);
  event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
  printf("bad signal: %d %d", timer_create(CLOCK_MONOTONIC, &event, &timer), errno);
  printf(", bad clock: %d %d\n", timer_create(99, NULL, &timer), errno);
}

static void spin(void) {
  for (volatile int n = 0; n < 10000; n++) {
  }
}

static void of_running(void) {
  struct sigaction action = {.sa_sigaction = expired, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGPROF, &action, NULL);
  sigaction(SIGVTALRM, &action, NULL);
  const struct itimerval interval = {{0, 5000}, {0, 5000}};
  for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
    count = 0;
    CHECK(setitimer(which, &interval, NULL) == 0);
    while (count < 3) spin();
    struct itimerval left;
    CHECK(getitimer(which, &left) == 0);
    printf("interval timer %d: interval %ld, left %d, code %d\n", which, (long)left.it_interval.tv_usec, left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 10000, code);
    const struct itimerval stop = {0};
    CHECK(setitimer(which, &stop, NULL) == 0);
  }
  const struct itimerval wrong = {{0, 0}, {0, 1000000}};
  printf("wrong: %d %d", setitimer(ITIMER_REAL, &wrong, NULL), errno);
  printf(", %d %d\n", setitimer((__itimer_which_t)9, &interval, NULL), errno);
}

int timers(int argc, char **argv) {
  (void)argc, (void)argv;
  of_time();
  of_running();
  return 0;
}

/** What qemu-aarch64 has no timers of: the time that a thread has run. */
int cpu_timers(int argc, char **argv) {
  (void)argc, (void)argv;
  struct sigaction action = {.sa_sigaction = expired, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  const clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
  for (int n = 0; n < 2; n++) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = n};
    CHECK(timer_create(clocks[n], &event, &timer) == 0);
    count = 0;
    CHECK(timer_settime(timer, 0, &once, NULL) == 0);
    struct timespec before, after;
    clock_gettime(clocks[n], &before);
    usleep(5000);
    printf("asleep: %d", count);
    while (count == 0) spin();
    clock_gettime(clocks[n], &after);
    const long ran = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    printf(", ran: %d, value %d, %d\n", count, value, ran >= 1900000 && ran < 7000000);
    timer_delete(timer);
  }
  return 0;
}
