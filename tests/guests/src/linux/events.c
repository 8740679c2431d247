// Waiting for files: epoll in its forms, eventfd, timerfd, signalfd, and what they say where they are asked wrongly.
#include "suite.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static int set;

static int control(int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(set, operation, fd, &event) == 0 ? 0 : errno;
}

/** What is ready, in the order of the data. */
static void show(const char *what, int limit) {
  struct epoll_event events[8];
  const int count = epoll_wait(set, events, limit, 0);
  printf("%s: %d", what, count);
  for (uint64_t data = 0; data < 16; data++)
    for (int n = 0; n < count; n++)
      if (events[n].data.u64 == data) printf(" [%llu: %x]", (unsigned long long)data, events[n].events);
  printf("\n");
}

static void counters(void) {
  const int counter = eventfd(3, EFD_NONBLOCK);
  uint64_t value = 0;
  printf("eventfd: %zd %llu", read(counter, &value, 8), (unsigned long long)value);
  printf(", empty %zd %d", read(counter, &value, 8), errno);
  printf(", short %zd %d\n", read(counter, &value, 4), errno);
  value = UINT64_MAX;
  printf("all ones: %zd %d", write(counter, &value, 8), errno);
  value--;
  printf(", largest %zd", write(counter, &value, 8));
  value = 1;
  printf(", one more %zd %d\n", write(counter, &value, 8), errno);
  struct pollfd poller = {.fd = counter, .events = POLLIN | POLLOUT};
  printf("full: %d %x\n", poll(&poller, 1, 0), poller.revents);
  close(counter);
  const int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
  for (int n = 0; n < 3; n++) {
    const ssize_t got = read(semaphore, &value, 8);
    printf("semaphore: %zd %llu\n", got, got == 8 ? (unsigned long long)value : 0ull);
  }
  printf("close on exec %d, seek %ld %d\n", fcntl(semaphore, F_GETFD), (long)lseek(semaphore, 0, SEEK_SET), errno);
  close(semaphore);
  printf("bad flags: %d %d\n", eventfd(0, 8), errno);
}

static void errors(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  set = epoll_create1(EPOLL_CLOEXEC);
  printf("create: flags %d %d, size 0 %d %d\n", epoll_create1(1), errno, epoll_create(0), errno);
  printf("add %d, again %d", control(EPOLL_CTL_ADD, ends[0], EPOLLIN, 0), control(EPOLL_CTL_ADD, ends[0], EPOLLIN, 0));
  printf(", change another %d, remove another %d", control(EPOLL_CTL_MOD, ends[1], 0, 0), control(EPOLL_CTL_DEL, ends[1], 0, 0));
  printf(", itself %d, nothing %d, operation %d\n", control(EPOLL_CTL_ADD, set, EPOLLIN, 0), control(EPOLL_CTL_ADD, 99, EPOLLIN, 0), control(9, ends[0], 0, 0));
  const int null = open("/dev/null", O_RDONLY);
  printf("null %d", control(EPOLL_CTL_ADD, null, EPOLLIN, 0));
  const int directory = open("/", O_RDONLY);
  printf(", directory %d", control(EPOLL_CTL_ADD, directory, EPOLLIN, 0));
  struct epoll_event event = {0};
  printf(", not epoll %d", epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event) == 0 ? 0 : errno);
  printf(", no event %d\n", epoll_ctl(set, EPOLL_CTL_MOD, ends[0], NULL) == 0 ? 0 : errno);
  printf("wait: limit %d %d", epoll_wait(set, &event, 0, 0), errno);
  printf(", pipe %d %d, closed %d", epoll_wait(ends[0], &event, 1, 0), errno, epoll_wait(99, &event, 1, 0));
  printf(" %d\n", errno);
  int nested[6];
  for (int n = 0; n < 6; n++) nested[n] = epoll_create1(0);
  struct epoll_event in = {.events = EPOLLIN};
  for (int n = 0; n < 5; n++) printf("nest %d: %d\n", n, epoll_ctl(nested[n], EPOLL_CTL_ADD, nested[n + 1], &in) == 0 ? 0 : errno);
  printf("loop: %d\n", epoll_ctl(nested[1], EPOLL_CTL_ADD, nested[0], &in) == 0 ? 0 : errno);
  for (int n = 0; n < 6; n++) close(nested[n]);
  close(null), close(directory), close(ends[0]), close(ends[1]), close(set);
}

static void triggers(void) {
  int level[2], edge[2], once[2];
  CHECK(pipe(level) == 0 && pipe(edge) == 0 && pipe(once) == 0);
  set = epoll_create1(0);
  CHECK(control(EPOLL_CTL_ADD, level[0], EPOLLIN, 1) == 0);
  CHECK(control(EPOLL_CTL_ADD, edge[0], EPOLLIN | EPOLLET, 2) == 0);
  CHECK(control(EPOLL_CTL_ADD, once[0], EPOLLIN | EPOLLONESHOT, 3) == 0);
  show("nothing", 8);
  for (int n = 0; n < 2; n++) CHECK(write(level[1], "ab", 2) == 2 && write(edge[1], "ab", 2) == 2 && write(once[1], "ab", 2) == 2);
  show("written", 8);
  show("again", 8);
  CHECK(write(edge[1], "c", 1) == 1 && write(once[1], "c", 1) == 1);
  show("more", 8);
  char buffer[16];
  CHECK(read(edge[0], buffer, 1) == 1);
  show("read one", 8);
  CHECK(control(EPOLL_CTL_MOD, edge[0], EPOLLIN | EPOLLET, 4) == 0 && control(EPOLL_CTL_MOD, once[0], EPOLLIN | EPOLLONESHOT, 5) == 0);
  show("armed again", 8);
  CHECK(read(level[0], buffer, 16) == 4);
  show("drained", 8);
  close(edge[1]);
  close(level[1]);
  show("hang up", 8);
  show("hang up again", 8);
  // A descriptor that has been duplicated keeps its file watched.
  const int copy = dup(level[0]);
  close(level[0]);
  show("closed, but for a copy", 8);
  close(copy);
  show("closed", 8);
  // Several are ready, and one place: each comes in its turn.
  const int counters[3] = {eventfd(1, 0), eventfd(1, 0), eventfd(1, 0)};
  for (int n = 0; n < 3; n++) CHECK(control(EPOLL_CTL_ADD, counters[n], EPOLLIN | EPOLLOUT, 6 + n) == 0);
  unsigned seen = 0;
  for (int n = 0; n < 3; n++) {
    struct epoll_event event;
    CHECK(epoll_wait(set, &event, 1, 0) == 1);
    seen |= 1u << event.data.u64;
  }
  printf("in turns: %x\n", seen);
  for (int n = 0; n < 3; n++) close(counters[n]);
  // The writer's edge: a pipe that was full has room.
  char block[4096] = {0};
  CHECK(fcntl(once[1], F_SETFL, O_NONBLOCK) == 0);
  CHECK(control(EPOLL_CTL_DEL, once[0], 0, 0) == 0 && control(EPOLL_CTL_ADD, once[1], EPOLLOUT | EPOLLET, 9) == 0);
  show("writable", 8);
  while (write(once[1], block, sizeof block) > 0) {
  }
  show("full", 8);
  for (int n = 0; n < 16; n++) CHECK(read(once[0], block, sizeof block) > 0);
  show("has room", 8);
  close(once[0]);
  show("no reader", 8);
  close(once[1]), close(edge[0]), close(set);
}

static int wake_fd;
static void *writer(void *argument) {
  const uint64_t one = 1;
  for (long n = 0; n < (long)argument; n++) {
    usleep(1000);
    CHECK(write(wake_fd, &one, 8) == 8);
  }
  return NULL;
}

static _Atomic int taken;
static void *waiter(void *argument) {
  (void)argument;
  struct epoll_event event;
  uint64_t value;
  while (taken < 6) {
    if (epoll_wait(set, &event, 1, 20) == 1 && read(wake_fd, &value, 8) == 8) taken++;
  }
  return NULL;
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void waits(void) {
  set = epoll_create1(0);
  wake_fd = eventfd(0, EFD_NONBLOCK);
  CHECK(control(EPOLL_CTL_ADD, wake_fd, EPOLLIN, 1) == 0);
  struct epoll_event event;
  const long before = now();
  printf("time out: %d %d\n", epoll_wait(set, &event, 1, 3), now() - before >= 3000000);
  pthread_t id;
  pthread_create(&id, NULL, writer, (void *)1);
  printf("woken: %d %llu\n", epoll_wait(set, &event, 1, -1), (unsigned long long)event.data.u64);
  pthread_join(id, NULL);
  uint64_t value;
  CHECK(read(wake_fd, &value, 8) == 8);
  // An outer epoll hears of the inner one.
  const int outer = epoll_create1(0);
  struct epoll_event in = {.events = EPOLLIN, .data.u64 = 7};
  CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, set, &in) == 0);
  pthread_create(&id, NULL, writer, (void *)1);
  printf("nested: %d", epoll_wait(outer, &event, 1, -1));
  printf(" %llu\n", (unsigned long long)event.data.u64);
  pthread_join(id, NULL);
  CHECK(read(wake_fd, &value, 8) == 8);
  printf("nested, read: %d\n", epoll_wait(outer, &event, 1, 0));
  // A file that is added while somebody waits.
  pthread_t threads[3];
  for (int n = 0; n < 3; n++) pthread_create(&threads[n], NULL, waiter, NULL);
  pthread_create(&id, NULL, writer, (void *)6);
  pthread_join(id, NULL);
  while (taken < 6) {
    const uint64_t one = 1;
    usleep(1000);
    if (taken < 6) CHECK(write(wake_fd, &one, 8) == 8);
  }
  for (int n = 0; n < 3; n++) pthread_join(threads[n], NULL);
  printf("shared: %d\n", taken >= 6);
  close(outer), close(set), close(wake_fd);
  // Blocking reads and writes of a counter.
  wake_fd = eventfd(0, 0);
  pthread_create(&id, NULL, writer, (void *)1);
  printf("blocking read: %zd\n", read(wake_fd, &value, 8));
  pthread_join(id, NULL);
  // Sets of select are empty when its time is over, and what poll has found is nothing.
  fd_set fds;
  FD_ZERO(&fds);
  FD_SET(wake_fd, &fds);
  struct timeval limit = {.tv_usec = 1000};
  printf("select: %d", select(wake_fd + 1, &fds, NULL, NULL, &limit));
  printf(" %d", FD_ISSET(wake_fd, &fds) != 0);
  struct pollfd poller = {.fd = wake_fd, .events = POLLIN, .revents = 99};
  printf(", poll: %d", poll(&poller, 1, 1));
  printf(" %d\n", poller.revents);
  close(wake_fd);
}

static void timer_files(void) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  uint64_t count = 0;
  struct itimerspec setting = {.it_value = {.tv_nsec = 2000000}}, left;
  printf("timer: %zd %d", read(timer, &count, 8), errno);
  CHECK(timerfd_settime(timer, 0, &setting, &left) == 0 && left.it_value.tv_nsec == 0);
  CHECK(timerfd_gettime(timer, &left) == 0);
  printf(", left %d", left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2000000);
  struct pollfd poller = {.fd = timer, .events = POLLIN};
  printf(", poll %d", poll(&poller, 1, -1));
  printf(", read %zd %llu", read(timer, &count, 8), (unsigned long long)count);
  printf(", again %zd %d\n", read(timer, &count, 8), errno);
  setting.it_interval.tv_nsec = 1000000;
  CHECK(timerfd_settime(timer, 0, &setting, NULL) == 0);
  usleep(6000);
  printf("repeating: %zd", read(timer, &count, 8));
  printf(" %d", count >= 4);
  CHECK(timerfd_gettime(timer, &left) == 0);
  printf(", interval %ld\n", left.it_interval.tv_nsec);
  setting = (struct itimerspec){0};
  CHECK(timerfd_settime(timer, 0, &setting, &left) == 0);
  printf("stopped: old interval %ld", left.it_interval.tv_nsec);
  usleep(2000);
  printf(", read %zd %d\n", read(timer, &count, 8), errno);
  struct timespec day;
  clock_gettime(CLOCK_REALTIME, &day);
  const int wall = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
  setting.it_value = (struct timespec){.tv_sec = day.tv_sec - 1, .tv_nsec = 5};
  CHECK(timerfd_settime(wall, TFD_TIMER_ABSTIME, &setting, NULL) == 0);
  printf("past: %zd", read(wall, &count, 8));
  printf(" %llu\n", (unsigned long long)count);
  setting.it_value.tv_nsec = 1000000000;
  printf("errors: %d %d", timerfd_settime(wall, 0, &setting, NULL), errno);
  printf(", %d %d", timerfd_create(99, 0), errno);
  printf(", %d %d", timerfd_create(CLOCK_MONOTONIC, 1), errno);
  printf(", %zd %d", read(wall, &count, 4), errno);
  printf(", %zd %d", write(wall, &count, 8), errno);
  printf(", %d %d\n", timerfd_gettime(0, &left), errno);
  close(timer), close(wall);
}

static void signal_files(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigaddset(&mask, SIGCHLD);
  sigaddset(&mask, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  const int file = signalfd(-1, &mask, SFD_NONBLOCK);
  struct signalfd_siginfo info[3];
  printf("signalfd: %zd %d\n", read(file, info, sizeof info), errno);
  raise(SIGUSR1);
  const union sigval value = {.sival_int = 17};
  sigqueue(getpid(), SIGRTMIN, value);
  struct pollfd poller = {.fd = file, .events = POLLIN};
  printf("ready: %d\n", poll(&poller, 1, 0));
  ssize_t got = read(file, info, sizeof info);
  for (int n = 0; n < (int)(got / (ssize_t)sizeof *info); n++)
    printf("signal %d, code %d, mine %d, value %d\n", (int)info[n].ssi_signo, info[n].ssi_code, info[n].ssi_pid == (unsigned)getpid(), info[n].ssi_int);
  set = epoll_create1(0);
  CHECK(control(EPOLL_CTL_ADD, file, EPOLLIN, 3) == 0);
  const pid_t child = fork();
  if (child == 0) _exit(7);
  struct epoll_event event;
  printf("child: %d", epoll_wait(set, &event, 1, -1));
  got = read(file, info, sizeof info);
  printf(" %zd, signal %d, status %d, of it %d\n", got / (ssize_t)sizeof *info, (int)info[0].ssi_signo, info[0].ssi_status, info[0].ssi_pid == (unsigned)child);
  CHECK(waitpid(child, NULL, 0) == child);
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  printf("changed: %d", signalfd(file, &mask, 0) == file);
  raise(SIGUSR2);
  printf(", %zd", read(file, info, sizeof *info));
  printf(" %d, short %zd %d\n", (int)info[0].ssi_signo, read(file, info, 100), errno);
  close(set), close(file);
}

int events(int argc, char **argv) {
  (void)argc, (void)argv;
  counters();
  errors();
  triggers();
  waits();
  timer_files();
  signal_files();
  return 0;
}
