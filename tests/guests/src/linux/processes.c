// Processes: fork, exec, wait, pipes between them, and how they end.
#include "suite.h"
#include <spawn.h>

extern char **environ;

static int status_of(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

int processes(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "child") == 0) {
    printf("child has %d arguments, the last '%s', and X=%s\n", argc, argv[argc - 1], getenv("X") ? getenv("X") : "");
    return 7;
  }
  if (argc > 1 && strcmp(argv[1], "cat") == 0) {
    char buffer[100];
    for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;) CHECK(write(1, buffer, (size_t)got) == got);
    return 0;
  }
  (void)argv;
  static int value = 1;
  pid_t child = fork();
  if (child == 0) {
    value = 2;
    _exit(value + (getppid() != 0) * 10);
  }
  int status = status_of(child);
  printf("fork: %d, exit %d, value %d\n", WIFEXITED(status), WEXITSTATUS(status), value);
  child = fork();
  if (child == 0) *(volatile int *)8 = 0;
  status = status_of(child);
  printf("fault: %d, signal %d\n", WIFSIGNALED(status), WTERMSIG(status));
  child = fork();
  if (child == 0)
    for (;;) pause();
  kill(child, SIGTERM);
  status = status_of(child);
  printf("kill: %d, signal %d\n", WIFSIGNALED(status), WTERMSIG(status));
  printf("no child: %d\n", wait(NULL) == -1 && errno == ECHILD);
  child = fork();
  if (child == 0) {
    char *const arguments[] = {"suite", "processes", "child", "last word", NULL};
    char *const environment[] = {"X=from the parent", NULL};
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
  }
  status = status_of(child);
  printf("exec: exit %d\n", WEXITSTATUS(status));
  char *const arguments[] = {"suite", "processes", "child", "spawned", NULL};
  CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
  printf("spawn: exit %d\n", WEXITSTATUS(status_of(child)));
  CHECK(posix_spawn(&child, "/no/such/file", NULL, NULL, arguments, environ) == ENOENT);

  int to[2], from[2];
  CHECK(pipe(to) == 0 && pipe(from) == 0);
  child = fork();
  if (child == 0) {
    dup2(to[0], 0), dup2(from[1], 1);
    close(to[0]), close(to[1]), close(from[0]), close(from[1]);
    char *const words[] = {"suite", "processes", "cat", NULL};
    execv("/proc/self/exe", words);
    _exit(127);
  }
  close(to[0]), close(from[1]);
  const pid_t writer = fork();
  if (writer == 0) {
    for (int n = 0; n < 4000; n++) dprintf(to[1], "line %d\n", n);
    _exit(0);
  }
  close(to[1]);
  unsigned long sum = 0, bytes = 0;
  unsigned char buffer[777];
  for (ssize_t got; (got = read(from[0], buffer, sizeof buffer)) > 0; bytes += (unsigned long)got)
    for (ssize_t n = 0; n < got; n++) sum = sum * 31 + buffer[n];
  status_of(writer);
  printf("pipes: %lu bytes, sum %lx, exit %d\n", bytes, sum, status_of(child));
  signal(SIGPIPE, SIG_IGN);
  CHECK(pipe(to) == 0);
  close(to[0]);
  printf("no reader: %d\n", write(to[1], "x", 1) == -1 && errno == EPIPE);

  for (int n = 0; n < 20; n++)
    if (fork() == 0) _exit(n);
  int exits = 0;
  for (int n = 0; n < 20; n++) {
    CHECK(wait(&status) > 0);
    exits += WEXITSTATUS(status);
  }
  printf("twenty: %d\n", exits);
  return 0;
}
