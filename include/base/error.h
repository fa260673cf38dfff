// error.h - three kinds of failure, three answers.
//
// Our own bug: CHECK, always compiled in, ends in the fatal hook.
// The world (a file, a configuration, another rank): `bool f(..., Error*)`; false means failed, and
// error->text says what, where, and which value was expected. Context is added going up.
// The mathematics (NaN, divergence): a value in the result, never an Error.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stdnoreturn.h>

#define ERROR_TEXT_SIZE 4096

typedef struct {
  char text[ERROR_TEXT_SIZE];  // one message, or one line per problem; "" if none
  bool transient;              // the machine failed (I/O, no space): the same may succeed later
} Error;

// Sets the message. Returns false, so that `return error_set(error, ...)` reports and fails.
bool error_set(Error* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Prepends "context: " to the message. Returns false.
bool error_add(Error* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Appends one more line to the message (for problems that are collected). Returns false.
bool error_line(Error* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Sets "PATH: MEANING" from errno, and whether that is transient. Returns false.
bool error_errno(Error* error, const char* path);

// Whether errno `cause` is a failure of the machine, and not of what was asked for.
bool error_is_transient(int cause);

// What a fatal error calls before it aborts; cluster/comm sets it to MPI_Abort.
typedef void (*FatalHook)(void);
void error_set_fatal_hook(FatalHook hook);

// Prints the message with its place and ends the program through the fatal hook.
noreturn void error_fatal(const char* file, int line, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// The same for what the machine refuses where nobody can be told: the exit code is 1.
noreturn void error_exit(const char* format, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(condition, ...) \
  do { \
    if (!(condition)) error_fatal(__FILE__, __LINE__, __VA_ARGS__); \
  } while (0)

// What the machine must grant (memory, messages of MPI): error_exit where it does not.
#define NEED(condition, ...) \
  do { \
    if (!(condition)) error_exit(__VA_ARGS__); \
  } while (0)

#endif  // BASE_ERROR_H
