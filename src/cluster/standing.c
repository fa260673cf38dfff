// standing.c - counts of a run that goes on, and what they come to.
//
// The unit of work is the real sample: what hyper-episodes take is known of their options, long
// before they end. One that several segments make (pbt, fork) has its share of the run's samples.
// What was found sealed counts as done, and not as done here: speed and the time that is left are
// those of this start.
#include "cluster/standing.h"

#include <math.h>

#include "base/stopwatch.h"

void standing_init(Standing* s, const RunSpec* x, int ranks, Arena* arena) {
  *s = (Standing){.spec = x, .ranks = ranks, .best_score = -INFINITY, .best_episode = -1};
  s->rank = ARENA_NEW(arena, ranks, RankState);
  for (int i = 0; i < ranks; i++) {
    s->rank[i].hyper_episode = -1;
  }
  s->started = clock_wall();
}

// Real samples before epoch `epoch` of a run.
static int64_t steps_before(const Standing* s, int epoch) {
  const MbpoOptions* o = &s->spec->mbpo;
  return epoch > 0 ? o->exploration_steps + (int64_t)epoch * o->epoch_length : 0;
}

// Of a run that has several, its share.
static int64_t steps_per_episode(const Standing* s) {
  SchedulerPlan plan = scheduler_plan(s->spec);
  int64_t steps = s->spec->mbpo.exploration_steps +
                  (int64_t)plan.run_epochs * s->spec->mbpo.epoch_length;
  return plan.run_epochs > 0 ? steps * plan.epochs / plan.run_epochs : steps;
}

// One that diverged is never the best.
static void count_sealed(Standing* s, int64_t hyper_episode, bool diverged, double score) {
  s->sealed++;
  s->diverged += diverged;
  if (!diverged && score > s->best_score) {
    s->best_score = score;
    s->best_episode = hyper_episode;
  }
}

int64_t standing_begin(Standing* s, int rank, const BeginMessage* begin) {
  int first = begin->segment.first_epoch;
  int64_t before = steps_before(s, first);
  s->rank[rank] = (RankState){.hyper_episode = begin->hyper_episode,
                              .epochs = first,
                              .steps_before = before,
                              .progress = {.env_step = before, .epochs = first}};
  s->stage = begin->stage;
  return before;
}

bool standing_progress(Standing* s, int rank, int64_t hyper_episode, const Progress* progress) {
  RankState* state = &s->rank[rank];
  bool is_new = progress->epochs > state->epochs;
  state->hyper_episode = hyper_episode;
  state->progress = *progress;
  state->epochs = is_new ? progress->epochs : state->epochs;
  return is_new;
}

void standing_sealed(Standing* s, int rank, const SealedMessage* sealed) {
  count_sealed(s, sealed->hyper_episode, sealed->diverged, sealed->score);
  s->steps_sealed += sealed->progress.env_step - s->rank[rank].steps_before;
  standing_idle(s, rank);
}

void standing_saved(Standing* s, int rank, const SavedMessage* saved) {
  s->rank[rank].saved = s->saved = *saved;
  s->worst.seconds = fmax(s->worst.seconds, saved->seconds);
  s->worst.bytes = saved->bytes > s->worst.bytes ? saved->bytes : s->worst.bytes;
  s->saves++;
  s->saved_at = clock_wall();
}

void standing_found(Standing* s, int64_t hyper_episode, const Outcome* outcome) {
  count_sealed(s, hyper_episode, outcome->diverged, outcome->score);
  s->steps_at_start += steps_per_episode(s);
}

void standing_idle(Standing* s, int rank) { s->rank[rank].hyper_episode = -1; }

Overview standing_overview(const Standing* s) {
  Overview o = {0};
  double all = (double)s->total * (double)steps_per_episode(s);
  int64_t since_start = s->steps_sealed;
  for (int i = 0; i < s->ranks; i++) {
    if (s->rank[i].hyper_episode >= 0) {
      since_start += s->rank[i].progress.env_step - s->rank[i].steps_before;
      o.only = o.running == 0 ? &s->rank[i].progress : NULL;
      o.running++;
    }
  }
  o.steps = s->steps_at_start + since_start;
  o.share = all > 0 ? fmin(1, (double)o.steps / all) : 1;
  o.steps_per_second = (double)since_start / fmax(1e-3, clock_wall() - s->started);
  double left = fmax(0, all - (double)o.steps);
  o.eta = since_start > 0 ? left / o.steps_per_second : NAN;
  return o;
}
