// live_text.c - a run on one screen of text.
//
// Lines are made one after the other. Tables and curves are cut to the width of the screen,
// sentences are folded. The table of ranks gets the lines that are left: what is wrong and how to
// go on stands below it and is never cut off.
//
// What the files say may be anything (names of directories and hosts, texts of other programs), so
// control characters become '?' before they reach a terminal.
#define _GNU_SOURCE
#include "cli/live_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/progress_line.h"
#include "store/json.h"

#define LINE_BYTES 1024
#define CURVE 13    // characters of a rank's sparkline
#define BAR 20
#define INDENT 10   // of the lines of a sentence behind its first
#define SENTENCE 3  // lines of one at most
#define BELOW 6     // lines of warning and way on at most

typedef struct {
  Text* out;
  const LiveScreen* screen;
  int left;  // lines
} Page;

bool live_shows_utf8(void) {
  static const char* const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (int i = 0; i < 3; i++) {
    const char* value = getenv(names[i]);
    if (value && *value) {
      return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
  }
  return false;
}

static void hide_controls(char* text) {
  for (; *text; text++) {
    if ((unsigned char)*text < ' ' || *text == 0x7F) {
      *text = '?';
    }
  }
}

static void print_line(Page* page, const char* format, ...) __attribute__((format(printf, 2, 3)));

static void print_line(Page* page, const char* format, ...) {
  char line[LINE_BYTES];
  va_list args;
  if (page->left <= 0) {
    return;
  }
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  hide_controls(line);
  int columns = 0;
  char* at = line;
  for (; *at; at++) {
    bool begins = ((unsigned char)*at & 0xC0) != 0x80;  // a character of UTF-8
    if (begins && columns++ == page->screen->columns) {
      break;
    }
  }
  text_add_bytes(page->out, line, (size_t)(at - line));
  text_add(page->out, "\n");
  page->left--;
}

// Bytes of the first line of a text that is `columns` wide at most and ends at a space if it can.
static size_t first_line(const char* text, int columns) {
  size_t space = 0, at = 0;
  for (; text[at]; at++) {
    bool begins = ((unsigned char)text[at] & 0xC0) != 0x80;
    if (begins && columns-- == 0) {
      return space > 0 ? space : at;
    }
    space = text[at] == ' ' && text[at + 1] != ' ' ? at : space;
  }
  return at;
}

static void print_sentence(Page* page, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

static void print_sentence(Page* page, const char* format, ...) {
  char text[LINE_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  int indent = 0;
  const char* at = text;
  for (int line = 0; line < SENTENCE && *at; line++) {
    int width = page->screen->columns - indent;
    size_t size = first_line(at, width > INDENT ? width : INDENT);
    print_line(page, "%*s%.*s", indent, "", (int)size, at);
    at += size + strspn(at + size, " ");
    indent = INDENT;
  }
}

void live_sparkline(char* out, const double* values, int count, int width, bool blocks) {
  static const char* const utf8[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const char* const ascii[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
  int first = count > width ? count - width : 0;
  double low = INFINITY, high = -INFINITY;
  for (int i = first; i < count; i++) {
    if (isfinite(values[i])) {
      low = fmin(low, values[i]);
      high = fmax(high, values[i]);
    }
  }
  out[0] = '\0';
  for (int i = first; i < count; i++) {
    double share = high > low ? (values[i] - low) / (high - low) : 0.5;
    int level = isfinite(values[i]) ? (int)(7.999 * share) : -1;
    strcat(out, level < 0 ? " " : blocks ? utf8[level] : ascii[level]);
  }
}

static const char* ago(char out[32], double seconds) {
  char text[24];
  progress_duration(out, seconds);
  snprintf(text, sizeof text, "%.0fs", seconds);
  return seconds < 60 ? strcpy(out, text) : out;
}

// Where it runs: the machine, and the job.
static const char* place(char out[LINE_BYTES], const LiveView* v) {
  if (v->process > 0) {
    snprintf(out, LINE_BYTES, "here, process %ld", v->process);
  } else {
    snprintf(out, LINE_BYTES, "on %s%s%s", v->host, *v->job ? ", job " : "", v->job);
  }
  return out;
}

static void print_state(Page* page, const LiveView* v) {
  char where[LINE_BYTES], age[32], running[32];
  const char* ranks = v->ranks == 1 ? "rank" : "ranks";
  place(where, v);
  ago(age, v->age);
  ago(running, v->running_for);
  switch (v->state) {
    case LIVE_RUNNING:
      print_sentence(page, "state     running for %s %s, %d %s; wrote %s ago", running, where,
                     v->ranks, ranks, age);
      break;
    case LIVE_SILENT:
      print_sentence(page, "state     silent since %s (%s), %s", v->updated, age, where);
      print_sentence(page, "          whether it lives only that machine can tell%s%s",
                     *v->job ? ": squeue -j " : "", v->job);
      break;
    case LIVE_DEAD:
      print_sentence(page, "state     dead since %s (%s): its process here was killed", v->updated,
                     age);
      break;
    case LIVE_NOT_BEGUN:
      print_sentence(page, "state     not begun: it has a configuration, and no status yet");
      break;
    case LIVE_FAILED:
      print_sentence(page, "state     failed at %s, on %s: what it printed says why", v->updated,
                     v->host);
      break;
    case LIVE_CHECKPOINTED:
    case LIVE_FINISHED:
      print_sentence(page, "state     %s at %s, on %s",
                     v->state == LIVE_FINISHED ? "finished" : "stopped with checkpoints",
                     v->updated, v->host);
  }
}

static void print_progress(Page* page, const LiveView* v) {
  char bar[BAR + 1], eta[32], saved[64] = "";
  double share = isfinite(v->progress) ? fmin(1, fmax(0, v->progress)) : 0;
  int full = (int)(BAR * share);
  memset(bar, '#', (size_t)full);
  memset(bar + full, '.', (size_t)(BAR - full));
  bar[BAR] = '\0';
  progress_duration(eta, v->eta);
  if (v->state == LIVE_RUNNING) {
    print_line(page, "progress  [%s] %.0f%%  ETA %s  %.0f real samples, %.0f/s", bar, 100 * share,
               eta, v->samples, v->steps_per_second);
  } else {
    print_line(page, "progress  [%s] %.0f%%  %.0f real samples", bar, 100 * share, v->samples);
  }
  if (isfinite(v->checkpoint_age)) {
    double age = v->checkpoint_age + (isfinite(v->age) ? v->age : 0);
    char text[32];
    snprintf(saved, sizeof saved, "; saved %s ago", ago(text, age));
  }
  print_line(page, "episodes  %lld done, %lld running, %lld queued; %lld diverged, %lld lost%s",
             (long long)v->done, (long long)v->running, (long long)v->queued,
             (long long)v->diverged, (long long)v->lost, saved);
}

static void print_scores(Page* page, const LiveView* v) {
  char curve[3 * 40 + 1], best[64] = "";
  if (v->score_count == 0) {
    return;
  }
  if (v->best_episode >= 0) {
    snprintf(best, sizeof best, "best %.4g (#%lld), ", v->best_score, (long long)v->best_episode);
  }
  live_sparkline(curve, v->score, v->score_count, 40, page->screen->blocks);
  print_line(page, "scores    %s  %sstage %lld", curve, best, (long long)v->stage);
}

static void print_times(Page* page, const LiveView* v) {
  static const char* const names[LIVE_PARTS] = {"SAC", "model", "rollouts", "evaluation",
                                                "real steps"};
  double part[LIVE_PARTS] = {0}, all = 0;
  for (int i = 0; i < v->episode_count; i++) {
    for (int p = 0; p < LIVE_PARTS; p++) {
      part[p] += v->episode[i].seconds[p];
      all += v->episode[i].seconds[p];
    }
  }
  if (all <= 0) {
    return;
  }
  char line[LINE_BYTES] = "";
  size_t used = 0;
  for (int p = 0; p < LIVE_PARTS; p++) {
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s %.0f%%", p > 0 ? "  " : "",
                             names[p], 100 * part[p] / all);
  }
  print_line(page, "time      %s", line);
}

static const LiveEpisode* episode_of(const LiveView* v, int64_t index) {
  for (int i = 0; i < v->episode_count; i++) {
    if (v->episode[i].index == index) {
      return &v->episode[i];
    }
  }
  return NULL;
}

static void print_rank(Page* page, const LiveView* v, const LiveRank* r) {
  static const LiveEpisode unknown = {.epoch = -1,
                                      .real_ratio = NAN,
                                      .policy_updates = NAN,
                                      .rollout_length = NAN};
  char curve[3 * CURVE + 1];
  const LiveEpisode* found = episode_of(v, r->episode);
  const LiveEpisode* e = found ? found : &unknown;
  live_sparkline(curve, e->returns, e->count, CURVE, page->screen->blocks);
  print_line(page, "%4d %7lld %6d %8lld %9.4g %7.3g %4.3g %4.3g %6.0fM  %s", r->rank,
             (long long)r->episode, e->epoch, (long long)r->samples, r->last_return,
             e->real_ratio, e->policy_updates, e->rollout_length, r->rss_mb, curve);
}

static void print_ranks(Page* page, const LiveView* v) {
  if (v->rank_count == 0 || v->state == LIVE_FINISHED || page->left < 3) {
    return;
  }
  print_line(page, "%4s %7s %6s %8s %9s %7s %4s %4s %7s  %s", "rank", "episode", "epoch", "samples",
             "return", "beta", "G", "k", "memory", "evaluations");
  int shown = v->rank_count <= page->left ? v->rank_count : page->left - 1;
  for (int i = 0; i < shown; i++) {
    print_rank(page, v, &v->rank[i]);
  }
  if (shown < v->rank_count) {
    print_line(page, "     and %d more", v->rank_count - shown);
  }
}

static char* resume_command(Arena* arena, const LiveView* v) {
  Text command;
  text_init(&command, arena);
  text_add(&command, "autombpo resume ");
  text_add_shell_word(&command, v->directory);
  return command.bytes;
}

// What stands below the table: what is wrong, and how to go on. A command is not folded where the
// terminal does that, so that it can be copied.
static void print_below(Page* page, const LiveView* v) {
  const char* condition = v->state == LIVE_SILENT ? "if it is gone: " : "";
  if (*v->warning) {
    print_sentence(page, "warning   #%lld, epoch %d: %s", (long long)v->warned_episode,
                   v->warned_epoch, v->warning);
  }
  if (!live_can_resume(v->state)) {
    return;
  }
  char* command = resume_command(page->out->arena, v);
  hide_controls(command);
  if (page->screen->wraps && page->left > 0) {
    text_add(page->out, "go on     %s%s\n", condition, command);
    page->left--;
  } else {
    print_sentence(page, "go on     %s%s", condition, command);
  }
}

void live_print(Text* out, const LiveView* v, const LiveScreen* screen) {
  Text last;
  text_init(&last, out->arena);
  int room = screen->rows - 2 < BELOW ? screen->rows - 2 : BELOW;
  Page below = {.out = &last, .screen = screen, .left = room};
  print_below(&below, v);
  Page page = {.out = out, .screen = screen, .left = screen->rows - (room - below.left)};
  print_sentence(&page, "%s: %s on %s, seed %s", v->directory, v->method, v->env, v->seed);
  print_state(&page, v);
  if (v->status) {
    print_progress(&page, v);
    print_scores(&page, v);
    print_times(&page, v);
    print_ranks(&page, v);
  }
  text_add_bytes(out, last.bytes, last.size);
}

void live_print_json(Text* out, const LiveView* v) {
  Json json;
  json_init(&json, out);
  json_begin_object(&json, NULL);
  json_text(&json, "run", v->directory);
  json_text(&json, "env", v->env);
  json_text(&json, "method", v->method);
  json_text(&json, "seed", v->seed);
  json_text(&json, "state", live_state_name(v->state));
  json_text(&json, "updated", *v->updated ? v->updated : NULL);
  json_number(&json, "age_s", v->age);
  json_text(&json, "host", v->host);
  json_text(&json, "job", *v->job ? v->job : NULL);
  json_integer(&json, "process", v->process);
  json_text(&json, "warning", *v->warning ? v->warning : NULL);
  json_text(&json, "resume",
            live_can_resume(v->state) ? resume_command(out->arena, v) : NULL);
  text_add(out, ",\"status\":%s", v->status ? v->status : "null");
  json_end(&json);
  text_add(out, "\n");
}
