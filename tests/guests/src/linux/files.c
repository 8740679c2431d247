// Files in the directory where the program begins, and attempts to leave it. Prints nothing that depends on where that is.
#include "suite.h"
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  DIR *const directory = opendir(path);
  CHECK(directory != NULL);
  char *names[100];
  int count = 0;
  for (const struct dirent *entry; (entry = readdir(directory));) names[count++] = strdup(entry->d_name);
  closedir(directory);
  qsort(names, (size_t)count, sizeof *names, compare);
  printf("%s:", path);
  for (int n = 0; n < count; n++) printf(" %s", names[n]);
  printf("\n");
}

static int is(int result, int error) { return result == -1 && errno == error; }

int files(int argc, char **argv) {
  (void)argc, (void)argv;
  struct stat status;
  int file = open("one", O_RDWR | O_CREAT | O_EXCL, 0644);
  CHECK(file >= 0 && is(open("one", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST));
  CHECK(write(file, "hello, world", 12) == 12 && lseek(file, 7, SEEK_SET) == 7);
  char buffer[100] = {0};
  CHECK(read(file, buffer, 100) == 5);
  printf("read '%s'\n", buffer);
  const struct iovec parts[] = {{"a", 1}, {"bcd", 3}, {NULL, 0}, {"ef", 2}};
  CHECK(writev(file, parts, 4) == 6 && pwrite(file, "HELLO", 5, 0) == 5 && pread(file, buffer, 18, 0) == 18);
  printf("holds '%.18s'\n", buffer);
  CHECK(fstat(file, &status) == 0 && status.st_size == 18 && S_ISREG(status.st_mode) && status.st_nlink == 1);
  printf("mode %o\n", status.st_mode & 0777);
  CHECK(ftruncate(file, 5) == 0 && lseek(file, 0, SEEK_END) == 5 && ftruncate(file, 8) == 0);
  CHECK(pread(file, buffer, 9, 0) == 8 && memcmp(buffer, "HELLO\0\0\0", 8) == 0);
  CHECK(fcntl(file, F_GETFL) & O_RDWR && fcntl(file, F_GETFD) == 0);
  const int copy = dup(file);
  lseek(copy, 3, SEEK_SET);
  CHECK(lseek(file, 0, SEEK_CUR) == 3 && close(copy) == 0 && is(close(copy), EBADF));
  char *const mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  CHECK(mapped != MAP_FAILED && memcmp(mapped, "HELLO", 5) == 0);
  mapped[0] = 'J';
  CHECK(pread(file, buffer, 5, 0) == 5 && memcmp(buffer, "JELLO", 5) == 0);
  CHECK(pwrite(file, "M", 1, 4) == 1 && mapped[4] == 'M');
  munmap(mapped, 4096);
  close(file);
  file = open("one", O_WRONLY | O_APPEND);
  CHECK(write(file, "more", 4) == 4 && is((int)read(file, buffer, 1), EBADF));
  close(file);

  CHECK(mkdir("folder", 0755) == 0 && is(mkdir("folder", 0755), EEXIST) && is(rmdir("one"), ENOTDIR));
  CHECK(rename("one", "folder/two") == 0 && is(stat("one", &status), ENOENT));
  CHECK(link("folder/two", "three") == 0 && stat("three", &status) == 0 && status.st_nlink == 2 && status.st_size == 12);
  CHECK(symlink("folder/two", "link") == 0 && readlink("link", buffer, 100) == 10 && memcmp(buffer, "folder/two", 10) == 0);
  CHECK(lstat("link", &status) == 0 && S_ISLNK(status.st_mode) && stat("link", &status) == 0 && S_ISREG(status.st_mode));
  CHECK(is(open("link", O_RDONLY | O_NOFOLLOW), ELOOP) && is(open("folder", O_WRONLY), EISDIR));
  CHECK(is(open("three/x", O_RDONLY), ENOTDIR) && is(open("three/", O_RDONLY), ENOTDIR) && is(open("", O_RDONLY), ENOENT));
  CHECK(symlink("loop", "loop") == 0 && is(open("loop", O_RDONLY), ELOOP));
  CHECK(is(rmdir("folder"), ENOTEMPTY) && is(unlink("folder"), EISDIR) && is(rename("folder", "folder/in"), EINVAL));
  list(".");
  const int directory = open("folder", O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0 && (file = openat(directory, "two", O_RDONLY)) >= 0);
  CHECK(fchdir(directory) == 0 && stat("two", &status) == 0 && chdir("..") == 0);
  CHECK(unlinkat(directory, "two", 0) == 0 && read(file, buffer, 100) == 12);
  printf("unlinked, and still '%.5s'\n", buffer);
  CHECK(unlink("link") == 0 && unlink("loop") == 0 && rmdir("folder") == 0 && unlink("three") == 0);
  list(".");

  // Out of the sandbox: these lead to the same root as "/".
  struct stat root, other;
  CHECK(stat("/", &root) == 0);
  CHECK(stat("/..", &other) == 0 && other.st_ino == root.st_ino && stat("/../../proc/self/root/..", &other) == 0 && other.st_ino == root.st_ino);
  char cwd[PATH_MAX], up[PATH_MAX] = "";
  CHECK(getcwd(cwd, sizeof cwd) != NULL);
  for (int n = 0; n < 60; n++) strcat(up, "../");
  CHECK(stat(up, &other) == 0 && other.st_ino == root.st_ino && other.st_dev == root.st_dev);
  CHECK(symlink(up, "way-out") == 0 && stat("way-out", &other) == 0 && other.st_ino == root.st_ino && unlink("way-out") == 0);
  CHECK(stat("/proc/self/cwd", &other) == 0 && stat(".", &status) == 0 && other.st_ino == status.st_ino);
  int ends[2];
  CHECK(pipe(ends) == 0 && is((int)lseek(ends[0], 0, SEEK_SET), ESPIPE));
  CHECK(write(ends[1], "pipe", 4) == 4 && read(ends[0], buffer, 100) == 4);
  file = open("/dev/null", O_RDWR);
  CHECK(file >= 0 && write(file, "x", 1) == 1 && read(file, buffer, 1) == 0);
  file = open("/dev/zero", O_RDONLY);
  CHECK(read(file, buffer, 9) == 9 && buffer[8] == 0);
  file = open("kept", O_WRONLY | O_CREAT, 0600);
  CHECK(write(file, "kept for later\n", 15) == 15);
  printf("done\n");
  return 0;
}
