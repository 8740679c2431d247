// Signals: handlers, masks, an alternate stack, signals between threads, what a signal does to a call, and registers that come back.
#include "suite.h"
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last, nested;
static void note(int number) { count++, last = number; }
static void note_info(int number, siginfo_t *info, void *context) {
  (void)context;
  count++;
  last = number == SIGUSR1 && info->si_pid == getpid() ? number : -1;
}
static void inner(int number) { nested = number; }
static void outer(int number) {
  raise(SIGUSR2);
  count = nested == SIGUSR2 ? number : -1;
}

static char stack[65536];
static void where(int number) {
  char here;
  count = number;
  last = &here >= stack && &here < stack + sizeof stack;
}

static void skip(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  ucontext_t *const user = context;
  user->uc_mcontext.pc += 4;
  user->uc_mcontext.regs[5] = 77;
}

static pthread_t main_thread;
static _Atomic int ready;
static void *wait_for(void *argument) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ready = 1;
  int number = 0;
  CHECK(sigwait(&set, &number) == 0);
  (void)argument;
  return (void *)(long)number;
}
static void *interrupt(void *argument) {
  usleep(2000);
  pthread_kill(main_thread, SIGUSR1);
  if (argument) {
    usleep(2000);
    CHECK(write(*(int *)argument, "x", 1) == 1);
  }
  return NULL;
}

static void set(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  CHECK(sigaction(number, &action, NULL) == 0);
}

int signals(int argc, char **argv) {
  (void)argc, (void)argv;
  struct sigaction action = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  double before = 1.5, after;
  asm volatile("fmov d9, %d1\n mov x8, #129\n mov x0, %2\n mov x1, #10\n svc #0\n fmov %d0, d9"
               : "=w"(after)
               : "w"(before), "r"((long)getpid())
               : "x0", "x1", "x8", "d9", "memory");
  printf("kill: %d times, %d, d9 %.1f\n", count, last, after);

  sigset_t mask, old, pending;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigprocmask(SIG_BLOCK, &mask, &old);
  raise(SIGUSR1);
  raise(SIGUSR1);
  sigpending(&pending);
  printf("blocked: %d times, pending %d\n", count, sigismember(&pending, SIGUSR1));
  sigprocmask(SIG_SETMASK, &old, NULL);
  printf("unblocked: %d times\n", count);
  set(SIGUSR2, inner, 0);
  set(SIGUSR1, outer, 0);
  raise(SIGUSR1);
  printf("nested: %d\n", count);
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  CHECK(sigaltstack(&alternate, NULL) == 0);
  set(SIGUSR1, where, SA_ONSTACK);
  raise(SIGUSR1);
  printf("alternate stack: %d %d\n", count, last);
  action = (struct sigaction){.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
  sigaction(SIGILL, &action, NULL);
  long value;
  asm volatile("mov x5, #1\n udf #7\n mov %0, x5" : "=r"(value)::"x5");
  printf("skipped: %ld\n", value);
  set(SIGUSR1, SIG_IGN, 0);
  raise(SIGUSR1);
  set(SIGUSR1, note, SA_RESETHAND);
  count = 0;
  raise(SIGUSR1);
  struct sigaction now;
  sigaction(SIGUSR1, NULL, &now);
  printf("reset: %d %d\n", count, now.sa_handler == SIG_DFL);

  main_thread = pthread_self();
  pthread_t id;
  set(SIGUSR1, note, 0);
  count = 0;
  int ends[2];
  CHECK(pipe(ends) == 0);
  char byte;
  pthread_create(&id, NULL, interrupt, NULL);
  ssize_t got = read(ends[0], &byte, 1);
  printf("interrupted: %zd %d, %d times\n", got, errno == EINTR, count);
  pthread_join(id, NULL);
  set(SIGUSR1, note, SA_RESTART);
  pthread_create(&id, NULL, interrupt, &ends[1]);
  got = read(ends[0], &byte, 1);
  printf("restarted: %zd, %d times\n", got, count);
  pthread_join(id, NULL);
  pthread_create(&id, NULL, interrupt, NULL);
  printf("pause: %d\n", pause() == -1 && errno == EINTR);
  pthread_join(id, NULL);

  sigprocmask(SIG_BLOCK, &mask, NULL);
  pthread_create(&id, NULL, wait_for, NULL);
  while (!ready) usleep(100);
  pthread_kill(id, SIGUSR1);
  void *result;
  pthread_join(id, &result);
  printf("sigwait: %ld\n", (long)result);
  const struct timespec short_time = {.tv_nsec = 1000000};
  printf("sigtimedwait: %d\n", sigtimedwait(&mask, NULL, &short_time) == -1 && errno == EAGAIN);
  count = 0;
  raise(SIGUSR1);
  sigemptyset(&pending);
  printf("sigsuspend: %d", sigsuspend(&pending) == -1 && errno == EINTR);
  printf(", %d times\n", count);
  const union sigval queued = {.sival_int = 9};
  sigaddset(&mask, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  sigqueue(getpid(), SIGRTMIN, queued);
  sigqueue(getpid(), SIGRTMIN, queued);
  siginfo_t info;
  for (int n = 0; n < 2; n++) printf("queued: %d %d\n", sigwaitinfo(&mask, &info) == SIGRTMIN, info.si_value.sival_int);
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
  set(SIGALRM, note, 0);
  const struct itimerval interval = {{0, 2000}, {0, 2000}};
  setitimer(ITIMER_REAL, &interval, NULL);
  count = 0;
  while (count < 3) pause();
  printf("alarms: %d\n", last == SIGALRM);
  raise(SIGTERM);
  return 0;
}
