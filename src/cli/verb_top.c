// verb_top.c - autombpo top: runs as they go, on a terminal, until q.
//
// The screens of `autombpo status`, one below the other, each with its share of the lines, drawn
// anew in place every other second. Only files are read, so it serves over ssh on a login node. The
// terminal is put back as it was, on signals too: they are blocked, and taken where nothing is
// drawn. Ctrl-Z is a key: as a signal, a thread of a library would take it before the terminal
// could be put back.
#define _GNU_SOURCE
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/live_text.h"
#include "cli/verbs.h"

static const char usage[] =
    "usage: autombpo top [-d SECONDS] RUN...\n\n"
    "Shows runs as they go: ranks, schedules, returns, where the time goes, what is\n"
    "wrong. Reads files only; q quits. Where there is no terminal, one screen is\n"
    "printed.\n\n"
    "  -d, --delay SECONDS   between two looks (0.2 to 3600; default: 2)";

#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define HOME "\033[H"
#define ALTERNATE_SCREEN "\033[?1049h\033[?25l"
#define USUAL_SCREEN "\033[?25h\033[?1049l"
#define CTRL_C 3
#define CTRL_Z 26

typedef struct {
  int count;
  char* const* runs;
  double delay;
  bool terminal;
} Top;

static int size_of(int* rows) {
  struct winsize window = {0};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
  *rows = window.ws_row > 0 ? window.ws_row : 24;
  return window.ws_col > 0 ? window.ws_col : 80;
}

// All runs. The exit code of the last one that cannot be read, if none can.
static int compose(Text* text, const Top* top, Arena* arena) {
  int rows, columns = size_of(&rows), read = 0, code = 0;
  int share = (rows - 1) / top->count;
  for (int i = 0; i < top->count; i++) {
    LiveView view;
    Error error = {0};
    LiveScreen screen = {.columns = columns,
                         .rows = top->terminal ? (share > 2 ? share - (i > 0) : 2) : rows - 1,
                         .blocks = live_shows_utf8(),
                         .wraps = !top->terminal};
    text_add(text, i > 0 ? "\n" : "");
    if (live_read(&view, top->runs[i], arena, &error)) {
      live_print(text, &view, &screen);
      read++;
    } else {
      text_add(text, "autombpo top: %.*s\n", columns - 14, error.text);
      code = verb_refusal(&error);
    }
  }
  return read > 0 ? 0 : code;
}

// Line by line over what stood there: no flicker, and no more lines than there are. Each is cleared
// before it is written: behind a full one, terminals clear its last character.
static void draw(const Text* text) {
  int rows;
  size_of(&rows);
  fputs(HOME CLEAR_LINE, stdout);
  for (const char* at = text->bytes; *at && rows > 1; at++) {
    if (*at == '\n') {
      rows--;
      fputs("\r\n" CLEAR_LINE, stdout);
    } else {
      putchar(*at);
    }
  }
  fputs(CLEAR_BELOW "q quits", stdout);
  fflush(stdout);
}

static int show(const Top* top) {
  Arena arena;
  Text text;
  arena_init(&arena);
  text_init(&text, &arena);
  int code = compose(&text, top, &arena);
  if (top->terminal) {
    draw(&text);
  } else {
    fputs(text.bytes, code == 0 ? stdout : stderr);
  }
  arena_free(&arena);
  return code;
}

// Keys come one by one, Ctrl-Z among them. To be called before each look: somebody else may have
// stopped this process, and the shell has put back its own.
static void take_terminal(const struct termios* usual) {
  struct termios raw = *usual, now;
  if (tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag & ICANON) {
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    fputs(ALTERNATE_SCREEN, stdout);
  }
}

static void give_terminal_back(const struct termios* usual) {
  fputs(USUAL_SCREEN, stdout);
  fflush(stdout);
  tcsetattr(STDIN_FILENO, TCSADRAIN, usual);
}

// Waits for the next look; true: somebody wants to end, by q or by a signal.
static bool wait_for_end(double seconds, const sigset_t* ends, const struct termios* usual) {
  struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
  struct timespec nothing = {0};
  char key;
  for (double left = seconds; left > 0; left -= 0.1) {
    if (sigtimedwait(ends, NULL, &nothing) >= 0) {
      return true;
    }
    if (poll(&keys, 1, 100) > 0 && read(STDIN_FILENO, &key, 1) != 1) {
      return true;  // the terminal is gone
    }
    if (keys.revents && (key == 'q' || key == 'Q' || key == CTRL_C)) {
      return true;
    }
    if (keys.revents && key == CTRL_Z) {
      give_terminal_back(usual);
      kill(0, SIGTSTP);  // the whole job, as a terminal does; comes back by fg
      return false;
    }
  }
  return false;
}

static int watch(const Top* top) {
  struct termios usual;
  sigset_t ends;
  tcgetattr(STDIN_FILENO, &usual);
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  sigprocmask(SIG_BLOCK, &ends, NULL);
  int code;
  do {
    take_terminal(&usual);
    code = show(top);
  } while (!wait_for_end(top->delay, &ends, &usual));
  give_terminal_back(&usual);
  return code;
}

int verb_top(int argc, char** argv) {
  static const struct option options[] = {
      {"help", no_argument, NULL, 'h'}, {"delay", required_argument, NULL, 'd'}, {0}};
  Top top = {.delay = 2, .terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO)};
  int option;
  while ((option = getopt_long(argc, argv, "hd:", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    if (option == '?') {
      return EXIT_USAGE;
    }
    if (!text_read_number(&top.delay, optarg) || top.delay < 0.2 || top.delay > 3600) {
      fprintf(stderr, "autombpo top: --delay %s: expected a number of seconds, 0.2 to 3600\n",
              optarg);
      return EXIT_USAGE;
    }
  }
  if (optind == argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  top.count = argc - optind;
  top.runs = argv + optind;
  if (!top.terminal) {
    return show(&top);
  }
  return watch(&top);
}
