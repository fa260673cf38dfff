// line_link.c - lines of text over a socket, without ever blocking on it.
//
// A link has two buffers: `in`, of fixed size, from which whole lines are taken, and `out`, which
// grows as long as the other side does not read. Each call sends and takes as much as the socket
// allows at once; only poll waits, and no longer than the caller's patience (the end has seconds of
// its own). So a controller that is slow, silent or floods costs its caller nothing but that.
//
// A child runs in a process group of its own, below a guard of one line of shell, which ends the
// whole group when it is told to. The kernel tells it when this process dies, however it dies
// (base/child.h), so that nothing is left behind. A child is looked at with WNOWAIT, and collected
// only at the end: until then its process id cannot become another's.
#define _GNU_SOURCE  // SOCK_CLOEXEC
#include "base/line_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"

// Seconds that the other side has: to take the last lines, a child to end by itself, and to end
// after SIGTERM.
#define LAST_LINES 1.0
#define OWN_END 2.0
#define LAST_END 3.0
#define NAP 10e-3

static void begin(LineLink* link, int socket, const char* name) {
  *link = (LineLink){.socket = socket};
  snprintf(link->name, sizeof link->name, "%s", name);
  arena_init(&link->arena);
  link->in = arena_alloc(&link->arena, LINE_LINK_LONGEST + 1);
  text_init(&link->out, &link->arena);
}

// Runs a command, tells all of its process group to end when it is told to, and stays until the
// command has ended: else one that pays no heed to SIGTERM would be left behind.
static const char guard[] =
    "exec 3<&0; trap 'trap \"\" TERM; kill -TERM 0; wait' TERM; sh -c \"$0\" <&3 3<&- & "
    "wait $! 2>/dev/null";

bool line_link_start(LineLink* link, const char* command, Error* error) {
  int ends[2];
  pid_t child;
  char* arguments[] = {"sh", "-c", (char*)guard, (char*)command, NULL};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return error_errno(error, "socketpair");
  }
  bool started = child_start(&child,
                             &(Child){.program = "/bin/sh",
                                      .arguments = arguments,
                                      .environment = environ,
                                      .input = ends[1],
                                      .output = ends[1],
                                      .errors = -1,
                                      .own_group = true},
                             error);
  close(ends[1]);
  if (!started) {
    close(ends[0]);
    return false;
  }
  begin(link, ends[0], command);
  link->child = child;
  return true;
}

bool line_link_connect(LineLink* link, const char* path, Error* error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    return error_set(error, "%s: a name of %zu characters, expected at most %zu of a Unix socket",
                     path, strlen(path), sizeof address.sun_path - 1);
  }
  strcpy(address.sun_path, path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 ||
      connect(descriptor, (const struct sockaddr*)&address, sizeof address) != 0) {
    error_errno(error, path);
    if (descriptor >= 0) {
      close(descriptor);
    }
    return false;
  }
  begin(link, descriptor, path);
  return true;
}

// -------------------------------------------------------------------------------------------------

// Gives away as much as is taken.
static void flush(LineLink* link) {
  Text* out = &link->out;
  ssize_t wrote = 1;
  while (link->socket >= 0 && link->sent < out->size && wrote > 0) {
    wrote = send(link->socket, out->bytes + link->sent, out->size - link->sent,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
    link->sent += wrote > 0 ? (size_t)wrote : 0;
  }
  if (2 * link->sent >= out->size) {
    out->size -= link->sent;
    memmove(out->bytes, out->bytes + link->sent, out->size + 1);
    link->sent = 0;
  }
}

void line_link_send(LineLink* link, const char* line) {
  text_add(&link->out, "%s\n", line);
  flush(link);
}

// Waits until there is something to read, if `reads`, or room for what waits to be written.
static void wait_for(const LineLink* link, bool reads, double patience) {
  bool writes = link->sent < link->out.size;
  int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
  struct pollfd event = {.fd = link->socket, .events = (short)events};
  poll(&event, 1, (int)(patience * 1000));
}

// Reads what has come, as far as there is room.
static void fill(LineLink* link) {
  link->size -= link->used;
  memmove(link->in, link->in + link->used, link->size);
  link->used = 0;
  ssize_t got = recv(link->socket, link->in + link->size, LINE_LINK_LONGEST - link->size,
                     MSG_DONTWAIT);
  link->size += got > 0 ? (size_t)got : 0;
  bool none = got < 0 && (errno == EAGAIN || errno == EINTR);
  link->ended = got <= 0 && !none && link->size < LINE_LINK_LONGEST;
}

static char* take_line(LineLink* link) {
  char* line = link->in + link->used;
  char* end = memchr(line, '\n', link->size - link->used);
  if (end) {
    *end = '\0';
    link->used = (size_t)(end - link->in) + 1;
  }
  return end ? line : NULL;
}

// Whether the child has ended; *info says how. It is not collected yet.
static bool has_ended(const LineLink* link, siginfo_t* info) {
  *info = (siginfo_t){0};
  return waitid(P_PID, (id_t)link->child, info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info->si_pid != 0;
}

// Takes what nobody reads any more: to close a socket with something in it is an error for the
// other side, where it expects an end.
static void drain(LineLink* link) {
  ssize_t got = recv(link->socket, link->in, LINE_LINK_LONGEST, MSG_DONTWAIT);
  link->ended = link->ended || got == 0;
}

static bool ends_within(LineLink* link, siginfo_t* info, double seconds) {
  const struct timespec nap = {.tv_nsec = (long)(NAP * 1e9)};
  bool ended = has_ended(link, info);
  for (double waited = 0; !ended && waited < seconds; waited += NAP) {
    nanosleep(&nap, NULL);
    drain(link);
    ended = has_ended(link, info);
  }
  return ended;
}

static bool say_ended(LineLink* link, Error* error) {
  siginfo_t info;
  if (link->child == 0 || !ends_within(link, &info, LAST_LINES) || info.si_pid == 0) {
    return error_set(error, "it has closed the connection");
  }
  return info.si_code == CLD_EXITED
             ? error_set(error, "it has ended with exit code %d", info.si_status)
             : error_set(error, "it was ended by signal %d", info.si_status);
}

bool line_link_receive(LineLink* link, char** line, double patience, Error* error) {
  flush(link);
  *line = take_line(link);
  if (*line) {
    return true;
  }
  if (!link->ended && patience > 0) {
    wait_for(link, true, patience);
  }
  if (!link->ended) {
    flush(link);
    fill(link);
    *line = take_line(link);
  }
  if (!*line && link->ended) {
    return say_ended(link, error);
  }
  return *line || link->size - link->used < LINE_LINK_LONGEST ||
         error_set(error, "it has sent %d bytes without a newline, expected lines",
                   LINE_LINK_LONGEST);
}

static void end_child(LineLink* link) {
  siginfo_t info;
  if (!ends_within(link, &info, OWN_END)) {
    kill(-link->child, SIGTERM);
  }
  if (!ends_within(link, &info, LAST_END)) {
    kill(-link->child, SIGKILL);
  }
  kill(-link->child, SIGTERM);  // whom it has left behind
  waitpid(link->child, NULL, 0);
}

void line_link_close(LineLink* link) {
  for (double waited = 0; link->sent < link->out.size && waited < LAST_LINES; waited += NAP) {
    wait_for(link, false, NAP);
    flush(link);
  }
  shutdown(link->socket, SHUT_WR);
  drain(link);
  if (link->child > 0) {
    end_child(link);
  }
  close(link->socket);
  arena_free(&link->arena);
  *link = (LineLink){.socket = -1};
}
