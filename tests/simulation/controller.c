// controller.c - a controller outside of the program (scheduler.kind=external), which takes its
// time, and now and then ends.
//
// It takes the place of base/line_link.c. What it answers follows from the question, so that it may
// be asked again. Lines wait in the link's own Text until they are due.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/line_link.h"
#include "hyper/dialogue.h"
#include "world.h"

#define MOST_ANSWERS 64

typedef struct {
  double due;
  char line[512];
} Reply;

typedef struct {
  Reply reply[MOST_ANSWERS];
  int count;
} Replies;

bool line_link_start(LineLink* link, const char* command, Error* error) {
  (void)error;
  *link = (LineLink){.socket = 0, .child = 1};
  snprintf(link->name, sizeof link->name, "%s", command);
  link->in = world_alloc(sizeof(Replies));
  memset(link->in, 0, sizeof(Replies));
  return true;
}

bool line_link_connect(LineLink* link, const char* path, Error* error) {
  return line_link_start(link, path, error);
}

// One of the choices that are listed behind "HEAD":[ of what is allowed.
static void choose(Answer* answer, const char* allowed, HyperHead head) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":[", head_name(head));
  const char* list = strstr(allowed, key);
  answer->action.choice[head] = ACTION_NONE;
  if (list) {
    list += strlen(key);
    int count = (int)(strcspn(list, "]") + 1) / 2;
    uint64_t salt[3] = {(uint64_t)answer->hyper_episode, (uint64_t)answer->decision, (uint64_t)head};
    uint64_t hash = hash_bytes(HASH_START, salt, sizeof salt);
    answer->action.choice[head] = (int8_t)(list[2 * (hash >> 20) % (uint64_t)(2 * count)] - '0');
  }
}

void line_link_send(LineLink* link, const char* line) {
  Replies* r = (Replies*)(void*)link->in;
  Answer answer = {0};
  Arena arena;
  const char* allowed = strstr(line, "\"allowed\"");
  long long e;
  if (!allowed || link->ended || r->count == MOST_ANSWERS ||
      sscanf(strstr(line, "\"hyper_episode\""), "\"hyper_episode\":%lld,\"decision\":%d", &e,
             &answer.decision) != 2) {
    return;
  }
  answer.hyper_episode = e;
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    choose(&answer, allowed, h);
  }
  arena_init(&arena);
  Reply* reply = &r->reply[r->count++];
  reply->due = world.now + (world_chance(0.1) ? 3 : 0.05) * world_uniform();
  snprintf(reply->line, sizeof reply->line, "%s", dialogue_answer(&answer, &arena));
  arena_free(&arena);
  if (world.now < world.calm && world_chance(world.weather.point_kill)) {
    world_log("the controller ends");
    world.weather.quiet = false;  // its start stops, and gives back what it runs
    link->ended = true;
  }
}

static int next_of(const Replies* r) {
  int next = -1;
  for (int i = 0; i < r->count; i++) {
    next = next < 0 || r->reply[i].due < r->reply[next].due ? i : next;
  }
  return next;
}

bool line_link_receive(LineLink* link, char** line, double patience, Error* error) {
  Replies* r = (Replies*)(void*)link->in;
  *line = NULL;
  if (link->ended) {
    return error_set(error, "has ended");
  }
  int next = next_of(r);
  if (patience > 0) {
    double wait = next < 0 ? patience : fmin(patience, r->reply[next].due - world.now);
    world_sleep(fmax(0, wait), false);
  }
  if (next >= 0 && r->reply[next].due <= world.now) {
    // it stands until the next call, in the place of a reply that is gone
    Reply last = r->reply[next];
    r->reply[next] = r->reply[--r->count];
    r->reply[r->count] = last;
    *line = r->reply[r->count].line;
  }
  return true;
}

void line_link_close(LineLink* link) {
  world_free(link->in);
  link->in = NULL;
  link->socket = -1;
}

int __real_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation) {
  while (__real_flock(descriptor, operation | LOCK_NB) != 0) {
    world_sleep(0.01, false);
  }
  return 0;
}
