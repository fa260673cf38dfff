// Advantages from forks: who is a fork of whom, which rows come of it, and that they are right on
// average whatever luck a run has.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/ppo_forks.h"

#define K 3
#define FORKS 2
#define STAGE (K * (1 + FORKS))
#define DECISIONS 5

static PpoOptions options(const char* advantage) {
  PpoOptions o = {.episodes_per_update = K, .forks = FORKS};
  strcpy(o.advantage, advantage);
  return o;
}

static Trajectory trajectory(Arena* arena) {
  Trajectory t = {.decisions = DECISIONS};
  t.state = ARENA_NEW(arena, DECISIONS * FEATURE_COUNT, double);
  t.allowed = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, uint8_t);
  t.action = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, int8_t);
  t.logp = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, double);
  t.advantage = ARENA_NEW(arena, DECISIONS, double);
  return t;
}

static void forks_stand_behind_the_hyper_episodes_of_their_stage(void** state) {
  (void)state;
  PpoOptions o = options("fork");
  const int base[STAGE] = {0, 1, 2, 0, 1, 2, 0, 1, 2};
  int different = 0;
  assert_int_equal(ppo_stage_size(&o), STAGE);
  for (int stage = 0; stage < 50; stage++) {
    for (int i = 0; i < STAGE; i++) {
      int64_t e = (int64_t)stage * STAGE + i;
      PpoFork fork = ppo_fork_of(&o, 7, e, DECISIONS);
      PpoFork again = ppo_fork_of(&o, 7, e, DECISIONS);
      assert_int_equal(fork.base, stage * STAGE + base[i]);
      assert_true(i < K ? fork.decision == -1 : fork.decision >= 0 && fork.decision < DECISIONS);
      assert_int_equal(fork.decision, again.decision);
      different += fork.decision != ppo_fork_of(&o, 8, e, DECISIONS).decision;
    }
  }
  assert_true(different > 150);  // of 300; 240 are expected
  PpoOptions plain = options("return");
  assert_int_equal(ppo_stage_size(&plain), K);
  assert_int_equal(ppo_fork_of(&plain, 7, 11, DECISIONS).base, 11);
}

static void a_fork_gives_two_rows_whose_advantages_are_opposite(void** state) {
  (void)state;
  Arena arena;
  PpoOptions o = options("fork");
  Trajectory stage[STAGE];
  PpoData data;
  arena_init(&arena);
  for (int i = 0; i < STAGE; i++) {
    stage[i] = trajectory(&arena);
    for (int d = 0; d < DECISIONS; d++) {
      stage[i].advantage[d] = 100 * i + d;
      stage[i].action[d * HEAD_COUNT] = (int8_t)i;
      stage[i].state[d * FEATURE_COUNT] = d;
    }
  }
  stage[1].decisions = 0;  // diverged before its first decision
  ppo_forks_collect(&data, stage, &o, 7, 4 * STAGE, DECISIONS, &arena);
  assert_int_equal(data.count, 2 * (K - 1) * FORKS);
  for (int n = 0; n < data.count; n += 2) {
    int one = data.choices[n * HEAD_COUNT], other = data.choices[(n + 1) * HEAD_COUNT];
    int d = ppo_fork_of(&o, 7, 4 * STAGE + other, DECISIONS).decision;
    assert_int_equal(one, other % K);
    assert_true(data.advantage[n] == 100 * (one - other));
    assert_true(data.advantage[n + 1] == -data.advantage[n]);
    assert_true(data.states[n * FEATURE_COUNT] == d);
  }
  arena_free(&arena);
}

// One decision of three choices whose returns differ by 1, in runs whose luck has deviation 30.
static void they_are_right_on_average_and_free_of_luck(void** state) {
  (void)state;
  const double p[3] = {0.5, 0.3, 0.2}, q[3] = {1, 0, -1}, value = 0.3;
  enum { STAGES = 2000 };
  double sum[3] = {0}, squares[3] = {0};
  int count[3] = {0};
  PpoOptions o = options("fork");
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  for (int s = 0; s < STAGES; s++) {
    ArenaMark mark = arena_mark(&arena);
    Trajectory stage[STAGE];
    double luck[K];
    PpoData data;
    for (int i = 0; i < STAGE; i++) {
      stage[i] = trajectory(&arena);
      stage[i].decisions = 1;
      luck[i % K] = i < K ? 30 * rng_normal(&rng) : luck[i % K];
      double u = rng_uniform(&rng);
      int choice = u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
      stage[i].action[0] = (int8_t)choice;
      stage[i].advantage[0] = luck[i % K] + q[choice];
    }
    ppo_forks_collect(&data, stage, &o, 7, (int64_t)s * STAGE, 1, &arena);
    for (int n = 0; n < data.count; n++) {
      int choice = data.choices[n * HEAD_COUNT];
      sum[choice] += data.advantage[n];
      squares[choice] += data.advantage[n] * data.advantage[n];
      count[choice]++;
    }
    arena_release(&arena, mark);
  }
  for (int c = 0; c < 3; c++) {
    double mean = sum[c] / count[c];
    double error = sqrt((squares[c] / count[c] - mean * mean) / count[c]);
    assert_true(error < 0.02);  // that of returns were 30 / sqrt(4000) = 0.5
    // rows of a stage are not independent: those of one hyper-episode share its choice
    assert_true(fabs(mean - (q[c] - value)) < 8 * error);
  }
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forks_stand_behind_the_hyper_episodes_of_their_stage),
      cmocka_unit_test(a_fork_gives_two_rows_whose_advantages_are_opposite),
      cmocka_unit_test(they_are_right_on_average_and_free_of_luck),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
