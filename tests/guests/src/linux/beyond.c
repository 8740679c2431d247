// What qemu-aarch64 7.2 does not have, or not as Linux has it: SA_NOCLDSTOP, futex_waitv, process_vm_readv, /proc/self/mem.
#include "suite.h"
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

static volatile sig_atomic_t children;
static void child_event(int number) { children += number == SIGCHLD; }

static void silent_stops(void) {
  struct sigaction action = {.sa_handler = child_event, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  int status;
  CHECK(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
  CHECK(kill(child, SIGCONT) == 0 && waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
  printf("stop and go: %d", children);
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
  printf(", end: %d\n", children);
}

struct waiter {
  uint64_t value, address;
  uint32_t flags, reserved;
};
static _Atomic unsigned words[3] = {1, 2, 3};
static struct waiter waiters[3];

static long wait_for(unsigned count, unsigned flags, const struct timespec *time) {
  const long result = syscall(449, waiters, count, flags, time, CLOCK_MONOTONIC);
  return result < 0 ? -errno : result;
}

static void *wake(void *argument) {
  long woken;
  do { /* until the other thread waits */
    usleep(2000);
    woken = syscall(SYS_futex, &words[(long)argument], 1 | 128, 1, NULL, NULL, 0);
  } while (woken == 0);
  CHECK(woken == 1);
  return NULL;
}

static void vectors(void) {
  for (int n = 0; n < 3; n++) waiters[n] = (struct waiter){(uint64_t)n + 1, (uintptr_t)&words[n], 2 | 128, 0};
  for (long n = 0; n < 3; n++) {
    pthread_t id;
    pthread_create(&id, NULL, wake, (void *)n);
    printf("woken by %ld\n", wait_for(3, 0, NULL));
    pthread_join(id, NULL);
  }
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  time.tv_sec += time.tv_nsec >= 998000000;
  time.tv_nsec = (time.tv_nsec + 2000000) % 1000000000;
  printf("time out %ld\n", wait_for(3, 0, &time));
  printf("none %ld, flags %ld\n", wait_for(0, 0, NULL), wait_for(1, 1, NULL));
  words[1] = 9;
  printf("value %ld\n", wait_for(3, 0, NULL));
  waiters[0].flags = 1;
  printf("size %ld\n", wait_for(3, 0, NULL));
  waiters[0].flags = 2;
  waiters[0].address++;
  printf("misaligned %ld\n", wait_for(3, 0, NULL));
}

static void tell(const char *what, ssize_t result) {
  printf("%s: %zd", what, result);
  if (result < 0) printf(" %d", errno);
  printf("\n");
}

static char here[32] = "of this process", there[32];

static void processes_memory(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    strcpy(here, "of the child");
    CHECK(write(ends[1], "x", 1) == 1);
    for (;;) pause();
  }
  char byte;
  CHECK(read(ends[0], &byte, 1) == 1);
  const struct iovec local[] = {{there, 3}, {there + 3, 20}}, remote[] = {{here, 5}, {here + 5, 8}};
  tell("readv", process_vm_readv(child, local, 2, remote, 2, 0));
  printf("'%s'\n", there);
  const struct iovec out = {"changed", 8}, in = {there, 8};
  tell("writev", process_vm_writev(child, &out, 1, remote, 1, 0));
  tell("readv", process_vm_readv(child, &in, 1, &(struct iovec){here, 5}, 1, 0));
  printf("'%s', mine '%s'\n", there, here);
  tell("unmapped", process_vm_readv(child, &in, 1, &(struct iovec){(void *)8, 5}, 1, 0));
  tell("flags", process_vm_readv(child, &in, 1, remote, 1, 1));
  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  tell("gone", process_vm_readv(child, &in, 1, remote, 1, 0));
  close(ends[0]), close(ends[1]);
}

__attribute__((noinline, aligned(4096))) static int answer(void) { return 41; }
static const char constant[] = "constant";

/** The memory of the process as a file: what cannot be stored to can be written. */
static void memory_file(void) {
  const int file = open("/proc/self/mem", O_RDWR);
  char buffer[16];
  tell("constant", pread(file, buffer, sizeof constant, (off_t)(uintptr_t)constant));
  printf("'%s'\n", buffer);
  tell("write", pwrite(file, "changed", 8, (off_t)(uintptr_t)constant));
  printf("'%s'\n", (const char *)(volatile uintptr_t){(uintptr_t)constant});
  int (*volatile const call)(void) = answer;
  printf("answer %d", call());
  const uint32_t move = 0x52800540;
  CHECK(pwrite(file, &move, 4, (off_t)(uintptr_t)answer) == 4);
  printf(", %d\n", call());
  // A child's own copy.
  const pid_t child = fork();
  if (child == 0) {
    const uint32_t other = 0x528000e0;
    const int mine = open("/proc/self/mem", O_RDWR);
    CHECK(pwrite(mine, &other, 4, (off_t)(uintptr_t)answer) == 4);
    _exit(call());
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  printf("child %d, parent %d\n", WEXITSTATUS(status), call());
  char *const pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(pages + 4090, "across");
  CHECK(mprotect(pages, 8192, PROT_NONE) == 0);
  memset(buffer, 0, sizeof buffer);
  tell("without permission", pread(file, buffer, 7, (off_t)(uintptr_t)pages + 4090));
  printf("'%s'\n", buffer);
  CHECK(munmap(pages + 4096, 4096) == 0);
  tell("up to the end", pread(file, buffer, 16, (off_t)(uintptr_t)pages + 4090));
  tell("unmapped", pread(file, buffer, 16, (off_t)(uintptr_t)pages + 4096));
  tell("write there", pwrite(file, buffer, 16, (off_t)(uintptr_t)pages + 4096));
  tell("0", pread(file, buffer, 16, 0));
  tell("largest", pread(file, buffer, 1, INT64_MAX));
  CHECK(lseek(file, (off_t)(uintptr_t)constant, SEEK_SET) == (off_t)(uintptr_t)constant);
  tell("read", read(file, buffer, 4));
  tell("mmap", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED ? -1 : 0);
  tell("kernel's half", process_vm_readv(getpid(), &(struct iovec){buffer, 8}, 1, &(struct iovec){(void *)0xffff000000000000, 8}, 1, 0));
  close(file);
}

int beyond(int argc, char **argv) {
  (void)argc, (void)argv;
  silent_stops();
  vectors();
  processes_memory();
  memory_file();
  return 0;
}
