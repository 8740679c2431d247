// Faults as a program sees them: which signal, which code, which address; handlers on a stack of their own; faults in handlers.
#include "suite.h"
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int number, code;
static volatile uintptr_t address, at;
static char alternate[1 << 16];
static volatile int was_on_alternate;

static void note(int signal_number, siginfo_t *info, void *context) {
  char here;
  number = signal_number;
  code = info->si_code;
  address = (uintptr_t)info->si_addr;
  at = ((ucontext_t *)context)->uc_mcontext.pc;
  was_on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
  siglongjmp(back, 1);
}

static void tell(const char *what, uintptr_t expected) {
  // QEMU has another code for an undefined instruction.
  printf("%s: signal %d, code %d, address %s", what, number, number == SIGILL ? code != 0 : code, address == expected ? "as expected" : "another");
  if (address != expected) printf(" %lx", (unsigned long)address);
  printf(", alternate stack %d\n", was_on_alternate);
}

#define FAULT(what, expected, ...)        \
  do {                                    \
    if (sigsetjmp(back, 1) == 0) {        \
      __VA_ARGS__;                        \
      printf("%s: no fault\n", what);     \
    } else {                              \
      tell(what, (uintptr_t)(expected));  \
    }                                     \
  } while (0)

static void set_handlers(void) {
  const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  CHECK(sigaltstack(&stack, NULL) == 0);
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  for (int n = 1; n < 32; n++)
    if (n == SIGSEGV || n == SIGBUS || n == SIGILL || n == SIGTRAP || n == SIGFPE) CHECK(sigaction(n, &action, NULL) == 0);
}

static void jump(uintptr_t to) { ((void (*)(void))to)(); }
static void load(uintptr_t from) { (void)*(volatile char *)from; }
static void store(uintptr_t to) { *(volatile char *)to = 1; }

static volatile int depth;
__attribute__((noinline)) static int overflow(int n) {
  volatile char room[4096];
  room[n & 4095] = (char)n;
  depth++;
  if (n == 1 << 30) return 0;
  return overflow(n + 1) + room[5];
}

static int ended_by(void (*act)(void)) {
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (int n = 1; n < 32; n++) signal(n, SIG_DFL);
    act();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void jump_to_zero(void) {
  jump(0);
}
static void blocked_fault(void) {
  sigset_t set;
  sigfillset(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  load(8);
}
static void ignored_fault(void) {
  signal(SIGSEGV, SIG_IGN);
  load(8);
}
static void no_stack(void) {
  const stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  overflow(0);
}
static void again(int n) {
  (void)n;
  load(8);
}
static void recursion(void) {
  const stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  struct sigaction action = {.sa_handler = again, .sa_flags = SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  load(8);
}
static void wrong_frame(void) {
  asm volatile("mov x8, #139\n mov x0, sp\n sub sp, sp, #4096\n svc #0" ::: "x0", "x8", "memory");
}
static void abort_it(void) { abort(); }

int faults(int argc, char **argv) {
  (void)argc, (void)argv;
  set_handlers();
  char *const page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_NONE) == 0);
  FAULT("load of 0", 0, load(0));
  FAULT("store to 8", 8, store(8));
  FAULT("load without permission", page + 4100, load((uintptr_t)page + 4100));
  FAULT("load across the end", page + 4096, (void)*(volatile uint64_t *)(page + 4092));
  CHECK(mprotect(page, 4096, PROT_READ) == 0);
  FAULT("store to what is read-only", page + 5, store((uintptr_t)page + 5));
  FAULT("jump to 0", 0, jump(0));
  printf("at 0 %d\n", at == 0);
  FAULT("jump to data", page + 8, jump((uintptr_t)page + 8));
  FAULT("store to code", (uintptr_t)jump, store((uintptr_t)jump));
  FAULT("jump beyond the address space", 0x0001000000000000, jump(0x0001000000000000));
  FAULT("kernel's half", 0xffff800000000000, load(0xffff800000000000));
  FAULT("udf", at, asm volatile("udf #0"));
  FAULT("brk", at, asm volatile("brk #3"));
  FAULT("a register of EL1", at, asm volatile("mrs x0, sctlr_el1" ::: "x0"));
  FAULT("wfi", 0, asm volatile("nop"));
  // A misaligned exclusive, and ordered accesses across 16 bytes.
  char bytes[64] __attribute__((aligned(64))) = {0};
  FAULT("ldxr", bytes + 1, asm volatile("ldxr x0, [%0]" ::"r"(bytes + 1) : "x0", "memory"));
  FAULT("ldaxp", bytes + 8, asm volatile("ldaxp x0, x1, [%0]" ::"r"(bytes + 8) : "x0", "x1", "memory"));
  FAULT("ldr", 0, asm volatile("ldr x0, [%0]" ::"r"(bytes + 3) : "x0", "memory"));
  FAULT("pc", (uintptr_t)jump + 2, jump((uintptr_t)jump + 2));
  // Past the end of a file.
  const int file = open("short", O_RDWR | O_CREAT, 0644);
  CHECK(write(file, "x", 1) == 1);
  char *const mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);
  CHECK(mapped != MAP_FAILED);
  FAULT("past the end", mapped + 4096, load((uintptr_t)mapped + 4096));
  CHECK(ftruncate(file, 0) == 0);
  FAULT("past the new end", mapped, load((uintptr_t)mapped));
  // The stack ends, and a handler with a stack of its own runs.
  if (sigsetjmp(back, 1) == 0) overflow(0);
  printf("overflow: signal %d, alternate stack %d\n", number, was_on_alternate);
  printf("jump to 0 %d, blocked %d, ignored %d\n", ended_by(jump_to_zero), ended_by(blocked_fault), ended_by(ignored_fault));
  printf("overflow %d, recursion %d, damaged frame %d, abort %d\n", ended_by(no_stack), ended_by(recursion), ended_by(wrong_frame), ended_by(abort_it));
  return 0;
}

/** Where qemu-aarch64 is not Linux: codes, tagged addresses, alignment of SP, the limit of the stack. */
int more_faults(int argc, char **argv) {
  (void)argc, (void)argv;
  set_handlers();
  FAULT("not canonical", 0xfff0000000000000, load(0x00f0000000000000));
  FAULT("tagged", 8, load(0x5a00000000000008));
  FAULT("udf", at, asm volatile("udf #0"));
  printf("code %d\n", code);
  FAULT("a register of EL1", at, asm volatile("mrs x0, sctlr_el1" ::: "x0"));
  printf("code %d\n", code);
  uintptr_t sp;
  asm volatile("mov %0, sp" : "=r"(sp));
  FAULT("sp", sp - 24, asm volatile("sub sp, sp, #24\n ldr x0, [sp]\n add sp, sp, #24" ::: "x0", "memory"));
  struct rlimit limit = {1 << 20, 1 << 20};
  CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
  if (sigsetjmp(back, 1) == 0) overflow(0);
  printf("overflow: signal %d, code %d, alternate stack %d, %d\n", number, code, was_on_alternate, depth > 100 && depth < 300);
  return 0;
}
