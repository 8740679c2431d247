// Programs that try what they may not: paths out of the sandbox, changes of what is read-only, calls with arguments at random.
#include "suite.h"
#include <sys/stat.h>
#include <sys/syscall.h>

/** What each path holds, or why it cannot be read. */
int open_each(int argc, char **argv) {
  for (int n = 1; n < argc; n++) {
    char buffer[100];
    const int file = open(argv[n], O_RDONLY);
    const ssize_t got = file < 0 ? -1 : read(file, buffer, sizeof buffer);
    if (got < 0)
      printf("errno %d\n", errno);
    else
      printf("%.*s\n", (int)got, buffer);
  }
  return 0;
}

static void tell(int result) {
  if (result < 0)
    printf("errno %d\n", errno);
  else
    printf("done\n");
}

/** Every way to change what a path names. */
int spoil(int argc, char **argv) {
  for (int n = 1; n < argc; n++) {
    struct stat status;
    const int is_there = lstat(argv[n], &status) == 0;
    const int file = open(argv[n], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 && errno == EISDIR) {
      tell(rmdir(argv[n]));
      continue;
    }
    tell(file);
    if (file >= 0) tell((int)write(file, "spoilt", 6));
    if (!is_there) continue;
    tell(truncate(argv[n], 0));
    tell(chmod(argv[n], 0));
    tell(rename(argv[n], "/new-name"));
    tell(unlink(argv[n]));
  }
  return 0;
}

static __thread uint64_t state;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static char area[1 << 16];
static uint64_t argument(void) {
  switch (next() % 10) {
    case 0: return next();
    case 1: return (uint64_t)-1 - next() % 4;
    case 2: return (uint64_t)area + next() % sizeof area;
    case 3: return 1ull << (next() % 64);
    case 4: return ((uint64_t)area & ~4095ull) + next() % 3 - 1;
    case 5: return (uint64_t)(int64_t)-100;
    default: return next() % 8;
  }
}

static void nothing(int number) { (void)number; }

/** Calls that end or multiply what makes them, or that reach the parent, which is to tell the end of the story. */
static int is_left_out(long number, uint64_t target) {
  switch (number) {
    case SYS_exit: case SYS_exit_group: case SYS_clone: case SYS_clone3: case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigreturn:
      return 1;
    case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_process_vm_writev: case SYS_pidfd_open: case SYS_prlimit64:
      return (pid_t)target == getppid();
    default:
      return 0;
  }
}

static void call_at_random(long count) {
  for (long n = 0; n < count; n++) {
    const long number = (long)(next() % 452);
    const uint64_t a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
    if (!is_left_out(number, a)) syscall(number, a, b, c, d, e, f);
  }
}

static void *call_in_thread(void *seed) {
  state = (uintptr_t)seed;
  call_at_random(125);
  return NULL;
}

/** So many calls with numbers and arguments at random, from a seed, in every fourth process by three threads. Children take what would end the program. */
int random_calls(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 1000, each = 500;
  const long seed = argc > 2 ? atol(argv[2]) : 1;
  for (long batch = 0; batch * each < count; batch++) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      state = (uint64_t)(seed * 1000003 + batch + 1) * 0x9e3779b97f4a7c15ull;
      for (int number = 1; number < 32; number++) signal(number, nothing);
      signal(SIGSEGV, SIG_DFL), signal(SIGBUS, SIG_DFL), signal(SIGILL, SIG_DFL);
      alarm(1);
      pthread_t ids[2];
      const int has_threads = batch % 4 == 3;
      for (int n = 0; has_threads && n < 2; n++) CHECK(pthread_create(&ids[n], NULL, call_in_thread, (void *)(next() | 1)) == 0);
      call_at_random(has_threads ? each / 2 : each);
      _exit(0);
    }
    // A child may wait for ever.
    for (int n = 0; n < 100 && waitpid(child, NULL, WNOHANG) == 0; n++) {
      usleep(1000);
      if (n == 98) kill(child, SIGKILL);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
  }
  printf("still here after %ld calls\n", count);
  return 0;
}

/** Writes to more memory than there is, and makes children that do the same. */
int devour(int argc, char **argv) {
  (void)argc, (void)argv;
  CHECK(mmap(NULL, 1ul << 46, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
  for (int n = 0; n < 3; n++)
    if (fork() == 0) break;
  for (;;) {
    char *const more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(more != MAP_FAILED);
    memset(more, 1, 1 << 20);
  }
}
