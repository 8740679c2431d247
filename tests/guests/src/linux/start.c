// What a program finds when it begins: arguments, environment, auxiliary vector, floating point, an exit code.
#include "suite.h"
#include <elf.h>
#include <math.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

static __thread int counted = 41;
static char zeros[100000];
static void at_exit(void) { printf("at exit\n"); }

int start(int argc, char **argv) {
  for (int n = 1; n < argc; n++) printf("argument %d: '%s'\n", n, argv[n]);
  const char *word = getenv("WORD");
  printf("WORD=%s\n", word ? word : "(none)");
  CHECK(getauxval(AT_PAGESZ) == 4096);
  CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
  CHECK(getauxval(AT_PHNUM) > 3);
  CHECK(((const Elf64_Phdr *)getauxval(AT_PHDR))->p_type != 0);
  CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_EXECFN) != 0);
  CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_CLKTCK) == 100);
  CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
  CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "aarch64") == 0);
  CHECK((getauxval(AT_HWCAP) & 3) == 3);
  CHECK(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
  uint64_t midr = 0, ctr = 0, dczid = 0, frequency = 0, before = 0, after = 0;
  if (getauxval(AT_HWCAP) & (1 << 11)) asm("mrs %0, midr_el1" : "=r"(midr));
  asm("mrs %0, ctr_el0" : "=r"(ctr));
  asm("mrs %0, dczid_el0" : "=r"(dczid));
  asm volatile("mrs %0, cntvct_el0" : "=r"(before));
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  for (volatile int n = 0; n < 10000; n++) {
  }
  asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(after));
  CHECK(ctr != 0 && (dczid & 16) == 0 && frequency > 0 && after > before);
  counted++;
  for (unsigned n = 0; n < sizeof zeros; n++) CHECK(zeros[n] == 0);
  printf("counted %d, pi %.15f, root %.15g, %a\n", counted, acos(-1), sqrt(2), 1.0 / 3);
  struct utsname name;
  CHECK(uname(&name) == 0);
  printf("%s on %s\n", name.sysname, name.machine);
  char buffer[64];
  ssize_t read_bytes;
  int sum = 0;
  while ((read_bytes = read(0, buffer, sizeof buffer)) > 0)
    for (ssize_t n = 0; n < read_bytes; n++) sum += buffer[n];
  printf("input %d\n", sum);
  CHECK(isatty(1) == 0 && errno == ENOTTY);
  fprintf(stderr, "to the other stream\n");
  atexit(at_exit);
  return 42;
}
