// floor.c - SAC, the ensemble and a rollout, with everything removed but the matrix products and
// Adam.
//
// A FloorNet has the shapes of a network and random numbers in it. Forward and backward multiply
// layer by layer, each reading what the last one wrote, as a trainer's do, and count their
// operations. What is left out (activations, losses, noise, drawing of batches) is what a trainer
// adds to its products; the ratio of the two is how well it does that.
//
// Products are plain calls of the BLAS, one after the other: what a program without kernels of its
// own would do. Adam's loop steps by next to nothing, so that thousands of repeats leave all
// numbers finite.
#include "bench/floor.h"

#include <tgmath.h>

#include "bench/blas.h"

// Small enough that thousands of steps on the same gradient change nothing that matters.
#define RATE ((Real)1e-9)

static void multiply(Floor* f, GemmKind kind, Real* C, const Real* A, const Real* B, int m, int n,
                     int k) {
  blas_gemm(kind, C, n, A, kind == GEMM_TN ? m : k, B, kind == GEMM_NT ? k : n, m, n, k);
  f->flop += 2.0 * m * n * k;
}

static Real* numbers(size_t count, Rng* rng, Arena* arena) {
  Real* x = ARENA_NEW(arena, count, Real);
  rng_fill_uniform(x, (int64_t)count, rng);
  for (size_t i = 0; i < count; i++) {
    x[i] = (x[i] - (Real)0.5) / 8;
  }
  return x;
}

static int largest(int a, int b) { return a > b ? a : b; }

static FloorNet net_of(const Mlp* mlp, Rng* rng, Arena* arena) {
  FloorNet net = {.layers = mlp->layers};
  for (int l = 0; l <= mlp->layers; l++) {
    net.width[l] = mlp->width[l];
  }
  for (int l = 0; l < net.layers; l++) {
    size_t size = (size_t)net.width[l] * (size_t)net.width[l + 1];
    net.weights[l] = numbers(size, rng, arena);
    net.d_weights[l] = numbers(size, rng, arena);
  }
  return net;
}

static int widest(const Mlp* mlp) {
  int width = 0;
  for (int l = 0; l <= mlp->layers; l++) {
    width = largest(width, mlp->width[l]);
  }
  return width;
}

static void init_buffers(Floor* f, int batch, int width, size_t parameters, size_t averaged,
                         Rng* rng, Arena* arena) {
  size_t size = (size_t)batch * (size_t)width;
  f->batch = batch;
  f->in = numbers(size, rng, arena);
  for (int i = 0; i < 3; i++) {
    for (int l = 0; l < MLP_MAX_LAYERS; l++) {
      f->act[i][l] = numbers(size, rng, arena);
    }
  }
  f->d_act[0] = numbers(size, rng, arena);
  f->d_act[1] = numbers(size, rng, arena);
  f->parameters = parameters;
  f->averaged = averaged;
  for (int i = 0; i < 5; i++) {
    f->adam[i] = numbers(parameters, rng, arena);
  }
}

void floor_init_sac(Floor* f, const Sac* sac, Rng* rng, Arena* arena) {
  *f = (Floor){.act_size = sac->act_size};
  f->policy = net_of(&sac->policy_net, rng, arena);
  for (int c = 0; c < 2; c++) {
    f->critics[c] = net_of(&sac->critic_net, rng, arena);
    f->targets[c] = net_of(&sac->critic_net, rng, arena);
  }
  init_buffers(f, sac->options.batch_size,
               largest(widest(&sac->policy_net), widest(&sac->critic_net)),
               sac->policy_net.size + sac->critic_net.size, sac->critic_net.size, rng, arena);
}

void floor_init_ensemble(Floor* f, const Ensemble* ensemble, Rng* rng, Arena* arena) {
  *f = (Floor){.members = ensemble->options.members};
  for (int e = 0; e < f->members; e++) {
    f->models[e] = net_of(&ensemble->net, rng, arena);
  }
  init_buffers(f, ensemble->options.batch_size, widest(&ensemble->net), ensemble->net.size, 0, rng,
               arena);
}

void floor_init_rollout(Floor* f, const Sac* sac, const Ensemble* ensemble, int rows, Rng* rng,
                        Arena* arena) {
  *f = (Floor){.members = ensemble->options.elites};
  f->policy = net_of(&sac->policy_net, rng, arena);
  for (int e = 0; e < f->members; e++) {
    f->models[e] = net_of(&ensemble->net, rng, arena);
  }
  init_buffers(f, rows, largest(widest(&sac->policy_net), widest(&ensemble->net)), 0, 0, rng,
               arena);
}

static void forward(Floor* f, const FloorNet* net, Real** act, int rows) {
  const Real* in = f->in;
  for (int l = 0; l < net->layers; l++) {
    multiply(f, GEMM_NN, act[l], in, net->weights[l], rows, net->width[l + 1], net->width[l]);
    in = act[l];
  }
}

// in_columns: of the input's gradient; 0 = none.
static void backward(Floor* f, const FloorNet* net, Real** act, bool weights, int in_columns) {
  const Real* d_out = act[net->layers - 1];
  for (int l = net->layers - 1; l >= 0; l--) {
    int in = net->width[l], out = net->width[l + 1];
    int columns = l > 0 ? in : in_columns;
    if (weights) {
      const Real* before = l > 0 ? act[l - 1] : f->in;
      multiply(f, GEMM_TN, net->d_weights[l], before, d_out, in, out, f->batch);
    }
    if (columns > 0) {
      multiply(f, GEMM_NT, f->d_act[l % 2], d_out, net->weights[l], f->batch, columns, out);
    }
    d_out = f->d_act[l % 2];
  }
}

static void adam(Floor* f) {
  Real* restrict w = f->adam[0], * restrict gradient = f->adam[1], * restrict first = f->adam[2];
  Real* restrict second = f->adam[3], * restrict average = f->adam[4];
  size_t start = f->parameters - f->averaged;
  for (size_t p = 0; p < f->parameters; p++) {
    first[p] = (Real)0.9 * first[p] + (Real)0.1 * gradient[p];
    second[p] = (Real)0.999 * second[p] + (Real)0.001 * gradient[p] * gradient[p];
    w[p] -= RATE * first[p] / (sqrt(second[p]) + (Real)1e-8);
  }
  for (size_t p = start; p < f->parameters; p++) {
    average[p] += (Real)0.005 * (w[p] - average[p]);
  }
}

void floor_sac_update(void* self) {
  Floor* f = self;
  forward(f, &f->policy, f->act[0], f->batch);
  for (int c = 0; c < 2; c++) {
    forward(f, &f->targets[c], f->act[1 + c], f->batch);
  }
  for (int c = 0; c < 2; c++) {
    forward(f, &f->critics[c], f->act[1 + c], f->batch);
  }
  for (int c = 0; c < 2; c++) {
    backward(f, &f->critics[c], f->act[1 + c], true, 0);
  }
  forward(f, &f->policy, f->act[0], f->batch);
  for (int c = 0; c < 2; c++) {
    forward(f, &f->critics[c], f->act[1 + c], f->batch);
  }
  for (int c = 0; c < 2; c++) {
    backward(f, &f->critics[c], f->act[1 + c], false, f->act_size);
  }
  backward(f, &f->policy, f->act[0], true, 0);
  adam(f);
}

// Forward and backward of each member in turn, so that its activations stay in the cache.
void floor_ensemble_step(void* self) {
  Floor* f = self;
  for (int e = 0; e < f->members; e++) {
    forward(f, &f->models[e], f->act[0], f->batch);
    backward(f, &f->models[e], f->act[0], true, 0);
  }
  adam(f);
}

void floor_rollout_step(void* self) {
  Floor* f = self;
  forward(f, &f->policy, f->act[0], f->batch);
  for (int e = 0; e < f->members; e++) {
    int first = e * f->batch / f->members, last = (e + 1) * f->batch / f->members;
    forward(f, &f->models[e], f->act[1], last - first);
  }
}
