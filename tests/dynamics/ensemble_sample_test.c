// Predictions of the ensemble: rows, members and their order.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ensemble_fixture.h"

#define COUNT 1050  // about 262 a member: one full chunk and a few rows

typedef struct {
  Real obs[COUNT * OBS];
  Real act[COUNT * ACT];
  Real noise[COUNT * TARGET];
  Real next_obs[COUNT * OBS];
  Real rew[COUNT];
  int32_t member[COUNT];
} Rows;

static void copy_permuted(Rows* out, const Rows* in, const int32_t* order) {
  for (int b = 0; b < COUNT; b++) {
    int from = order[b];
    memcpy(out->obs + b * OBS, in->obs + from * OBS, OBS * sizeof(Real));
    memcpy(out->act + b * ACT, in->act + from * ACT, ACT * sizeof(Real));
    memcpy(out->noise + b * TARGET, in->noise + from * TARGET, TARGET * sizeof(Real));
    out->member[b] = in->member[from];
  }
}

static void sample_rows(Rows* rows, Ensemble* ensemble) {
  ensemble_sample(rows->next_obs, rows->rew, ensemble, rows->obs, rows->act, rows->member,
                  rows->noise, COUNT);
}

static void samples_do_not_depend_on_the_order_of_rows(void** state) {
  (void)state;
  static Rows rows;
  static Rows permuted;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&f, &options);
  train(&f);
  int32_t order[COUNT];
  rng_fill_normal(rows.obs, COUNT * OBS, &f.rng);
  rng_fill_normal(rows.act, COUNT * ACT, &f.rng);
  rng_fill_normal(rows.noise, COUNT * TARGET, &f.rng);
  rng_fill_below(rows.member, COUNT, options.members, &f.rng);
  for (int b = 0; b < COUNT; b++) {
    order[b] = b;
  }
  rng_shuffle(order, COUNT, &f.rng);
  copy_permuted(&permuted, &rows, order);
  sample_rows(&rows, &f.ensemble);
  sample_rows(&permuted, &f.ensemble);
  for (int b = 0; b < COUNT; b++) {
    assert_true(permuted.rew[b] == rows.rew[order[b]]);
    assert_memory_equal(permuted.next_obs + b * OBS, rows.next_obs + order[b] * OBS,
                        OBS * sizeof(Real));
  }
  tear_down(&f);
}

static void each_row_is_predicted_by_its_own_member(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&f, &options);
  train(&f);
  enum { count = 5 };
  Real obs[count * OBS];
  Real act[count * ACT] = {0};
  Real in[count * (OBS + ACT)] = {0};
  Real noise[count * TARGET] = {0};
  Real next_obs[count * OBS];
  Real rew[count];
  int32_t member[count] = {3, 0, 2, 0, 1};
  rng_fill_normal(obs, count * OBS, &f.rng);
  for (int b = 0; b < count; b++) {
    memcpy(in + b * (OBS + ACT), obs + b * OBS, OBS * sizeof(Real));
  }
  scaler_apply(in, in, &f.ensemble.scaler, count);
  MlpTape tape;
  mlp_tape_init(&tape, &f.ensemble.net, count, false, &f.arena);
  mlp_forward(&tape, &f.ensemble.net, f.ensemble.params, in, true, count);
  ensemble_sample(next_obs, rew, &f.ensemble, obs, act, member, noise, count);
  for (int b = 0; b < count; b++) {
    const Real* head = tape.out + (member[b] * count + b) * 2 * TARGET;
    assert_true(fabs((double)(rew[b] - head[0])) < 1e-5);
    for (int o = 0; o < OBS; o++) {
      assert_true(fabs((double)(next_obs[b * OBS + o] - obs[b * OBS + o] - head[1 + o])) < 1e-5);
    }
  }
  tear_down(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_do_not_depend_on_the_order_of_rows),
      cmocka_unit_test(each_row_is_predicted_by_its_own_member),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
