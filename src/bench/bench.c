#include "bench/bench.h"

#include <math.h>

#include "bench/peak.h"
#include "bench_internal.h"

static void fill_replay(Replay* replay, Rng* rng, Arena* arena) {
  ArenaMark mark = arena_mark(arena);
  int row = 2 * replay->row.obs_size + replay->row.act_size + 1;
  Real* numbers = ARENA_NEW(arena, row, Real);
  for (int64_t i = 0; i < replay->limit; i++) {
    rng_fill_normal(numbers, row, rng);
    Real* act = numbers + replay->row.obs_size;
    for (int a = 0; a < replay->row.act_size; a++) {
      act[a] = (Real)tanh((double)act[a]);
    }
    replay_add(replay, numbers, act, act + replay->row.act_size, numbers[row - 1], false, 0);
  }
  arena_release(arena, mark);
}

bool bench_data_open(BenchData* data, const BenchSetup* setup, Arena* arena, Error* error) {
  const RunSpec* x = setup->spec;
  if (!env_open(&data->env, x->task, x->assets, arena, error)) {
    return false;
  }
  data->rng = rng_stream(x->seed, 0, RNG_TEST, 0);
  replay_init(&data->replay, data->env.spec.obs_size, data->env.spec.act_size, BENCH_ROWS);
  fill_replay(&data->replay, &data->rng, arena);
  return true;
}

void bench_data_close(BenchData* data) {
  replay_free(&data->replay);
  env_close(&data->env);
}

void bench_add_figure(BenchResult* result, const char* name, double value) {
  CHECK(result->figure_count < BENCH_MAX_ITEMS, "more than %d figures", BENCH_MAX_ITEMS);
  result->figure[result->figure_count++] = (BenchItem){name, value};
}

void bench_add_network(BenchResult* result, const char* name, const Mlp* shape) {
  CHECK(result->network_count < BENCH_MAX_NETWORKS, "more than %d networks", BENCH_MAX_NETWORKS);
  result->network[result->network_count++] = (BenchNetwork){name, *shape};
}

void bench_add_shares(BenchResult* result, const BenchItem* seconds, int count) {
  double sum = 0;
  CHECK(count <= BENCH_MAX_ITEMS, "%d shares, at most %d", count, BENCH_MAX_ITEMS);
  for (int i = 0; i < count; i++) {
    sum += seconds[i].value;
  }
  result->share_count = count;
  for (int i = 0; i < count; i++) {
    result->share[i] = (BenchItem){seconds[i].name, sum > 0 ? seconds[i].value / sum : 0};
  }
}

void bench_rate(BenchResult* result, const BenchSetup* setup, const Timing* timing, double units) {
  result->value = units / timing->seconds;
  result->spread = timing->spread;
  result->repeats = setup->repeats;
  bench_add_figure(result, "wall_value", units / timing->wall);
}

void bench_floor(BenchResult* result, const Timing* floor, double units, double flop) {
  result->floor = units / floor->seconds;
  bench_add_figure(result, "mflop", flop * 1e-6);
  bench_add_figure(result, "gflops", flop * result->value * 1e-9);
  bench_add_figure(result, "floor_gflops", flop * result->floor * 1e-9);
}

void bench_peak(BenchResult* result, const Timing* peak, double gflops) {
  double most = peak_flop() / peak->seconds * 1e-9;
  bench_add_figure(result, "peak_gflops", most);
  bench_add_figure(result, "of_peak", gflops / most);
}
