// Job control: children that stop and go on, and what their parent hears of it; waitid; descriptors of processes.
#include "suite.h"
#include <poll.h>
#include <sys/syscall.h>

static volatile sig_atomic_t children, last_code;
static void child_event(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  children++;
  last_code = info->si_code;
}

static volatile sig_atomic_t continued;
static void on_continue(int number) { continued = number; }

/** How a child's status reads. */
static void show(const char *what, pid_t got, pid_t child, int status) {
  printf("%s: %s", what, got == child ? "child" : got == 0 ? "none" : "error");
  if (got == child && WIFSTOPPED(status)) printf(" stopped by %d", WSTOPSIG(status));
  if (got == child && WIFCONTINUED(status)) printf(" continued");
  if (got == child && WIFEXITED(status)) printf(" exited with %d", WEXITSTATUS(status));
  if (got == child && WIFSIGNALED(status)) printf(" ended by %d", WTERMSIG(status));
  printf("\n");
}

static void stops(void) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGCONT, on_continue);
    raise(SIGSTOP);
    _exit(continued == SIGCONT ? 7 : 8);
  }
  int status = 0;
  pid_t got = waitpid(child, &status, WUNTRACED);
  show("stop", got, child, status);
  show("told once", waitpid(child, &status, WUNTRACED | WNOHANG), child, status);
  // A signal that is sent to what is stopped waits; SIGCONT goes before it.
  CHECK(kill(child, SIGCONT) == 0);
  got = waitpid(child, &status, 0);
  show("end", got, child, status);
  show("no child", waitpid(child, &status, 0), child, status);
}

static void pauses(void) {
  struct sigaction action = {.sa_sigaction = child_event, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  children = 0;
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  int status = 0;
  CHECK(kill(child, SIGSTOP) == 0);
  pid_t got = waitpid(child, &status, WUNTRACED);
  show("paused", got, child, status);
  printf("SIGCHLD: %d, code %d\n", children, last_code);
  CHECK(kill(child, SIGCONT) == 0);
  got = waitpid(child, &status, WCONTINUED);
  show("on", got, child, status);
  // The child itself sends it, when it runs.
  while (children < 2) usleep(100);
  printf("SIGCHLD: %d, code %d\n", children, last_code);
  CHECK(kill(child, SIGSTOP) == 0);
  got = waitpid(child, &status, WUNTRACED);
  show("again", got, child, status);
  // What ends a process waits until it goes on, but for SIGKILL.
  CHECK(kill(child, SIGTERM) == 0);
  usleep(1000);
  show("still stopped", waitpid(child, &status, WNOHANG), child, status);
  CHECK(kill(child, SIGKILL) == 0);
  got = waitpid(child, &status, 0);
  show("killed", got, child, status);
  signal(SIGCHLD, SIG_DFL);
}

/** A sleep that is interrupted by a stop goes on. */
static void sleeps(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const struct timespec time = {.tv_nsec = 20000000};
    CHECK(write(ends[1], "x", 1) == 1);
    _exit(nanosleep(&time, NULL) == 0 ? 3 : 4);
  }
  char byte;
  CHECK(read(ends[0], &byte, 1) == 1);
  usleep(3000);
  kill(child, SIGSTOP);
  int status = 0;
  pid_t got = waitpid(child, &status, WUNTRACED);
  show("asleep", got, child, status);
  kill(child, SIGCONT);
  got = waitpid(child, &status, 0);
  show("slept", got, child, status);
  close(ends[0]), close(ends[1]);
}

static void groups(void) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  CHECK(setpgid(child, child) == 0);
  printf("group: %d, session %d\n", getpgid(child) == child, getsid(child) == getsid(0));
  printf("to none: %d %d\n", setpgid(child, 99999), errno);
  CHECK(kill(-child, SIGTSTP) == 0);
  int status = 0;
  pid_t got = waitpid(-child, &status, WUNTRACED);
  show("group stopped", got, child, status);
  CHECK(kill(-child, SIGCONT) == 0);
  siginfo_t info = {0};
  CHECK(waitid(P_PGID, child, &info, WCONTINUED) == 0);
  printf("waitid: %d, code %d, status %d\n", info.si_pid == child, info.si_code, info.si_status);
  CHECK(kill(-child, SIGTERM) == 0);
  CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
  printf("left there: code %d, status %d\n", info.si_code, info.si_status);
  memset(&info, 0, sizeof info);
  CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0);
  printf("taken: code %d\n", info.si_code);
  printf("none: %d %d", waitid(P_ALL, 0, &info, WEXITED), errno);
  printf(", no options %d %d", waitid(P_ALL, 0, &info, WNOHANG), errno);
  printf(", kind %d %d\n", waitid(9, 0, &info, WEXITED), errno);
  const pid_t leader = fork();
  if (leader == 0) {
    const int first = setsid() == getpid(), second = setsid() == -1 && errno == EPERM;
    _exit(first && second && getpgrp() == getpid() && setpgid(0, 0) == -1 && errno == EPERM ? 5 : 6);
  }
  got = waitpid(leader, &status, 0);
  show("session", got, leader, status);
  printf("terminal: %d %d\n", open("/dev/tty", O_RDWR) < 0, tcgetpgrp(0) == -1 && errno == ENOTTY);
}

static void *rest(void *argument) {
  for (;;) pause();
  return argument;
}

static void threads_stop(void) {
  const pid_t child = fork();
  if (child == 0) {
    pthread_t id;
    pthread_create(&id, NULL, rest, NULL);
    kill(getpid(), SIGSTOP);
    _exit(9);
  }
  int status = 0;
  pid_t got = waitpid(child, &status, WUNTRACED);
  show("threads", got, child, status);
  kill(child, SIGCONT);
  got = waitpid(child, &status, 0);
  show("threads", got, child, status);
}

static void descriptors(void) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  const int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
  CHECK(descriptor >= 0);
  struct pollfd poller = {.fd = descriptor, .events = POLLIN};
  printf("pidfd: running %d, close on exec %d", poll(&poller, 1, 0), fcntl(descriptor, F_GETFD));
  printf(", signal %ld", syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, NULL, 0));
  printf(", ended %d\n", poll(&poller, 1, -1));
  siginfo_t info;
  const int waited = waitid((idtype_t)3, (id_t)descriptor, &info, WEXITED);
  printf("waitid: %d, code %d, status %d\n", waited, info.si_code, info.si_status);
  printf("gone: %ld %d", syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, NULL, 0), errno);
  printf(", %ld %d", syscall(SYS_pidfd_open, child, 0), errno);
  printf(", %ld %d", syscall(SYS_pidfd_open, 0, 0), errno);
  printf(", not one %ld %d\n", syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0), errno);
}

int jobs(int argc, char **argv) {
  (void)argc, (void)argv;
  stops();
  pauses();
  sleeps();
  groups();
  threads_stop();
  descriptors();
  return 0;
}
