#include "hyper/ppo_forks.h"

#include <string.h>

static int forks(const PpoOptions* o) { return strcmp(o->advantage, "fork") == 0 ? o->forks : 0; }

int ppo_stage_size(const PpoOptions* o) { return o->episodes_per_update * (1 + forks(o)); }

PpoFork ppo_fork_of(const PpoOptions* o, uint64_t seed, int64_t e, int64_t decisions) {
  int64_t within = e % ppo_stage_size(o);
  int64_t base = e - within + within % o->episodes_per_update;
  if (base == e || decisions == 0) {
    return (PpoFork){base, -1};
  }
  Rng rng = rng_stream(seed, e, RNG_POPULATION, 0);
  return (PpoFork){base, (int)rng_below(&rng, decisions)};
}

static void add_row(PpoData* data, const Trajectory* t, int d, double advantage) {
  int n = data->count++;
  for (int f = 0; f < FEATURE_COUNT; f++) {
    data->states[n * FEATURE_COUNT + f] = (Real)t->state[d * FEATURE_COUNT + f];
  }
  memcpy(data->allowed + n * HEAD_COUNT, t->allowed + d * HEAD_COUNT, HEAD_COUNT);
  memcpy(data->choices + n * HEAD_COUNT, t->action + d * HEAD_COUNT, HEAD_COUNT);
  memcpy(data->logp + n * HEAD_COUNT, t->logp + d * HEAD_COUNT, HEAD_COUNT * sizeof(double));
  data->advantage[n] = advantage;
}

void ppo_forks_collect(PpoData* data, const Trajectory* trajectories, const PpoOptions* o,
                       uint64_t seed, int64_t first, int64_t decisions, Arena* arena) {
  int size = ppo_stage_size(o);
  ppo_data_init(data, 2 * (size - o->episodes_per_update), arena);
  data->count = 0;
  for (int i = o->episodes_per_update; i < size; i++) {
    PpoFork fork = ppo_fork_of(o, seed, first + i, decisions);
    const Trajectory *base = &trajectories[fork.base - first], *other = &trajectories[i];
    int d = fork.decision;
    if (d >= 0 && d < base->decisions && d < other->decisions) {
      double difference = base->advantage[d] - other->advantage[d];
      add_row(data, base, d, difference);
      add_row(data, other, d, -difference);
    }
  }
}
