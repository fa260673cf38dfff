// bench_mbpo.c - the whole loop of MBPO after its exploration, for a number of real steps.
//
// The loop is mbpo_advance itself, on the configured task; the clock starts when exploration and
// the first evaluation are over. A repeat is a run of its own, with its own streams, from
// exploration on.
//
// It reports seconds for a thousand real steps, which depend on how many updates and model steps
// these were; hence also the seconds for a thousand of each. There is no floor: the parts have
// theirs.
#include <math.h>

#include "base/stopwatch.h"
#include "bench_internal.h"
#include "mbpo/mbpo.h"

typedef struct {
  double seconds, wall;       // processor time, and by the clock on the wall
  double updating, stepping;  // of it, in SAC updates and gradient steps alone
  MbpoTimes times;            // of it, by part
  MbpoEpoch counts;           // its sums
} Loop;

static void add_counts(MbpoEpoch* sum, const MbpoEpoch* counts) {
  sum->sac_updates += counts->sac_updates;
  sum->model_trainings += counts->model_trainings;
  sum->model_epochs += counts->model_epochs;
  sum->model_steps += counts->model_steps;
}

static MbpoTimes times_between(const MbpoTimes* start, const MbpoTimes* end) {
  return (MbpoTimes){.env = end->env - start->env,
                     .model_train = end->model_train - start->model_train,
                     .rollout = end->rollout - start->rollout,
                     .sac = end->sac - start->sac,
                     .evaluate = end->evaluate - start->evaluate};
}

// Real steps are done: what is left is the evaluation at the end of an epoch, if one ends here.
static bool at_end(const Mbpo* m, int64_t last) {
  return m->env_step >= last && m->phase != MBPO_EVALUATE;
}

static bool run_loop(Loop* loop, Mbpo* m, int steps, Error* error) {
  MbpoEvent event = MBPO_STEPPED;
  while (m->phase == MBPO_EXPLORE || m->phase == MBPO_BEGIN) {
    event = mbpo_advance(m);
  }
  double processor = clock_processor(), wall = clock_wall();
  int64_t last = m->env_step + steps;
  MbpoTimes start = m->times;
  *loop = (Loop){0};
  while (!at_end(m, last) && event != MBPO_DIVERGED) {
    event = mbpo_advance(m);
    if (event == MBPO_EPOCH_END) {
      add_counts(&loop->counts, &m->result);
    }
  }
  add_counts(&loop->counts, &m->running);
  loop->seconds = clock_processor() - processor;
  loop->wall = clock_wall() - wall;
  loop->times = times_between(&start, &m->times);
  const SacTimes* sac = &m->sac.times;
  const EnsembleTimes* model = &m->ensemble.times;
  loop->updating = sac->targets + sac->critics + sac->policy + sac->adam;
  loop->stepping = model->forward + model->loss + model->backward + model->adam;
  return event != MBPO_DIVERGED || error_set(error, "the run diverged after %lld real steps",
                                             (long long)m->env_step);
}

static bool run_once(Loop* loop, const BenchSetup* setup, int repeat, Arena* arena, Error* error) {
  const RunSpec* x = setup->spec;
  Mbpo mbpo;
  MbpoSetup mbpo_setup = {.task = x->task,
                          .assets = x->assets,
                          .sac = &x->sac,
                          .model = &x->model,
                          .mbpo = &x->mbpo,
                          .epochs = 1 + setup->steps / x->mbpo.epoch_length,
                          .decision_interval = x->mbpo.epoch_length,
                          .max_rollout_length = x->hyper.rollout_length_max,
                          .seed = x->seed,
                          .hyper_episode = repeat,
                          .threads = x->threads};
  if (!mbpo_init(&mbpo, &mbpo_setup, arena, error)) {
    return false;
  }
  bool ok = run_loop(loop, &mbpo, setup->steps, error);
  mbpo_free(&mbpo);
  return ok;
}

static void report(BenchResult* result, const Loop* loop, int steps) {
  const MbpoTimes* t = &loop->times;
  const MbpoEpoch* c = &loop->counts;
  BenchItem parts[] = {{"environment", t->env},
                       {"model training", t->model_train},
                       {"rollout", t->rollout},
                       {"policy updates", t->sac},
                       {"evaluation", t->evaluate}};
  bench_add_shares(result, parts, sizeof parts / sizeof *parts);
  bench_add_figure(result, "wall_value", loop->wall * 1000 / steps);
  bench_add_figure(result, "real_steps", steps);
  bench_add_figure(result, "sac_updates", (double)c->sac_updates);
  bench_add_figure(result, "model_trainings", (double)c->model_trainings);
  bench_add_figure(result, "model_epochs", (double)c->model_epochs);
  bench_add_figure(result, "model_steps", (double)c->model_steps);
  bench_add_figure(result, "s_per_1000_sac_updates", loop->updating * 1e3 / (double)c->sac_updates);
  bench_add_figure(result, "s_per_1000_model_steps", loop->stepping * 1e3 / (double)c->model_steps);
}

bool bench_mbpo(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  Loop loop = {0};
  *result = (BenchResult){.unit = "s/1000 real steps",
                          .batch = setup->spec->sac.batch_size,
                          .floor = NAN,
                          .repeats = setup->repeats};
  double* seconds = ARENA_NEW(arena, setup->repeats, double);
  for (int r = 0; r < setup->repeats; r++) {
    ArenaMark mark = arena_mark(arena);
    if (!run_once(&loop, setup, r, arena, error)) {
      return false;
    }
    seconds[r] = loop.seconds * 1000 / setup->steps;
    arena_release(arena, mark);
  }
  result->value = measure_median(&result->spread, seconds, setup->repeats);
  report(result, &loop, setup->steps);
  return true;
}
