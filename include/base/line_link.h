// line_link.h - lines of text to and from another program, which nobody waits for: a child that
// speaks over its stdin and stdout, or whoever listens at a Unix socket.
//
// A child has one end of a pair of sockets as both, so that there is one way to read and to write,
// and no SIGPIPE. What the other side does not take yet is kept here.
#ifndef BASE_LINE_LINK_H
#define BASE_LINE_LINK_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#define LINE_LINK_LONGEST 65536  // bytes of a line

// Stays where it was begun: `out` points to its arena.
typedef struct {
  int socket;         // -1: closed
  pid_t child;        // 0: none
  char name[320];     // of the other side, for messages
  Arena arena;
  char* in;           // (LINE_LINK_LONGEST + 1) what was read
  size_t size, used;  // of it
  bool ended;         // nothing more comes
  Text out;           // what is to be sent
  size_t sent;        // of it
} LineLink;

// Starts a shell command. It ends with this process, however that ends.
bool line_link_start(LineLink* link, const char* command, Error* error);

// Connects to the Unix socket `path`.
bool line_link_connect(LineLink* link, const char* path, Error* error);

// Sends a line, to which a newline is added, as soon as it is taken. One that nobody takes any more
// is lost: line_link_receive tells.
void line_link_send(LineLink* link, const char* line);

// The next line, which stands until the next call; NULL: none came within `patience` seconds, or
// before a signal. False: none comes any more, or what comes is no line.
bool line_link_receive(LineLink* link, char** line, double patience, Error* error);

// Sends what is left, if it is taken soon. A child sees the end of its stdin, has some seconds to
// end, and is ended.
void line_link_close(LineLink* link);

#endif  // BASE_LINE_LINK_H
