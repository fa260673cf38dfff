// answer_log.c - answers of a controller outside, one line a decision, on disk before they act.
//
// Only whole lines count: what stands behind the last newline was cut off by a kill, never acted,
// and is overwritten by the next answer; so is all behind a zero, which a loss of power leaves. A
// line is found by counting, and must name the hyper-episode and the decision that it is looked up
// for, so that a file that was edited or moved is noticed.
//
// Two starts of one run may append to the same file. A lock is held from reading what is there to
// the sync of what is added, and a decision that has its line by then keeps it: the first answer
// stands, and both starts act by it. Who waits for the lock for long gives up: its holder may be
// suspended for hours, and must find no other lines when it goes on. The first line of a file also
// syncs the names above it, or a crash could lose the file with an answer that has acted.
#define _GNU_SOURCE
#include "hyper/answer_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/stopwatch.h"
#include "base/text.h"

#define LONGEST_LOCK 5.0  // seconds; an append takes milliseconds

// The whole lines of a log.
typedef struct {
  char* text;
  size_t size;  // up to the end of the last whole line
  int lines;
} Log;

static Log cut(char* text, size_t size) {
  Log log = {.text = text};
  size = text ? strnlen(text, size) : 0;
  for (char* at = text; size > 0 && (at = memchr(at, '\n', size - (size_t)(at - text)));) {
    log.size = (size_t)(++at - text);
    log.lines++;
  }
  return log;
}

static const char* line_of(const Log* log, int line) {
  char* at = log->text;
  for (; line > 0; line--) {
    at = strchr(at, '\n') + 1;
  }
  *strchr(at, '\n') = '\0';
  return at;
}

static bool read_line(Answer* answer, const Log* log, const char* path, int64_t e, int decision,
                      Arena* arena, Error* error) {
  const char* name = text_format(arena, "%s:%d", path, decision + 1);
  bool good = dialogue_read(answer, name, line_of(log, decision), arena, error);
  if (good && (answer->hyper_episode != e || answer->decision != decision)) {
    good = error_set(error, "%s: is of hyper-episode %lld, decision %d, expected %lld, %d", name,
                     (long long)answer->hyper_episode, answer->decision, (long long)e, decision);
  }
  return good ||
         error_line(error, "Remove it and checkpoint/episode-%06lld, and repeat the command: the "
                    "controller is asked again", (long long)e);
}

// Of the first answer the names must last as well. Both who adds and who finds it sync it: whoever
// asks again finds it before it acts, but what was added lasts by itself.
static bool sync_names(const char* path, const RunDirectory* directory, Error* error) {
  char parent[RUN_PATH_SIZE];
  run_file(parent, directory, "answers");
  return files_sync_parent(path, error) && files_sync_parent(parent, error);
}

// The last line may be of a process that ended before it had synced it.
static bool make_last(const Log* log, const char* path, const RunDirectory* directory, int decision,
                      Error* error) {
  return decision < log->lines - 1 ||
         (files_sync(path, error) && (decision > 0 || sync_names(path, directory, error)));
}

bool answer_log_find(Answer* answer, bool* found, const RunDirectory* directory, int64_t e,
                     int decision, Error* error) {
  char path[RUN_PATH_SIZE];
  char* text = NULL;
  size_t size = 0;
  bool there;
  Arena arena;
  arena_init(&arena);
  run_answers_path(path, directory, e);
  bool good = files_look(&there, path, error) &&
              (!there || files_read(&text, &size, path, &arena, error));
  Log log = cut(text, size);
  *found = good && decision < log.lines;
  if (*found) {
    good = make_last(&log, path, directory, decision, error) &&
           read_line(answer, &log, path, e, decision, &arena, error);
  } else if (good && decision > log.lines) {
    good = error_set(error, "%s: ends with the answer to decision %d, but hyper-episode %lld goes "
                     "on from decision %d. Put back what it held, or remove it and "
                     "checkpoint/episode-%06lld, and repeat the command: the controller is asked "
                     "anew", path, log.lines - 1, (long long)e, decision, (long long)e);
  }
  arena_free(&arena);
  return good;
}

// Waits until nobody else appends. Where there are no locks, starts that share a directory have
// leases.
static bool lock(int log, const char* path, Error* error) {
  const struct timespec nap = {.tv_nsec = 10000000};
  double begin = clock_wall();
  while (flock(log, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    if (clock_wall() - begin > LONGEST_LOCK) {
      error_set(error, "%s: another process has locked it for %g s: is it suspended?", path,
                LONGEST_LOCK);
      error->transient = true;
      return false;
    }
    nanosleep(&nap, NULL);
  }
  return true;
}

// Opens the log, and keeps others from it as long as it is open.
static int open_log(char path[RUN_PATH_SIZE], const RunDirectory* directory, int64_t e,
                    Error* error) {
  char parent[RUN_PATH_SIZE];
  run_file(parent, directory, "answers");
  run_answers_path(path, directory, e);
  int log = files_make_directory(parent, error) ? files_open(path, O_RDWR | O_CREAT, error) : -1;
  if (log >= 0 && !lock(log, path, error)) {
    close(log);
    return -1;
  }
  return log;
}

// Behind the whole lines, unless the decision has its line by now.
static bool append(int log, const char* path, const Answer* answer, Arena* arena, Error* error) {
  char* text;
  size_t size;
  if (!files_read(&text, &size, path, arena, error)) {
    return false;
  }
  Log lines = cut(text, size);
  if (answer->decision < lines.lines) {
    return fsync(log) == 0 || error_errno(error, path);
  }
  CHECK(answer->decision == lines.lines, "%s: answer %d after %d", path, answer->decision,
        lines.lines);
  const char* line = text_format(arena, "%s\n", dialogue_answer(answer, arena));
  size_t length = strlen(line), half = length / 2;
  bool good = ftruncate(log, (off_t)lines.size) == 0 &&
              lseek(log, (off_t)lines.size, SEEK_SET) >= 0 && files_put(log, line, half);
  fault_point("mid-write");
  good = good && files_put(log, line + half, length - half) && fsync(log) == 0;
  return good || error_errno(error, path);
}

bool answer_log_add(const RunDirectory* directory, const Answer* answer, Error* error) {
  char path[RUN_PATH_SIZE];
  Arena arena;
  int log = open_log(path, directory, answer->hyper_episode, error);
  if (log < 0) {
    return false;
  }
  arena_init(&arena);
  bool good = append(log, path, answer, &arena, error) &&
              (answer->decision > 0 || sync_names(path, directory, error));
  arena_free(&arena);
  if (close(log) != 0 && good) {
    good = error_errno(error, path);
  }
  return good;
}
