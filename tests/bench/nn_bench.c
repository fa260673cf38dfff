// nn_bench - where the time of a SAC update and of an ensemble step goes, against their floor.
//
// The floor of a SAC update is its matrix products alone, at their true shapes and in their order,
// on OpenBLAS, and a plain loop for Adam and the targets' average: what a trainer without any
// elementwise work would take. An ensemble step's floor is made the same way.
// Usage: nn_bench [obs act hidden model_hidden batch]. Prints one JSON object a line. Times are
// milliseconds of this process's CPU time (so that a shared machine counts less): the least of many
// short repeats, all parts in turn.

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dynamics/ensemble.h"
#include "nn/gemm.h"
#include "sac/sac.h"

#define REPEATS 30
#define MEMBERS 7
#define MODEL_LAYERS 4

typedef void (*Multiply)(CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, int m, int n, int k, const Real* A,
                         const Real* B, Real* C);

// A network's products without anything else.
typedef struct {
  int layers;
  int width[MLP_MAX_LAYERS + 1];
  Real* weights[MLP_MAX_LAYERS];
  Real* d_weights[MLP_MAX_LAYERS];
  Real* act[MLP_MAX_LAYERS + 1];  // act[0] is the input
  Real* d_act[2];
} Net;

typedef struct {
  int obs, act, hidden, model_hidden, batch;
  Arena arena;
  Multiply multiply;
  Net policy;
  Net critics[2];
  Net targets[2];
  Net models[MEMBERS];
  Sac sac;
  Batch transitions;
  Real* noise;
  Real* next_noise;
  Rng rng;
  Ensemble ensemble;
  Real* model_in;
  Real* model_target;
  Real* adam[5];     // parameters, gradient, two moments, targets
  size_t adam_size;
  size_t adam_targets;
} Bench;

static double cpu_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static Real* numbers(Bench* bench, size_t count) {
  Real* x = ARENA_NEW(&bench->arena, count, Real);
  rng_fill_uniform(x, (int64_t)count, &bench->rng);
  for (size_t i = 0; i < count; i++) {
    x[i] = (x[i] - (Real)0.5) / 8;
  }
  return x;
}

static void blas_multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k,
                          const Real* A, const Real* B, Real* C) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, A, ta == CblasTrans ? m : k, B,
              tb == CblasTrans ? k : n, 0, C, n);
}

static void own_multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k,
                         const Real* A, const Real* B, Real* C) {
  if (ta == CblasTrans) {
    gemm_tn(C, n, A, m, B, n, m, n, k);
  } else if (tb == CblasTrans) {
    gemm_nt(C, n, A, k, B, k, m, n, k);
  } else {
    gemm_nn(C, n, A, k, B, n, m, n, k);
  }
}

static Net net_make(Bench* bench, int in, int hidden, int hidden_layers, int out) {
  Net net = {.layers = hidden_layers + 1};
  size_t B = (size_t)bench->batch;
  for (int l = 0; l <= net.layers; l++) {
    net.width[l] = l == 0 ? in : l < net.layers ? hidden : out;
    net.act[l] = numbers(bench, B * (size_t)net.width[l]);
  }
  for (int l = 0; l < net.layers; l++) {
    size_t size = (size_t)net.width[l] * (size_t)net.width[l + 1];
    net.weights[l] = numbers(bench, size);
    net.d_weights[l] = numbers(bench, size);
  }
  for (int i = 0; i < 2; i++) {
    net.d_act[i] = numbers(bench, B * (size_t)(hidden > in ? hidden : in));
  }
  return net;
}

static void net_forward(const Bench* bench, Net* net) {
  for (int l = 0; l < net->layers; l++) {
    bench->multiply(CblasNoTrans, CblasNoTrans, bench->batch, net->width[l + 1], net->width[l],
                    net->act[l], net->weights[l], net->act[l + 1]);
  }
}

// in_count > 0: also the gradient of so many input columns.
static void net_backward(const Bench* bench, Net* net, bool weights, int in_count) {
  const Real* d_after = net->act[net->layers];
  for (int l = net->layers - 1; l >= 0; l--) {
    int in = net->width[l], out = net->width[l + 1];
    if (weights) {
      bench->multiply(CblasTrans, CblasNoTrans, in, out, bench->batch, net->act[l], d_after,
                      net->d_weights[l]);
    }
    int columns = l > 0 ? in : in_count;
    if (columns > 0) {
      bench->multiply(CblasNoTrans, CblasTrans, bench->batch, columns, out, d_after,
                      net->weights[l], net->d_act[l % 2]);
    }
    d_after = net->d_act[l % 2];
  }
}

static void sac_products(Bench* bench) {
  net_forward(bench, &bench->policy);
  for (int c = 0; c < 2; c++) {
    net_forward(bench, &bench->targets[c]);
    net_forward(bench, &bench->critics[c]);
    net_backward(bench, &bench->critics[c], true, 0);
  }
  net_forward(bench, &bench->policy);
  for (int c = 0; c < 2; c++) {
    net_forward(bench, &bench->critics[c]);
    net_backward(bench, &bench->critics[c], false, bench->act);
  }
  net_backward(bench, &bench->policy, true, 0);
}

static void model_products(Bench* bench) {
  for (int e = 0; e < MEMBERS; e++) {
    net_forward(bench, &bench->models[e]);
    net_backward(bench, &bench->models[e], true, 0);
  }
}

static void plain_adam(Bench* bench) {
  Real *params = bench->adam[0], *grad = bench->adam[1], *first = bench->adam[2];
  Real *second = bench->adam[3], *targets = bench->adam[4];
  for (size_t p = 0; p < bench->adam_size; p++) {
    first[p] = 0.9f * first[p] + 0.1f * grad[p];
    second[p] = 0.999f * second[p] + 0.001f * grad[p] * grad[p];
    params[p] -= 1e-9f * first[p] / (sqrtf(second[p]) + 1e-8f);
  }
  for (size_t p = 0; p < bench->adam_targets; p++) {
    targets[p] += 0.005f * (params[p] - targets[p]);
  }
}

static void sac_run(Bench* bench) {
  SacLosses losses;
  int64_t count = (int64_t)bench->batch * bench->act;
  rng_fill_normal(bench->noise, count, &bench->rng);
  rng_fill_normal(bench->next_noise, count, &bench->rng);
  sac_update(&losses, &bench->sac, &bench->transitions, bench->noise, bench->next_noise);
}

static void adam_run(Bench* bench) {
  Sac* sac = &bench->sac;
  adam_step(&sac->policy_adam, sac->policy, sac->d_policy);
  adam_step_polyak(&sac->critic_adam, sac->critics, sac->d_critics, sac->targets, 0.005);
}

static void head_run(Bench* bench) {
  const Net* policy = &bench->policy;
  squashed_gaussian_forward(bench->next_noise, bench->targets[0].act[3], policy->act[3],
                            bench->noise, bench->batch, bench->act);
}

static void noise_run(Bench* bench) {
  rng_fill_normal(bench->noise, (int64_t)bench->batch * bench->act, &bench->rng);
}

static void model_run(Bench* bench) {
  ensemble_step(&bench->ensemble, bench->model_in, bench->model_target, bench->batch);
}

static void sac_setup(Bench* bench) {
  int O = bench->obs, A = bench->act, B = bench->batch;
  size_t rows = (size_t)B;
  bench->policy = net_make(bench, O, bench->hidden, 2, 2 * A);
  for (int c = 0; c < 2; c++) {
    bench->critics[c] = net_make(bench, O + A, bench->hidden, 2, 1);
    bench->targets[c] = net_make(bench, O + A, bench->hidden, 2, 1);
  }
  SacOptions options = {.batch_size = B, .hidden_size = bench->hidden, .hidden_layers = 2,
                        .learning_rate = 3e-4, .discount = 0.99, .target_rate = 0.005,
                        .initial_alpha = 1, .target_entropy = -1};
  sac_init(&bench->sac, &options, O, A, &bench->rng, &bench->arena);
  bench->transitions = (Batch){.size = B, .obs = numbers(bench, rows * (size_t)O),
                               .act = numbers(bench, rows * (size_t)A),
                               .next_obs = numbers(bench, rows * (size_t)O),
                               .rew = numbers(bench, rows),
                               .terminated = ARENA_NEW(&bench->arena, rows, Real)};
  bench->noise = numbers(bench, rows * (size_t)A);
  bench->next_noise = numbers(bench, rows * (size_t)A);
  bench->adam_targets = bench->sac.critic_net.size;
  bench->adam_size = bench->sac.policy_net.size + bench->adam_targets;
  for (int i = 0; i < 5; i++) {
    bench->adam[i] = numbers(bench, bench->adam_size);
  }
}

static void model_setup(Bench* bench) {
  size_t rows = (size_t)MEMBERS * (size_t)bench->batch;
  int in = bench->obs + bench->act, D = bench->obs + 1;
  for (int e = 0; e < MEMBERS; e++) {
    bench->models[e] = net_make(bench, in, bench->model_hidden, MODEL_LAYERS, 2 * D);
  }
  EnsembleOptions options = {.members = MEMBERS, .elites = 5, .hidden_size = bench->model_hidden,
                             .hidden_layers = MODEL_LAYERS, .learning_rate = 1e-3,
                             .batch_size = bench->batch, .weight_decay = 1, .holdout_ratio = 0.2,
                             .holdout_limit = 5000, .patience = 5, .improvement = 0.01};
  ensemble_init(&bench->ensemble, &options, bench->obs, bench->act, 100000, &bench->rng,
                &bench->arena);
  bench->model_in = numbers(bench, rows * (size_t)in);
  bench->model_target = numbers(bench, rows * (size_t)D);
}

static void sac_products_blas(Bench* bench) {
  bench->multiply = blas_multiply;
  sac_products(bench);
}

static void sac_products_own(Bench* bench) {
  bench->multiply = own_multiply;
  sac_products(bench);
}

static void model_products_blas(Bench* bench) {
  bench->multiply = blas_multiply;
  model_products(bench);
}

static void model_products_own(Bench* bench) {
  bench->multiply = own_multiply;
  model_products(bench);
}

// What is timed, `calls` at a time.
typedef enum {
  SAC, SAC_BLAS, SAC_OWN, ADAM_FLOOR, ADAM, HEAD, NOISE, MODEL, MODEL_BLAS, MODEL_OWN, PARTS
} Part;

typedef struct {
  void (*run)(Bench*);
  int calls;
} Timed;

static const Timed timed[PARTS] = {
    [SAC] = {sac_run, 4},           [SAC_BLAS] = {sac_products_blas, 4},
    [SAC_OWN] = {sac_products_own, 4}, [ADAM_FLOOR] = {plain_adam, 10},
    [ADAM] = {adam_run, 10},        [HEAD] = {head_run, 100},
    [NOISE] = {noise_run, 100},     [MODEL] = {model_run, 2},
    [MODEL_BLAS] = {model_products_blas, 2}, [MODEL_OWN] = {model_products_own, 2},
};

// least[part] = milliseconds of one call.
static void measure(double least[PARTS], Bench* bench) {
  for (int part = 0; part < PARTS; part++) {
    least[part] = 1e9;
  }
  for (int r = 0; r < REPEATS; r++) {
    for (int part = 0; part < PARTS; part++) {
      double start = cpu_seconds();
      for (int i = 0; i < timed[part].calls; i++) {
        timed[part].run(bench);
      }
      least[part] = fmin(least[part], (cpu_seconds() - start) / timed[part].calls * 1e3);
    }
  }
}

int main(int count, char** values) {
  static Bench bench = {.obs = 11, .act = 3, .hidden = 256, .model_hidden = 200, .batch = 256};
  int* const sizes[] = {&bench.obs, &bench.act, &bench.hidden, &bench.model_hidden, &bench.batch};
  for (int i = 1; i < count && i <= 5; i++) {
    *sizes[i - 1] = atoi(values[i]);
  }
  arena_init(&bench.arena);
  bench.rng = rng_stream(1, 0, RNG_TEST, 0);
  gemm_init();
  openblas_set_num_threads(1);
  sac_setup(&bench);
  model_setup(&bench);
  double ms[PARTS];
  measure(ms, &bench);
  double floor = ms[SAC_BLAS] + ms[ADAM_FLOOR];
  printf("{\"name\": \"sac\", \"updates_s\": %.1f, \"floor_s\": %.1f, \"floor_ratio\": %.3f, "
         "\"ms\": %.3f, \"gemm_ms\": %.3f, \"gemm_openblas_ms\": %.3f, \"adam_ms\": %.3f, "
         "\"adam_floor_ms\": %.3f, \"head_ms\": %.4f, \"noise_ms\": %.4f}\n",
         1e3 / ms[SAC], 1e3 / floor, floor / ms[SAC], ms[SAC], ms[SAC_OWN], ms[SAC_BLAS], ms[ADAM],
         ms[ADAM_FLOOR], ms[HEAD], ms[NOISE]);
  printf("{\"name\": \"ensemble\", \"steps_s\": %.1f, \"ms\": %.3f, \"gemm_ms\": %.3f, "
         "\"gemm_openblas_ms\": %.3f, \"gemm_ratio\": %.3f}\n",
         1e3 / ms[MODEL], ms[MODEL], ms[MODEL_OWN], ms[MODEL_BLAS], ms[MODEL_BLAS] / ms[MODEL]);
  ensemble_free(&bench.ensemble);
  arena_free(&bench.arena);
  return 0;
}
