// transitions.c - all real transitions of a run, in the layout of offline data sets.
//
// The rows are gathered from the buffer of whole episodes and from the episode that still runs, in
// the order in which they were made, and turned from the program's form (actions in [-1, 1], one
// row each) into columns with episode ends, actions in the task's own units, and terminated and
// truncated apart.
//
// The last rows of a run were never trained on, so what the final model predicts for them is an
// honest sample of its error: the mean of the best elite, no noise, is compared with what happened.
#include "hyper/transitions.h"

#include <string.h>

typedef struct {
  int64_t rows, episodes;
  float* observations;        // (rows, O)
  float* actions;             // (rows, A) in the task's units
  float* rewards;             // (rows)
  uint8_t* terminated;        // (rows)
  uint8_t* truncated;         // (rows)
  int64_t* episode_ends;      // (episodes) one past the last row
  float* final_observations;  // (episodes, O)
} Transitions;

// A row of the buffer or of the running episode.
static const Real* row_at(const Mbpo* m, int64_t i) {
  return i < m->real.size ? replay_row(&m->real, i)
                          : real_episode_row(&m->episode, (int)(i - m->real.size));
}

static void copy_row(Transitions* t, const Mbpo* m, int64_t i) {
  const EnvSpec* spec = &m->env.spec;
  int O = spec->obs_size;
  int A = spec->act_size;
  const TransitionRow* layout = &m->real.row;
  const Real* row = row_at(m, i);
  const Real *obs = transition_obs(layout, row), *act = transition_act(layout, row);
  for (int o = 0; o < O; o++) {
    t->observations[i * O + o] = (float)obs[o];
  }
  for (int a = 0; a < A; a++) {
    double middle = (spec->act_high[a] + spec->act_low[a]) / 2;
    double half = (spec->act_high[a] - spec->act_low[a]) / 2;
    t->actions[i * A + a] = (float)(middle + half * (double)act[a]);
  }
  t->rewards[i] = (float)transition_rew(layout, row);
  t->terminated[i] = transition_terminated(layout, row);
}

// An episode's last row is row `end` - 1.
static void end_episode(Transitions* t, const Mbpo* m, int64_t end) {
  int O = m->sac.obs_size;
  const Real* next_obs = transition_next_obs(&m->real.row, row_at(m, end - 1));
  t->truncated[end - 1] = !t->terminated[end - 1];
  for (int o = 0; o < O; o++) {
    t->final_observations[t->episodes * O + o] = (float)next_obs[o];
  }
  t->episode_ends[t->episodes++] = end;
}

static void gather(Transitions* t, const Mbpo* m, Arena* arena) {
  const RealEpisode* episode = &m->episode;
  int64_t M = episode->ended + episode->running;
  int64_t entered = episode->ended > 0 ? episode->ends[episode->ended - 1] : 0;
  int64_t N = entered + (episode->running ? episode->length : 0);
  int O = m->sac.obs_size;
  CHECK(m->real.size == entered, "%lld of %lld transitions are left", (long long)m->real.size,
        (long long)entered);
  t->rows = N;
  t->episodes = 0;
  t->observations = ARENA_NEW(arena, N * O, float);
  t->actions = ARENA_NEW(arena, N * m->sac.act_size, float);
  t->rewards = ARENA_NEW(arena, N, float);
  t->terminated = ARENA_NEW(arena, N, uint8_t);
  t->truncated = ARENA_NEW(arena, N, uint8_t);
  t->episode_ends = ARENA_NEW(arena, M, int64_t);
  t->final_observations = ARENA_NEW(arena, M * O, float);
  for (int64_t i = 0; i < N; i++) {
    copy_row(t, m, i);
  }
  for (int64_t e = 0; e < episode->ended; e++) {
    end_episode(t, m, episode->ends[e]);
  }
  if (N > entered) {
    end_episode(t, m, N);
  }
}

void transitions_write(H5File* file, const Mbpo* m, Arena* scratch) {
  Transitions t;
  gather(&t, m, scratch);
  int64_t O = m->sac.obs_size;
  int64_t A = m->sac.act_size;
  const H5Column columns[] = {
      {"env/observations", H5_F32, t.rows, O, "task", "before the action"},
      {"env/actions", H5_F32, t.rows, A, "task", "in the task's own units"},
      {"env/rewards", H5_F32, t.rows, 0, "reward", "as the critics see it"},
      {"env/terminated", H5_BOOL, t.rows, 0, "1", "the task ended the episode"},
      {"env/truncated", H5_BOOL, t.rows, 0, "1", "the limit or the end of the run ended it"},
      {"env/episode_ends", H5_I64, t.episodes, 0, "row", "one past the last row of each episode"},
      {"env/final_observations", H5_F32, t.episodes, O, "task", "after each episode's last action"},
  };
  const void* data[] = {t.observations, t.actions,      t.rewards,           t.terminated,
                        t.truncated,    t.episode_ends, t.final_observations};
  h5_group(file, "env");
  h5_set_i64(file, "env", "count", t.rows);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    h5_write(file, &columns[i], data[i]);
  }
}

void transitions_write_errors(H5File* file, const Mbpo* m, Arena* scratch) {
  int64_t total = m->real.size + (m->episode.running ? m->episode.length : 0);
  int count = (int)(total - m->trained_rows);
  if (!m->uses_model || m->model_trainings == 0 || count <= 0) {
    return;
  }
  int O = m->sac.obs_size;
  int A = m->sac.act_size;
  Ensemble model = m->ensemble;
  Real* obs = ARENA_NEW(scratch, count * O, Real);
  Real* act = ARENA_NEW(scratch, count * A, Real);
  Real* predicted = ARENA_NEW(scratch, count * O, Real);
  Real* rew = ARENA_NEW(scratch, count, Real);
  Real* no_noise = ARENA_NEW(scratch, count * model.target_size, Real);
  int32_t* member = ARENA_NEW(scratch, count, int32_t);
  for (int i = 0; i < count; i++) {
    const Real* row = row_at(m, m->trained_rows + i);
    memcpy(obs + i * O, row, (size_t)O * sizeof(Real));
    memcpy(act + i * A, row + O, (size_t)A * sizeof(Real));
    member[i] = model.elites[0];
  }
  ensemble_sample(predicted, rew, &model, obs, act, member, no_noise, count);
  float* errors = ARENA_NEW(scratch, count * O, float);
  for (int i = 0; i < count; i++) {
    const Real* next_obs = row_at(m, m->trained_rows + i) + O + A;
    for (int o = 0; o < O; o++) {
      errors[i * O + o] = (float)(predicted[i * O + o] - next_obs[o]);
    }
  }
  const H5Column column = {"final/model/errors", H5_F32, count, O, "task",
                           "predicted minus real next observation, not seen in training"};
  h5_group(file, "final/model");
  h5_write(file, &column, errors);
}
