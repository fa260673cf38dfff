#include "mbpo/evaluate.h"

#include <math.h>

static bool episode(double* total, int32_t* length, double* obs, Real* policy_obs, Real* act,
                    Sac* sac, Env* env, int limit, Rng* rng) {
  *total = 0;
  *length = 0;
  env_reset(env, obs, rng);
  while (*length < limit) {
    for (int o = 0; o < env->spec.obs_size; o++) {
      policy_obs[o] = (Real)obs[o];
    }
    sac_act_mean(act, sac, policy_obs, 1);
    EnvStep step = env_step_normalized(env, obs, act);
    *total += step.reward;
    (*length)++;
    if (step.diverged) {
      return false;
    }
    if (step.terminated) {
      break;
    }
  }
  return isfinite(*total);
}

bool evaluate_policy(double* returns, int32_t* lengths, Sac* sac, Env* env, int episodes, int limit,
                     Rng* rng, Arena* scratch) {
  ArenaMark mark = arena_mark(scratch);
  double* obs = ARENA_NEW(scratch, env->spec.obs_size, double);
  Real* policy_obs = ARENA_NEW(scratch, env->spec.obs_size, Real);
  Real* act = ARENA_NEW(scratch, env->spec.act_size, Real);
  bool ok = true;
  for (int i = 0; i < episodes && ok; i++) {
    ok = episode(&returns[i], &lengths[i], obs, policy_obs, act, sac, env, limit, rng);
  }
  arena_release(scratch, mark);
  return ok;
}
