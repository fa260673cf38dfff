#include "mbpo/sizes.h"

#include <math.h>

bool mbpo_uses_model(const MbpoOptions* o, MbpoScheduled scheduled) {
  return o->real_ratio < 1 || scheduled.real_ratio;
}

void mbpo_own_schedule(double out[4], const MbpoOptions* o, int epoch) {
  bool model = mbpo_uses_model(o, (MbpoScheduled){0});
  out[0] = model ? (double)o->epoch_length / o->train_interval : 0;
  out[1] = o->real_ratio;
  out[2] = o->policy_updates;
  out[3] = mbpo_scheduled_rollout_length(o, epoch);
}

int mbpo_scheduled_rollout_length(const MbpoOptions* options, int epoch) {
  const double* s = options->rollout_schedule.value;
  if (epoch <= s[0]) {
    return (int)s[2];
  }
  double done = s[1] > s[0] ? fmin(1.0, (epoch - s[0]) / (s[1] - s[0])) : 1.0;
  return (int)(s[2] + done * (s[3] - s[2]));
}

int mbpo_real_in_batch(int batch_size, double real_ratio) {
  return (int)(batch_size * real_ratio);
}

int mbpo_times_per_epoch(const MbpoOptions* o, int interval) {
  return (o->epoch_length + interval - 1) / interval;
}

int64_t mbpo_imagined_rows(const MbpoOptions* o, int rollout_length) {
  double rows = (double)rollout_length * o->rollouts * o->retain_epochs *
                mbpo_times_per_epoch(o, o->rollout_interval);
  return rows < 0x1p53 ? (int64_t)fmax(rows, 1) : INT64_C(1) << 53;
}

int mbpo_path_limit(const MbpoOptions* o, const EnvSpec* spec) {
  return o->max_path_length < spec->time_limit ? o->max_path_length : spec->time_limit;
}

int64_t mbpo_most_steps(const MbpoOptions* o, int epochs) {
  return (int64_t)o->exploration_steps - 1 + o->max_path_length + (int64_t)epochs * o->epoch_length;
}

int64_t mbpo_most_updates(const MbpoOptions* o, int policy_updates, int epochs) {
  return (int64_t)epochs * o->epoch_length * policy_updates;
}

MbpoBytes mbpo_bytes(const MbpoSetup* setup, const EnvSpec* spec) {
  int O = spec->obs_size;
  int A = spec->act_size;
  MbpoOptions o = *setup->mbpo;
  o.max_path_length = mbpo_path_limit(&o, spec);
  double most = (double)mbpo_most_steps(&o, setup->epochs);
  double rows = fmin(most, o.env_buffer);
  double batch = setup->sac->batch_size * (2.0 * O + 3.0 * A + 2) * sizeof(Real);
  MbpoBytes bytes = {
      .real = rows * replay_row_bytes(O, A) + most * sizeof(int64_t),
      .fixed = sac_bytes(setup->sac, O, A) + batch + o.max_path_length * replay_row_bytes(O, A)};
  if (mbpo_uses_model(setup->mbpo, setup->scheduled)) {
    bytes.real += rows * ensemble_row_bytes(setup->model, O, A);
    int k = setup->max_rollout_length;
    bytes.imagined = imagined_bytes(O, A, (double)mbpo_imagined_rows(&o, k), k);
    bytes.fixed += ensemble_bytes(setup->model, O, A) + rollout_scratch_bytes(O, A);
  }
  return bytes;
}
