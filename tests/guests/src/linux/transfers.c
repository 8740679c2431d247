// Bytes that move without passing through the program, between files and pipes; extended attributes, which there are none of.
#include "suite.h"
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static void tell(const char *what, ssize_t result) {
  printf("%s: %zd", what, result);
  if (result < 0) printf(" %d", errno);
  printf("\n");
}

static void show(int fd) {
  char buffer[64];
  const ssize_t got = pread(fd, buffer, sizeof buffer, 0);
  printf("holds '%.*s'\n", (int)got, buffer);
}

static void splices(int file, int target) {
  int first[2], second[2];
  CHECK(pipe(first) == 0 && pipe(second) == 0);
  loff_t at = 2;
  tell("file to pipe", splice(file, &at, first[1], NULL, 5, 0));
  printf("offset %ld, position %ld\n", (long)at, (long)lseek(file, 0, SEEK_CUR));
  tell("tee", tee(first[0], second[1], 100, 0));
  char buffer[64] = {0};
  tell("copy read", read(second[0], buffer, sizeof buffer));
  printf("'%s'\n", buffer);
  at = 1;
  tell("pipe to file", splice(first[0], NULL, target, &at, 100, 0));
  show(target);
  tell("empty", splice(first[0], NULL, target, NULL, 1, SPLICE_F_NONBLOCK));
  tell("empty tee", tee(first[0], second[1], 1, SPLICE_F_NONBLOCK));
  tell("no pipe", splice(file, NULL, target, NULL, 1, 0));
  tell("offset of a pipe", splice(file, NULL, first[1], &at, 1, 0));
  tell("wrong way", splice(file, NULL, first[0], NULL, 1, 0));
  tell("closed", splice(99, NULL, first[1], NULL, 1, 0));
  tell("nothing", splice(file, NULL, first[1], NULL, 0, 0));
  tell("one pipe", tee(first[0], first[1], 1, SPLICE_F_NONBLOCK));
  const struct iovec parts[] = {{"abc", 3}, {"defg", 4}};
  tell("vmsplice", vmsplice(first[1], parts, 2, 0));
  memset(buffer, 0, sizeof buffer);
  CHECK(read(first[0], buffer, sizeof buffer) == 7);
  printf("'%s'\n", buffer);
  close(first[1]);
  tell("end", splice(first[0], NULL, target, NULL, 1, 0));
  signal(SIGPIPE, SIG_IGN);
  close(second[0]);
  lseek(file, 0, SEEK_SET);
  tell("no reader", splice(file, NULL, second[1], NULL, 1, 0));
  close(first[0]), close(second[1]);
}

static void copies(int file, int target) {
  CHECK(ftruncate(target, 0) == 0);
  lseek(file, 0, SEEK_SET), lseek(target, 0, SEEK_SET);
  loff_t from = 4, to = 0;
  tell("copy", copy_file_range(file, &from, target, &to, 3, 0));
  printf("offsets %ld %ld\n", (long)from, (long)to);
  tell("copy by position", copy_file_range(file, NULL, target, NULL, 2, 0));
  show(target);
  from = 100;
  tell("past the end", copy_file_range(file, &from, target, NULL, 3, 0));
  from = 0, to = 1;
  tell("overlap", copy_file_range(file, &from, file, &to, 3, 0));
  tell("flags", copy_file_range(file, NULL, target, NULL, 1, 1));
  lseek(target, 0, SEEK_END);
  off_t offset = 7;
  tell("sendfile", sendfile(target, file, &offset, 100));
  printf("offset %ld\n", (long)offset);
  show(target);
  tell("sendfile by position", sendfile(target, file, NULL, 1));
  printf("position %ld\n", (long)lseek(file, 0, SEEK_CUR));
  offset = -1;
  tell("before the start", sendfile(target, file, &offset, 1));
}

static void attributes(int file) {
  char value[16];
  // A host may have none of them either, or may have them.
  CHECK(fgetxattr(file, "user.none", value, sizeof value) == -1 && (errno == EOPNOTSUPP || errno == ENODATA));
  CHECK(flistxattr(file, NULL, 0) >= 0);
  tell("no name", getxattr("source", "", value, sizeof value));
  tell("no file", getxattr("missing", "user.none", value, sizeof value));
  tell("no descriptor", fremovexattr(99, "user.none"));
  tell("flags", setxattr("source", "user.none", "x", 1, 4));
}

int transfers(int argc, char **argv) {
  (void)argc, (void)argv;
  const int file = open("source", O_RDWR | O_CREAT, 0644), target = open("target", O_RDWR | O_CREAT, 0644);
  CHECK(write(file, "0123456789", 10) == 10);
  CHECK(write(target, "..........", 10) == 10);
  splices(file, target);
  copies(file, target);
  attributes(file);
  return 0;
}
