// Speed of a SAC update and of an ensemble step, and how much of it is matrix products.
//
// The floor of each is its matrix products alone, at their true shapes and in order, through
// nn/gemm, plus one Adam pass. "share" = floor time / measured time.
// usage: sac_bench [obs act [seconds]]     default: 11 3 2 (Hopper)
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dynamics/ensemble.h"
#include "nn/gemm.h"
#include "sac/sac.h"

#define BATCH 256
#define ROWS 20000
#define MEMBERS 7

typedef struct {
  Arena arena;
  Rng rng;
  double seconds;
  Sac sac;
  Ensemble ensemble;
  Replay replay;
  Batch batch;
  Real* noise;      // (2, BATCH, A)
  Real* in;         // (E, BATCH, O + A)
  Real* target;     // (E, BATCH, 1 + O)
  Real* buffer[3];  // operands of the floor's products
} Bench;

// Processor time of this process, so that others on the machine disturb little.
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Shortest time of one call, over many calls: what disturbs only ever adds to it.
static double best_time(void (*run)(Bench*), Bench* bench) {
  double best = 1e9;
  double end = now() + bench->seconds;
  while (now() < end) {
    double start = now();
    run(bench);
    double time = now() - start;
    best = time < best ? time : best;
  }
  return best;
}

static void sac_step(Bench* bench) {
  SacLosses losses;
  sac_update(&losses, &bench->sac, &bench->batch, bench->noise,
             bench->noise + BATCH * bench->sac.act_size);
}

static void sac_step_with_data(Bench* bench) {
  replay_sample(&bench->batch, 0, BATCH, &bench->replay, &bench->rng);
  rng_fill_normal(bench->noise, 2 * BATCH * bench->sac.act_size, &bench->rng);
  sac_step(bench);
}

static void ensemble_steps(Bench* bench) {
  ensemble_step(&bench->ensemble, bench->in, bench->target, BATCH);
}

static void forward_products(const Mlp* net, Bench* bench) {
  for (int i = 0; i < net->members * net->layers; i++) {
    int l = i % net->layers;
    gemm_nn(bench->buffer[0], net->width[l + 1], bench->buffer[1], net->width[l],
            bench->buffer[2], net->width[l + 1], BATCH, net->width[l + 1], net->width[l]);
  }
}

// d_params: with the gradients of the weights; in_count: columns of the input's gradient.
static void backward_products(const Mlp* net, bool d_params, int in_count, Bench* bench) {
  for (int i = net->members * net->layers - 1; i >= 0; i--) {
    int l = i % net->layers;
    int width = l > 0 ? net->width[l] : in_count;
    if (d_params) {
      gemm_tn(bench->buffer[0], net->width[l + 1], bench->buffer[1], net->width[l],
              bench->buffer[2], net->width[l + 1], net->width[l], net->width[l + 1], BATCH);
    }
    if (width > 0) {
      gemm_nt(bench->buffer[0], width, bench->buffer[1], net->width[l + 1], bench->buffer[2],
              net->width[l + 1], BATCH, width, net->width[l + 1]);
    }
  }
}

static void sac_floor(Bench* bench) {
  Sac* sac = &bench->sac;
  forward_products(&sac->policy_net, bench);
  forward_products(&sac->critic_net, bench);
  forward_products(&sac->critic_net, bench);
  backward_products(&sac->critic_net, true, 0, bench);
  forward_products(&sac->policy_net, bench);
  forward_products(&sac->critic_net, bench);
  backward_products(&sac->critic_net, false, sac->act_size, bench);
  backward_products(&sac->policy_net, true, 0, bench);
  adam_step(&sac->policy_adam, sac->policy, sac->d_policy);
  adam_step_polyak(&sac->critic_adam, sac->critics, sac->d_critics, sac->targets, 0.005);
}

static void ensemble_floor(Bench* bench) {
  forward_products(&bench->ensemble.net, bench);
  backward_products(&bench->ensemble.net, true, 0, bench);
  adam_step(&bench->ensemble.adam, bench->ensemble.params, bench->ensemble.gradient);
}

static void one_epoch(Bench* bench) {
  EnsembleTraining training;
  ensemble_train(&training, &bench->ensemble, &bench->replay, &bench->rng);
}

static void fill_replay(Bench* bench, int obs_size, int act_size) {
  Real row[128];
  replay_init(&bench->replay, obs_size, act_size, ROWS);
  for (int i = 0; i < ROWS; i++) {
    rng_fill_normal(row, 128, &bench->rng);
    replay_add(&bench->replay, row, row + 50, row + 70, row[120], row[121] > 2, 0);
  }
}

static void set_up(Bench* bench, int obs_size, int act_size) {
  SacOptions sac = {
      .batch_size = BATCH,
      .hidden_size = 256,
      .hidden_layers = 2,
      .learning_rate = 3e-4,
      .discount = 0.99,
      .target_rate = 0.005,
      .initial_alpha = 1,
      .target_entropy = -1,
  };
  EnsembleOptions ensemble = {
      .members = MEMBERS,
      .elites = 5,
      .hidden_size = 200,
      .hidden_layers = 4,
      .learning_rate = 1e-3,
      .batch_size = BATCH,
      .weight_decay = 1,
      .holdout_ratio = 0.2,
      .holdout_limit = 5000,
      .patience = 5,
      .improvement = 0.01,
      .max_epochs = 1,
  };
  int in_size = obs_size + act_size;
  gemm_init();
  arena_init(&bench->arena);
  bench->rng = rng_stream(1, 0, RNG_TEST, 0);
  fill_replay(bench, obs_size, act_size);
  sac_init(&bench->sac, &sac, obs_size, act_size, &bench->rng, &bench->arena);
  ensemble_init(&bench->ensemble, &ensemble, obs_size, act_size, ROWS, &bench->rng,
                &bench->arena);
  batch_init(&bench->batch, BATCH, obs_size, act_size, &bench->arena);
  bench->noise = ARENA_NEW(&bench->arena, 2 * BATCH * act_size, Real);
  bench->in = ARENA_NEW(&bench->arena, MEMBERS * BATCH * in_size, Real);
  bench->target = ARENA_NEW(&bench->arena, MEMBERS * BATCH * (1 + obs_size), Real);
  rng_fill_normal(bench->in, MEMBERS * BATCH * in_size, &bench->rng);
  rng_fill_normal(bench->target, MEMBERS * BATCH * (1 + obs_size), &bench->rng);
  for (int i = 0; i < 3; i++) {
    bench->buffer[i] = ARENA_NEW(&bench->arena, 512 * 512, Real);
    rng_fill_normal(bench->buffer[i], 512 * 512, &bench->rng);
  }
}

static void print_line(const char* name, double time, double floor) {
  printf("%-34s %8.3f ms %9.1f /s", name, 1e3 * time, 1 / time);
  printf(floor > 0 ? "   floor %.3f ms, share %.2f\n" : "\n", 1e3 * floor, floor / time);
}

int main(int count, char** arguments) {
  static Bench bench;
  int obs_size = count > 2 ? atoi(arguments[1]) : 11;
  int act_size = count > 2 ? atoi(arguments[2]) : 3;
  bench.seconds = count > 3 ? atof(arguments[3]) : 2;
  if (obs_size < 1 || obs_size > 50 || act_size < 1 || act_size > 20) {
    fprintf(stderr, "usage: sac_bench [obs act [seconds]]   obs <= 50, act <= 20\n");
    return 2;
  }
  set_up(&bench, obs_size, act_size);
  printf("%s, obs %d, act %d, batch %d\n", gemm_description(), obs_size, act_size, BATCH);
  double floor = best_time(sac_floor, &bench);
  sac_step_with_data(&bench);
  print_line("SAC update", best_time(sac_step, &bench), floor);
  print_line("SAC update, batch and noise drawn", best_time(sac_step_with_data, &bench), floor);
  floor = best_time(ensemble_floor, &bench);
  print_line("ensemble step (7 members)", best_time(ensemble_steps, &bench), floor);
  double epoch = best_time(one_epoch, &bench);
  print_line("ensemble epoch, 16000 + 4000 rows", epoch, 0);
  print_line("  per step", epoch / 63, floor);
  ensemble_free(&bench.ensemble);
  replay_free(&bench.replay);
  arena_free(&bench.arena);
  return 0;
}
