// reporter.c - what people and tools see of a run while it runs: three views of the same figures.
//
// Coordinator and rank 0 call in when something happens. Each event is a line of metrics.jsonl at
// once (events.c), and changes the counts (standing.c); status.json (status_file.c) and the
// progress line (progress_line.c) are made from these, now and then, in reporter_tick. Of several
// starts in a directory, the one that holds the status lease writes status.json.
//
// Progress must never end a run: what cannot be written is a warning, repeated at growing
// intervals. And nothing here enters a result, so clocks are allowed.
#include "cluster/reporter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/notice.h"
#include "cluster/progress_line.h"
#include "cluster/status_file.h"

#define STATUS_INTERVAL 10.0  // seconds between two status.json
#define LINE_SIZE 256
#define REDRAW_INTERVAL 0.25  // seconds between two progress lines on a terminal

void reporter_init(Reporter* r, const RunSpec* x, const RunDirectory* directory, int ranks,
                   double line_interval, bool quiet, Arena* arena) {
  *r = (Reporter){.directory = directory,
                  .line_interval = line_interval,
                  .line_written = clock_wall(),
                  .terminal = isatty(STDERR_FILENO),
                  .quiet = quiet,
                  .writes_status = true};
  standing_init(&r->standing, x, ranks, arena);
  event_log_init(&r->events, directory);
}

void reporter_scan(Reporter* r, int64_t total) {
  r->standing.total = total;
  event_start(&r->events, r->standing.ranks, total, r->standing.sealed);
}

void reporter_begin(Reporter* r, int rank, const BeginMessage* begin) {
  int64_t before = standing_begin(&r->standing, rank, begin);
  event_begin(&r->events, rank, begin, before);
}

// The first epoch of this start with a flaw is a warning; metrics.jsonl has all of them.
static void warn_of_flaws(Reporter* r, int64_t hyper_episode, const Progress* p) {
  for (HealthFlaw flaw = 0; flaw < HEALTH_FLAWS; flaw++) {
    if (health_has(&p->health, flaw) && !r->warned[flaw]) {
      r->warned[flaw] = true;
      notice("warning: hyper-episode %lld, epoch %d: %s (said once; the health events of "
             "metrics.jsonl have every epoch)",
             (long long)hyper_episode, p->epochs - 1, health_text(flaw));
    }
  }
}

void reporter_progress(Reporter* r, int rank, int64_t hyper_episode, const Progress* progress) {
  if (standing_progress(&r->standing, rank, hyper_episode, progress)) {
    event_epoch(&r->events, rank, hyper_episode, progress);
    event_health(&r->events, hyper_episode, progress);
    warn_of_flaws(r, hyper_episode, progress);
  }
}

void reporter_sealed(Reporter* r, int rank, const SealedMessage* sealed) {
  reporter_progress(r, rank, sealed->hyper_episode, &sealed->progress);
  standing_sealed(&r->standing, rank, sealed);
  event_sealed(&r->events, rank, sealed);
}

void reporter_saved(Reporter* r, int rank, const SavedMessage* saved) {
  standing_saved(&r->standing, rank, saved);
  event_checkpoint(&r->events, rank, saved);
}

void reporter_found(Reporter* r, int64_t hyper_episode, const Outcome* outcome) {
  standing_found(&r->standing, hyper_episode, outcome);
}

void reporter_idle(Reporter* r, int rank) { standing_idle(&r->standing, rank); }

void reporter_lost(Reporter* r, int rank, double silence) {
  int64_t hyper_episode = r->standing.rank[rank].hyper_episode;
  char what[128] = "it had no work";
  if (hyper_episode >= 0) {
    snprintf(what, sizeof what, "hyper-episode %lld goes on elsewhere, from its last checkpoint",
             (long long)hyper_episode);
  }
  notice("warning: rank %d has been silent for %.0f s and is given up: %s", rank, silence,
         what);
  r->standing.lost++;
  reporter_idle(r, rank);
  event_lost(&r->events, rank, hyper_episode, silence);
}

void reporter_extrapolates(Reporter* r, int64_t hyper_episode, HyperFeature feature, double value,
                           const FeatureRange* seen) {
  if (r->extrapolated[feature]) {
    return;
  }
  r->extrapolated[feature] = true;
  notice("warning: hyper-episode %lld: %s is %.6g, outside of %.6g to %.6g, which the controller "
         "was trained on",
         (long long)hyper_episode, feature_name(feature), value, seen->low[feature],
         seen->high[feature]);
  event_extrapolation(&r->events, hyper_episode, feature, value, seen);
}

void reporter_stage(Reporter* r, const StageResult* result, int version) {
  for (HyperFeature f = 0; f < FEATURE_COUNT; f++) {
    if (result->clipped[f]) {
      notice("warning: stage %d: the feature %s was at its clip at every decision",
             result->stage, feature_name(f));
    }
  }
  event_stage(&r->events, result, version);
}

static void write_status(Reporter* r, const char* state) {
  Error error;
  if (!status_file_write(r->directory, &r->standing, state, r->deadline, &error) &&
      reminder_due(&r->status_trouble)) {
    notice("warning: %s", error.text);
  }
}

// On a terminal in place of the line before, and no longer than the terminal is wide.
static void print_line(const Reporter* r, const char* end) {
  char line[LINE_SIZE];
  const Standing* s = &r->standing;
  SchedulerPlan plan = scheduler_plan(s->spec);
  Overview o = standing_overview(s);
  ProgressFacts facts = {.share = o.share,
                         .eta = o.eta,
                         .steps_per_second = o.steps_per_second,
                         .learns = plan.updates > 0,
                         .stage = s->stage,
                         .sealed = s->sealed,
                         .total = s->total,
                         .diverged = s->diverged,
                         .epochs = plan.run_epochs,
                         .running = o.only,
                         .best_score = s->best_score,
                         .best_episode = s->best_episode};
  int columns = r->terminal ? progress_columns() : LINE_SIZE;
  progress_line(line, columns < LINE_SIZE ? (size_t)columns : sizeof line, &facts);
  notice_clear();
  fprintf(stderr, "%s%s", line, end);
}

void reporter_tick(Reporter* r) {
  double now = clock_wall();
  if (r->writes_status && now - r->status_written > STATUS_INTERVAL) {
    write_status(r, "running");
    r->status_written = now;
  }
  double interval = r->terminal ? REDRAW_INTERVAL : r->line_interval;
  if (!r->quiet && now - r->line_written >= interval) {
    print_line(r, r->terminal ? "" : "\n");
    r->line_written = now;
  }
}

void reporter_end(Reporter* r, const char* state) {
  if (r->writes_status || strcmp(state, "finished") == 0) {
    write_status(r, state);
  }
  if (!r->quiet) {
    print_line(r, "\n");
  }
  event_stop(&r->events, state);
}
