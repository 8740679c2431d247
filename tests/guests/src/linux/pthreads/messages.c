// Signals between threads: a ring of them, queued ones in their order, masks and who handles what.
#include "pthreads.h"

enum { ring = 5, laps = 4 };
static pthread_t members[ring];
static _Atomic int hops, started, wrong_thread;

static sigset_t set_of(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

static void *pass_on(void *argument) {
  const long self = (long)argument;
  const sigset_t set = set_of(SIGUSR1);
  started++;
  for (int n = 0; n < laps; n++) {
    int number = 0;
    CHECK(sigwait(&set, &number) == 0 && number == SIGUSR1);
    wrong_thread += hops % ring != self;
    hops++;
    if (hops < ring * laps) CHECK(pthread_kill(members[(self + 1) % ring], SIGUSR1) == 0);
  }
  return NULL;
}

static _Thread_local volatile sig_atomic_t handled_here;
static void handle(int number) { handled_here += number == SIGUSR2; }
static _Atomic int may_end;
static void *be_hit(void *argument) {
  const sigset_t set = set_of(SIGUSR2);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  started++;
  while (!may_end) usleep(200);
  // The other signals of this thread are still blocked, as its creator had them.
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  CHECK(sigismember(&mask, SIGUSR1) == 1 && argument == NULL);
  return (void *)(long)handled_here;
}

static void *take_queued(void *argument) {
  sigset_t set = set_of(SIGRTMIN);
  sigaddset(&set, SIGRTMIN + 1);
  started++;
  while (!may_end) usleep(200);
  long digits = 0;
  for (int n = 0; n < 6; n++) {
    siginfo_t info;
    const int number = sigwaitinfo(&set, &info);
    digits = digits * 100 + (number - SIGRTMIN) * 10 + info.si_value.sival_int;
  }
  CHECK(argument == NULL);
  return (void *)digits;
}

void messages(void) {
  sigset_t blocked = set_of(SIGUSR1), old;
  sigaddset(&blocked, SIGUSR2), sigaddset(&blocked, SIGRTMIN), sigaddset(&blocked, SIGRTMIN + 1);
  CHECK(pthread_sigmask(SIG_BLOCK, &blocked, &old) == 0);
  start_all(members, ring, pass_on);
  while (started < ring) sched_yield();
  CHECK(pthread_kill(members[0], SIGUSR1) == 0);
  join_all(members, ring);
  printf("ring: %d hops, %d of another thread\n", (int)hops, (int)wrong_thread);

  const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
  pthread_t id;
  started = 0;
  CHECK(pthread_create(&id, NULL, be_hit, NULL) == 0);
  while (!started) sched_yield();
  CHECK(pthread_kill(id, SIGUSR2) == 0);
  usleep(2000);
  may_end = 1;
  printf("handled there %ld", join_all(&id, 1));
  // To the process: the one thread that does not block it.
  started = may_end = 0;
  CHECK(pthread_create(&id, NULL, be_hit, NULL) == 0);
  while (!started) sched_yield();
  CHECK(kill(getpid(), SIGUSR2) == 0);
  usleep(2000);
  may_end = 1;
  printf(", by the one who may %ld, here %d\n", join_all(&id, 1), (int)handled_here);

  started = may_end = 0;
  CHECK(pthread_create(&id, NULL, take_queued, NULL) == 0);
  while (!started) sched_yield();
  for (int n = 1; n <= 3; n++) {
    const union sigval value = {.sival_int = n};
    CHECK(pthread_sigqueue(id, SIGRTMIN + 1, value) == 0 && pthread_sigqueue(id, SIGRTMIN, value) == 0);
  }
  may_end = 1;
  printf("queued %ld\n", join_all(&id, 1));
  printf("no signal %d, no such signal %d\n", pthread_kill(pthread_self(), 0), pthread_kill(pthread_self(), 65) == EINVAL);
  CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}
