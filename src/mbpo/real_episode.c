#include "mbpo/real_episode.h"

#include <string.h>

void real_episode_init(RealEpisode* episode, const EnvSpec* spec, int limit, int64_t steps,
                       Arena* arena) {
  *episode = (RealEpisode){.row = transition_row(spec->obs_size, spec->act_size), .limit = limit};
  episode->obs = ARENA_NEW(arena, spec->obs_size, double);
  episode->rows = ARENA_NEW(arena, (size_t)limit * (size_t)episode->row.size, Real);
  episode->most = steps;
  episode->ends = memory_reserve((size_t)steps * sizeof(int64_t));
}

void real_episode_free(RealEpisode* episode) {
  memory_unreserve(episode->ends, (size_t)episode->most * sizeof(int64_t));
}

void real_episode_begin(RealEpisode* episode, Env* env, Rng* rng) {
  if (!episode->running) {
    env_reset(env, episode->obs, rng);
    episode->running = true;
    episode->length = 0;
    episode->total = 0;
  }
}

void real_episode_policy_obs(Real* obs, const RealEpisode* episode) {
  for (int o = 0; o < episode->row.obs_size; o++) {
    obs[o] = (Real)episode->obs[o];
  }
}

const Real* real_episode_row(const RealEpisode* episode, int t) {
  return episode->rows + (size_t)t * (size_t)episode->row.size;
}

EnvStep real_episode_step(RealEpisode* episode, Env* env, const Real* act, Real logp) {
  Real* rows = episode->rows + (size_t)episode->length * (size_t)episode->row.size;
  TransitionFields row = transition_fields(&episode->row, rows);
  real_episode_policy_obs(row.obs, episode);
  transition_copy(row.act, act, episode->row.act_size);
  EnvStep step = env_step_normalized(env, episode->obs, act);
  real_episode_policy_obs(row.next_obs, episode);
  *row.rew = (Real)step.reward;
  *row.terminated = step.terminated ? 1 : 0;
  *row.logp = logp;
  episode->length++;
  episode->total += step.reward;
  return step;
}

bool real_episode_ended(RealEpisode* episode, const EnvStep* last, Replay* real) {
  if (!last->terminated && episode->length < episode->limit) {
    return false;
  }
  const TransitionRow* r = &episode->row;
  for (int t = 0; t < episode->length; t++) {
    const Real* row = real_episode_row(episode, t);
    replay_add(real, transition_obs(r, row), transition_act(r, row), transition_next_obs(r, row),
               transition_rew(r, row), transition_terminated(r, row), transition_logp(r, row));
  }
  int64_t before = episode->ended > 0 ? episode->ends[episode->ended - 1] : 0;
  CHECK(episode->ended < episode->most, "more than %lld episodes", (long long)episode->most);
  episode->ends[episode->ended++] = before + episode->length;
  episode->running = false;
  return true;
}

void real_episode_visit(RealEpisode* episode, Archive* archive) {
  archive_enter(archive, "real_episode");
  archive_i32(archive, "length", &episode->length, 1);
  archive_bool(archive, "running", &episode->running);
  archive_f64(archive, "total", &episode->total, 1);
  archive_f64(archive, "obs", episode->obs, (size_t)episode->row.obs_size);
  if (episode->length < 0 || episode->length > episode->limit) {
    archive_fail(archive, "episode length %d, expected 0 to %d", episode->length, episode->limit);
  } else {
    archive_real(archive, "rows", episode->rows,
                 (size_t)episode->length * (size_t)episode->row.size);
  }
  archive_i64(archive, "ended", &episode->ended, 1);
  if (episode->ended < 0 || episode->ended > episode->most) {
    archive_fail(archive, "%lld episodes, expected 0 to %lld", (long long)episode->ended,
                 (long long)episode->most);
  } else {
    archive_i64(archive, "ends", episode->ends, (size_t)episode->ended);
  }
  archive_leave(archive);
}
