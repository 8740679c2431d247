// Pairs of stream sockets: bytes both ways, waiting, ends, and what there is none of.
#include "suite.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

static void tell(const char *what, ssize_t result) {
  printf("%s: %zd", what, result);
  if (result < 0) printf(" %d", errno);
  printf("\n");
}

static int ends[2];

static int ready(int fd) {
  struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
  poll(&poller, 1, 0);
  return poller.revents;
}

static void *answer(void *argument) {
  char buffer[16];
  usleep(1000);
  const ssize_t got = recv(ends[1], buffer, sizeof buffer, 0);
  CHECK(send(ends[1], buffer, (size_t)got, 0) == got);
  return argument;
}

static char big[300000];
static void *drain(void *argument) {
  size_t got = 0;
  while (got < sizeof big) {
    const ssize_t part = read(ends[1], big, 10000);
    CHECK(part > 0);
    got += (size_t)part;
  }
  return argument;
}

int sockets(int argc, char **argv) {
  (void)argc, (void)argv;
  char buffer[64] = {0};
  pthread_t id;
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  struct stat status;
  CHECK(fstat(ends[0], &status) == 0);
  printf("socket %d, close on exec %d, ready %x\n", S_ISSOCK(status.st_mode), fcntl(ends[0], F_GETFD), ready(ends[0]));
  tell("write", write(ends[0], "hello", 5));
  printf("ready %x\n", ready(ends[1]));
  tell("read", read(ends[1], buffer, 3));
  tell("the rest", read(ends[1], buffer + 3, 10));
  printf("'%s'\n", buffer);
  tell("nothing", recv(ends[1], buffer, 1, MSG_DONTWAIT));
  pthread_create(&id, NULL, answer, NULL);
  tell("question", send(ends[0], "what", 4, MSG_NOSIGNAL));
  memset(buffer, 0, sizeof buffer);
  tell("answer", recv(ends[0], buffer, sizeof buffer, 0));
  printf("'%s'\n", buffer);
  pthread_join(id, NULL);
  const int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = 5};
  CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event) == 0);
  printf("epoll %d", epoll_wait(set, &event, 1, 0));
  struct iovec parts[] = {{"ab", 2}, {"cde", 3}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  CHECK(sendmsg(ends[0], &message, 0) == 5);
  printf(", %d", epoll_wait(set, &event, 1, 0));
  printf(", %d\n", epoll_wait(set, &event, 1, 0));
  struct iovec room[] = {{buffer, 1}, {buffer + 1, 10}};
  message = (struct msghdr){.msg_iov = room, .msg_iovlen = 2};
  memset(buffer, 0, sizeof buffer);
  tell("message", recvmsg(ends[1], &message, 0));
  printf("'%s', flags %x\n", buffer, message.msg_flags);
  pthread_create(&id, NULL, drain, NULL);
  tell("much", write(ends[0], big, sizeof big));
  pthread_join(id, NULL);
  int value = 0;
  socklen_t length = sizeof value;
  printf("type %d", getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &value, &length));
  printf(" %d %u", value, length);
  struct sockaddr_storage name;
  length = sizeof name;
  printf(", name %d", getsockname(ends[0], (struct sockaddr *)&name, &length));
  printf(" %u %d\n", length, name.ss_family);
  // Half of a connection, and then the other half.
  CHECK(send(ends[0], "last", 4, 0) == 4);
  tell("shut", shutdown(ends[0], SHUT_WR));
  printf("ready %x %x\n", ready(ends[0]) & ~POLLOUT, ready(ends[1]));
  signal(SIGPIPE, SIG_IGN);
  tell("write", write(ends[0], "x", 1));
  tell("last", read(ends[1], buffer, sizeof buffer));
  tell("end", read(ends[1], buffer, sizeof buffer));
  tell("back", write(ends[1], "yes", 3));
  tell("back", read(ends[0], buffer, sizeof buffer));
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    _exit(write(ends[1], "child", 5) == 5 ? 0 : 1);
  }
  close(ends[1]);
  tell("from a child", read(ends[0], buffer, sizeof buffer));
  tell("end", read(ends[0], buffer, sizeof buffer));
  printf("ready %x\n", ready(ends[0]) & POLLHUP);
  CHECK(waitpid(child, NULL, 0) == child);
  close(ends[0]);
  tell("closed", recv(ends[0], buffer, 1, 0));
  CHECK(pipe(ends) == 0);
  tell("no socket", send(ends[1], buffer, 1, 0));
  tell("how", shutdown(ends[0], 1));
  return 0;
}
