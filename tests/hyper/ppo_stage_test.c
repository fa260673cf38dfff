// What a folded stage is told to have been like: each figure by its definition, from sealed files.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/scheduler_kinds.h"
#include "hyper/scratch_directory.h"
#include "hyper/sealed_check.h"
#include "hyper/sealed_root.h"
#include "hyper/trajectory.h"

enum { EPISODES = 3 };

static int64_t steps[] = {0, 1000};
static double means[] = {-1500, -500}, spreads[] = {0, 0};
static const Baseline baseline = {.count = 2, .env_step = steps, .return_mean = means,
                                  .return_std = spreads, .run_seeds = ""};

// Runs hyper-episode e with what the scheduler decides, and seals it.
static void seal(Scheduler* s, int64_t e, Arena* arena) {
  HyperEpisode h;
  Error error;
  char path[RUN_PATH_SIZE];
  HyperSegment segment = scheduler_segment(s, e);
  assert_true(hyper_episode_init(&h, s->spec, e, &segment, 0, scheduler_sets(s, 0), arena, &error));
  for (HyperEvent event = hyper_episode_advance(&h); event != HYPER_FINISHED;
       event = hyper_episode_advance(&h)) {
    if (event == HYPER_DECISION) {
      HyperAction action;
      SchedulerRequest request = {.hyper_episode = e, .decision = h.decisions, .state = &h.state};
      scheduler_decide(&action, s, &request);
      hyper_episode_act(&h, &action);
    }
  }
  run_episode_path(path, s->directory, e);
  assert_true(trajectory_write(&h, path, &error));
  hyper_episode_free(&h);
}

static void assert_near(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-9 * fabs(expected))) {
    fail_msg("%.17g, expected %.17g", value, expected);
  }
}

// What version 1 says that it has seen.
static void read_seen(FeatureRange* seen, const Scheduler* s) {
  char path[RUN_PATH_SIZE];
  H5File file;
  Error error;
  run_policy_path(path, s->directory, 1);
  assert_true(h5_open(&file, path, POLICY_FORMAT, SEALED_VERSION, &error));
  h5_read(&file, "features/trained_low", H5_F64, FEATURE_COUNT, 0, seen->low);
  h5_read(&file, "features/trained_high", H5_F64, FEATURE_COUNT, 0, seen->high);
  assert_true(h5_close(&file, &error));
}

static void a_stage_is_told_as_its_hyper_episodes_were(void** state) {
  (void)state;
  RunSpec x = small_experiment();
  RunDirectory directory;
  Scheduler s;
  Arena arena;
  Error error;
  arena_init(&arena);
  x.ppo.episodes_per_update = EPISODES;
  x.ppo.exploration_start = 0.5;
  x.baseline = &baseline;
  strcpy(x.ppo.ratio, "joint");
  strcpy(x.ppo.advantage, "return");
  strcpy(x.ppo.at_bounds, "credit");
  assert_true(scratch_directory_make(&directory, &error));
  assert_true(scheduler_open(&s, &x, &directory, &arena, &error));
  double score[EPISODES], sum = 0, square = 0, below = 0, advantage = 0, entropy[HEAD_COUNT] = {0};
  double least = INFINITY, most = -INFINITY;  // of one feature
  int rows[HEAD_COUNT] = {0}, decisions = 0;
  for (int e = 0; e < EPISODES; e++) {
    Trajectory t;
    seal(&s, e, &arena);
    assert_true(sealed_read_episode(&t, &directory, &x, e, &arena, &error));
    score[e] = t.outcome.score;
    sum += score[e] / EPISODES;
    for (int i = 0; i < t.epochs; i++) {
      below += t.baseline_return[i] / t.epochs / EPISODES;
    }
    for (int d = 0; d < t.decisions; d++, decisions++) {
      advantage += t.advantage[d];
      least = fmin(least, t.features[d * FEATURE_COUNT + FEATURE_CRITIC_LOSS]);
      most = fmax(most, t.features[d * FEATURE_COUNT + FEATURE_CRITIC_LOSS]);
      for (int h = 0; h < HEAD_COUNT; h++) {
        double nats = t.entropy[d * HEAD_COUNT + h];
        entropy[h] += isnan(nats) ? 0 : nats;
        rows[h] += !isnan(nats);
      }
    }
  }
  for (int e = 0; e < EPISODES; e++) {
    square += (score[e] - sum) * (score[e] - sum) / EPISODES;
  }
  const StageResult* result;
  assert_true(scheduler_fold(&s, EPISODES, &result, &error) && result);
  assert_true(result->stage == 0 && result->first_episode == 0 && result->diverged == 0);
  assert_true(result->episodes == EPISODES && result->exploration == 0.5);
  assert_near(result->score, sum);
  assert_near(result->score_std, sqrt(square));
  assert_near(result->baseline_score, below);
  assert_near(result->advantage_mean, advantage / decisions);
  for (int h = 0; h < HEAD_COUNT; h++) {
    assert_true(rows[h] > 0);
    assert_near(result->entropy[h], entropy[h] / rows[h]);
  }
  FeatureRange seen;
  read_seen(&seen, &s);
  assert_true(seen.low[FEATURE_CRITIC_LOSS] == least && seen.high[FEATURE_CRITIC_LOSS] == most);
  scheduler_close(&s);
  scratch_directory_remove(&directory);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stage_is_told_as_its_hyper_episodes_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
