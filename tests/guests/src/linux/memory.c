// Memory: mappings and their protection, faults and what they report, the heap, a stack that grows, code that is written.
#include "suite.h"
#include <setjmp.h>

static sigjmp_buf escape;
static volatile int seen_signal, seen_code;
static void *volatile seen_address;
static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  seen_signal = number, seen_code = info->si_code, seen_address = info->si_addr;
  siglongjmp(escape, 1);
}
#define FAULT(what, expression)                                                                          \
  do {                                                                                                   \
    seen_signal = seen_code = 0;                                                                         \
    if (sigsetjmp(escape, 1) == 0) {                                                                     \
      expression;                                                                                        \
    }                                                                                                    \
    printf("%s: signal %d, code %d\n", what, seen_signal, seen_code);                                    \
  } while (0)

static int deep(int levels) {
  volatile char frame[4096];
  frame[0] = (char)levels;
  return levels == 0 ? frame[0] : deep(levels - 1) + (frame[0] & 0);
}

static volatile int bottom = -1;
static int endless(int level) {
  volatile char frame[16384];
  frame[0] = (char)level;
  return level == bottom ? 0 : endless(level + 1) + frame[0];
}

int memory(int argc, char **argv) {
  (void)argc, (void)argv;
  const size_t page = 4096;
  static char stack[65536];
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  CHECK(sigaltstack(&alternate, NULL) == 0);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  sigaction(SIGTRAP, &action, NULL);

  char *area = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(area != MAP_FAILED && ((uintptr_t)area & (page - 1)) == 0);
  for (size_t n = 0; n < 8 * page; n++) CHECK(area[n] == 0);
  memset(area, 'a', 8 * page);
  CHECK(mprotect(area + page, page, PROT_READ) == 0);
  FAULT("write to what is read-only", area[page] = 1);
  CHECK(seen_address == area + page && area[page] == 'a');
  CHECK(mprotect(area + 2 * page, page, PROT_NONE) == 0);
  FAULT("read of what is not accessible", CHECK(area[2 * page] == 'a'));
  CHECK(mprotect(area + 2 * page, page, PROT_READ | PROT_WRITE) == 0 && area[2 * page] == 'a');
  CHECK(munmap(area + 3 * page, page) == 0);
  FAULT("read of what is not mapped", CHECK(area[3 * page] == 0));
  FAULT("call of what is not executable", ((void (*)(void))area)());
  FAULT("null", CHECK(*(volatile int *)0 == 0));
  FAULT("no address", CHECK(*(volatile int *)0xdead000000000000 == 0));
  FAULT("misaligned exclusive", asm volatile("ldxr w1, [%0]" ::"r"(area + 1) : "x1"));
  FAULT("misaligned branch", asm volatile("br %0" ::"r"((uintptr_t)handler + 2)));
  FAULT("breakpoint", asm volatile("brk #1"));
  CHECK(madvise(area, page, MADV_DONTNEED) == 0 && area[0] == 0);

  char *const moved = mremap(area + 4 * page, 4 * page, 64 * page, MREMAP_MAYMOVE);
  CHECK(moved != MAP_FAILED && moved[0] == 'a' && moved[4 * page - 1] == 'a' && moved[64 * page - 1] == 0);
  CHECK(mremap(moved, 64 * page, page, 0) == moved);
  FAULT("behind what was made smaller", CHECK(moved[page] == 0));
  CHECK(mmap(moved, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == moved && moved[0] == 0);
  CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
  CHECK(mmap(NULL, page, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
  CHECK(mprotect(area + 3 * page, page, PROT_READ) == -1 && errno == ENOMEM);
  CHECK(munmap(area + 1, page) == -1 && errno == EINVAL);

  char *const heap = sbrk(0);
  CHECK(sbrk(1 << 20) == heap);
  memset(heap, 1, 1 << 20);
  CHECK(sbrk(-(1 << 20)) == heap + (1 << 20) && sbrk(0) == heap);
  printf("deep %d\n", deep(1000));
  if (sigsetjmp(escape, 1) == 0) endless(0);
  printf("endless recursion: signal %d\n", seen_signal);

  uint32_t *const code = mmap(NULL, page, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(code != MAP_FAILED);
  for (uint32_t value = 1; value <= 3; value++) {
    code[0] = 0xd2800000 | value << 5; // MOV X0, #value
    code[1] = 0xd65f03c0;              // RET
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    printf("code %ld\n", ((long (*)(void))code)());
  }
  const int file = open("/proc/self/exe", O_RDONLY);
  const char *const text = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, file, 0);
  CHECK(text != MAP_FAILED && memcmp(text, "\177ELF", 4) == 0);
  const off_t size = lseek(file, 0, SEEK_END);
  const char *const end = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, file, size & ~(off_t)(page - 1));
  CHECK(end != MAP_FAILED && end[page - 1] == 0);
  FAULT("behind the end of a file", CHECK(end[page] == 0));
  long *const shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  long *const own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *own = 1;
  if (fork() == 0) {
    *shared = 5, *own = 5;
    _exit(0);
  }
  wait(NULL);
  printf("shared %ld, own %ld\n", *shared, *own);
  return 0;
}
