// external: a controller that is another program, asked line by line (hyper/dialogue.h).
//
// What it answers is written into the run directory first (hyper/answer_log.h), and acts as it
// stands there: a start that goes on finds it, and asks nothing twice. So the results follow from
// the configuration and the answers. Questions of several hyper-episodes are open at once, and may
// be answered in any order; who waits for one delays nobody else.
#include <string.h>

#include "base/line_link.h"
#include "base/stopwatch.h"
#include "hyper/answer_log.h"
#include "hyper/dialogue.h"
#include "hyper/scheduler_kinds.h"

#define EXTERNAL_OPTIONS(OPT) \
  OPT(TEXT, command, "", 0, 0, "", \
      "of external: shell command of a controller, asked by its stdin, answering by its stdout") \
  OPT(TEXT, socket, "", 0, 0, "", \
      "of external: Unix socket at which the controller listens, instead of a command") \
  OPT(TIME, timeout, 600, 0.1, 31536000, "s", \
      "time for an answer; then the run saves, and ends with exit code 1")

typedef struct {
  EXTERNAL_OPTIONS(OPTION_FIELD)
} ExternalOptions;

OPTION_TABLE(options, ExternalOptions, EXTERNAL_OPTIONS)

static const ExternalOptions* options_of(const RunSpec* x) {
  return scheduler_options(x, &scheduler_external);
}

typedef struct {
  int64_t hyper_episode;
  int decision;
  uint8_t allowed[HEAD_COUNT];
  double asked;  // when
} Question;

typedef struct {
  bool begun;
  LineLink link;
  bool answered;       // at least once
  Question* question;  // (capacity) those that are open
  int count, capacity;
  Arena scratch;
} External;

static bool open_external(Scheduler* s, Error* error) {
  (void)error;
  External* x = ARENA_NEW(s->arena, 1, External);
  x->link.socket = -1;
  s->self = x;
  return true;
}

static bool begin(Scheduler* s, Error* error) {
  External* x = s->self;
  const ExternalOptions* o = options_of(s->spec);
  bool good = *o->command ? line_link_start(&x->link, o->command, error)
                          : line_link_connect(&x->link, o->socket, error);
  if (!good) {
    return error_add(error, "the controller cannot be reached");
  }
  arena_init(&x->scratch);
  x->begun = true;
  line_link_send(&x->link, dialogue_hello(s, &x->scratch));
  return true;
}

// Questions ---------------------------------------------------------------------------------------

static Question* find(External* x, int64_t hyper_episode) {
  for (int i = 0; i < x->count; i++) {
    if (x->question[i].hyper_episode == hyper_episode) {
      return &x->question[i];
    }
  }
  return NULL;
}

static Question* add(External* x, Arena* arena) {
  if (x->count == x->capacity) {
    x->capacity = x->capacity > 0 ? 2 * x->capacity : 16;
    Question* larger = ARENA_NEW(arena, x->capacity, Question);
    for (int i = 0; i < x->count; i++) {
      larger[i] = x->question[i];
    }
    x->question = larger;
  }
  return &x->question[x->count++];
}

static void put_question(Scheduler* s, const SchedulerRequest* request) {
  External* x = s->self;
  Question* q = add(x, s->arena);
  *q = (Question){.hyper_episode = request->hyper_episode,
                  .decision = request->decision,
                  .asked = clock_wall()};
  memcpy(q->allowed, request->state->allowed, sizeof q->allowed);
  ArenaMark mark = arena_mark(&x->scratch);
  line_link_send(&x->link, dialogue_question(request, &x->scratch));
  arena_release(&x->scratch, mark);
}

// What the log holds.
static bool recall(HyperAction* action, bool* found, const Scheduler* s,
                   const SchedulerRequest* request, Error* error) {
  char path[RUN_PATH_SIZE];
  Answer answer;
  run_answers_path(path, s->directory, request->hyper_episode);
  if (!answer_log_find(&answer, found, s->directory, request->hyper_episode, request->decision,
                       error)) {
    return false;
  }
  if (*found) {
    *action = answer.action;
  }
  return !*found || dialogue_check(&answer, path, request->state->allowed, &s->spec->hyper,
                                   error);
}

static bool ask(HyperAction* action, bool* later, Scheduler* s, const SchedulerRequest* request,
                Error* error) {
  External* x = s->self;
  bool found;
  if (!recall(action, &found, s, request, error)) {
    return false;
  }
  *later = !found;
  if (!found && !find(x, request->hyper_episode)) {
    put_question(s, request);
  }
  return true;
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  Error ignored;
  bool found;
  if (!recall(action, &found, s, request, &ignored)) {
    hyper_action_none(action);
  }
}

// Answers -----------------------------------------------------------------------------------------

// The question that a line answers; NULL: none, or not as it must be.
static Question* match(Answer* answer, Scheduler* s, const char* line, Arena* arena,
                       Error* error) {
  static const char name[] = "answer";
  External* x = s->self;
  if (!dialogue_read(answer, name, line, arena, error)) {
    return NULL;
  }
  Question* q = find(x, answer->hyper_episode);
  if (!q) {
    error_set(error, "%s: hyper_episode is %lld, about which nothing was asked", name,
              (long long)answer->hyper_episode);
  } else if (q->decision != answer->decision) {
    error_set(error, "%s: decision is %d, expected %d, about which hyper-episode %lld asks", name,
              answer->decision, q->decision, (long long)q->hyper_episode);
    q = NULL;
  } else if (!dialogue_check(answer, name, q->allowed, &s->spec->hyper, error)) {
    error_add(error, "hyper-episode %lld, decision %d", (long long)q->hyper_episode, q->decision);
    q = NULL;
  }
  return q;
}

static bool refuse(External* x, Error* error) {
  line_link_send(&x->link, dialogue_error(error->text, &x->scratch));
  return error_add(error, "the controller '%s'", x->link.name);
}

// What was answered is on disk, and no question any more.
static bool take(int64_t* answered, Scheduler* s, const char* line, Error* error) {
  External* x = s->self;
  Answer answer;
  Question* q = match(&answer, s, line, &x->scratch, error);
  if (!q) {
    return refuse(x, error);
  }
  if (!answer_log_add(s->directory, &answer, error)) {
    return false;
  }
  *q = x->question[--x->count];
  x->answered = true;
  *answered = answer.hyper_episode;
  return true;
}

static bool check_timeout(const Scheduler* s, Error* error) {
  const External* x = s->self;
  double now = clock_wall(), limit = options_of(s->spec)->timeout;
  for (int i = 0; i < x->count; i++) {
    const Question* q = &x->question[i];
    if (now - q->asked > limit) {
      error_set(error, "no answer to decision %d of hyper-episode %lld for %.3g s, expected "
                "one within external.timeout=%g s",
                q->decision, (long long)q->hyper_episode, now - q->asked, limit);
      return refuse(s->self, error);
    }
  }
  return true;
}

// The other side may end when nothing is asked any more; one that never answered is no controller.
static bool listen_once(int64_t* answered, Scheduler* s, double patience, Error* error) {
  External* x = s->self;
  char* line;
  if (x->link.ended && x->answered && x->count == 0) {
    return true;
  }
  if (!line_link_receive(&x->link, &line, patience, error)) {
    return refuse(x, error);
  }
  ArenaMark mark = arena_mark(&x->scratch);
  bool good = line ? take(answered, s, line, error) : check_timeout(s, error);
  arena_release(&x->scratch, mark);
  return good;
}

static bool listen_to(int64_t* answered, Scheduler* s, double patience, Error* error) {
  External* x = s->self;
  return (x->begun || begin(s, error)) && listen_once(answered, s, patience, error);
}

static void send_sealed(Scheduler* s, const SchedulerOutcome* outcome) {
  External* x = s->self;
  ArenaMark mark = arena_mark(&x->scratch);
  line_link_send(&x->link, dialogue_sealed(outcome, &x->scratch));
  arena_release(&x->scratch, mark);
}

static void close_external(Scheduler* s) {
  External* x = s->self;
  if (x->begun) {
    line_link_close(&x->link);
    arena_free(&x->scratch);
    x->begun = false;
  }
}

static void check_inputs(OptionsCheck* check, const RunSpec* x) {
  const ExternalOptions* o = options_of(x);
  if (!*o->command == !*o->socket) {
    options_broken(check, "external.command",
                   "must be given, or else external.socket, which is '%s': the command of a "
                   "controller, or the Unix socket at which one listens", o->socket);
  }
}

// What it answers counts, and is in the run directory.
static const char* const unhashed[] = {"external", NULL};
static const char* const outside[] = {"external.command", "external.socket", NULL};

const SchedulerKind scheduler_external = {
    .name = "external",
    .section = {.table = options, .unhashed = unhashed, .outside = outside},
    .steps = true,
    .check_inputs = check_inputs,
    .plan = scheduler_plain_plan,
    .open = open_external,
    .decide = decide,
    .outside = {.ask = ask, .listen = listen_to, .sealed = send_sealed, .close = close_external},
};
