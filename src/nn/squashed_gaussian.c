// squashed_gaussian.c - draws, densities and gradients of tanh of a Gaussian.
//
// Actions have few columns, so the elements (b, a) are worked on as one long row: a chunk of them
// is gathered from the head's two halves into arrays, calculated vector by vector, and put back.
// The sums over a, of which a density is made, are scalar, and in the order of a whatever the width
// of a vector.
//
// Forward keeps nothing: backward calculates the slope of log_std again from the head and the
// noise, which costs an exponential and spares an array in every tape. The density of an action
// that was not drawn here needs its atanh, which does not exist at the edge: such actions are
// pulled inside first (docs/algorithms.md, D3).
#include "nn/squashed_gaussian.h"

#include <math.h>
#include <stdbool.h>

#include "base/vector_math.h"

#define CHUNK 128  // elements; a multiple of every LANES
#define LOG_2 ((Real)0.693147180559945309417232)
#define HALF_LOG_2PI ((Real)0.918938533204672741780330)

// Elements first ... first + count - 1 of all (b, a). Beyond `count` the arrays hold what was
// there, which is finite and is never stored.
typedef struct {
  int first;
  int count;
  Real mean[CHUNK];
  Real log_std[CHUNK];  // as the network gave it
  Real noise[CHUNK];
  Real act[CHUNK];
  Real logp[CHUNK];     // each element's part
} Chunk;

static Vector clamp(Vector x, Real low, Real high) {
  return vector_min(vector_max(x, vector_fill(low)), vector_fill(high));
}

// Moves on to the next chunk; false after the last.
static bool next_chunk(Chunk* chunk, const Real* head, int B, int A) {
  chunk->first += chunk->count;
  int left = B * A - chunk->first;
  chunk->count = left < CHUNK ? left : CHUNK;
  int b = chunk->first / A;
  int a = chunk->first % A;
  for (int i = 0; i < chunk->count; i++) {
    chunk->mean[i] = head[b * 2 * A + a];
    chunk->log_std[i] = head[b * 2 * A + A + a];
    if (++a == A) {
      a = 0;
      b++;
    }
  }
  return chunk->count > 0;
}

// Copies the chunk's elements of an array (B, A).
static void gather(Real* to, const Real* from, const Chunk* chunk) {
  memcpy(to, from + chunk->first, (size_t)chunk->count * sizeof(Real));
}

static void scatter(Real* to, const Real* from, const Chunk* chunk) {
  memcpy(to + chunk->first, from, (size_t)chunk->count * sizeof(Real));
}

// logp (B) += the chunk's parts.
static void add_logp(Real* logp, const Chunk* chunk, int A) {
  for (int i = 0; i < chunk->count; i++) {
    logp[(chunk->first + i) / A] += chunk->logp[i];
  }
}

// log-density of tanh(u), where u is `noise` deviations of exp(log_std) from its mean.
static inline Vector log_density(Vector noise, Vector log_std, Vector u) {
  Vector gaussian = noise * noise * (Real)-0.5 - log_std - HALF_LOG_2PI;
  return gaussian - 2 * (LOG_2 - u - vector_softplus(-2 * u));
}

static void forward_chunk(Chunk* chunk) {
  for (int i = 0; i < chunk->count; i += LANES) {
    Vector noise = vector_load(chunk->noise + i);
    Vector log_std = clamp(vector_load(chunk->log_std + i), LOG_STD_MIN, LOG_STD_MAX);
    Vector u = vector_fma(vector_exp(log_std), noise, vector_load(chunk->mean + i));
    vector_store(chunk->act + i, vector_tanh(u));
    vector_store(chunk->logp + i, log_density(noise, log_std, u));
  }
}

void squashed_gaussian_forward(Real* act, Real* logp, const Real* head, const Real* noise, int B,
                               int A) {
  if (logp) {
    memset(logp, 0, (size_t)B * sizeof(Real));
  }
  Chunk chunk = {0};
  while (next_chunk(&chunk, head, B, A)) {
    gather(chunk.noise, noise, &chunk);
    forward_chunk(&chunk);
    scatter(act, chunk.act, &chunk);
    if (logp) {
      add_logp(logp, &chunk, A);
    }
  }
}

// exp(log_std) noise: how u moves with log_std inside the clamp.
static void log_std_slopes(Real* slope, const Chunk* chunk) {
  for (int i = 0; i < chunk->count; i += LANES) {
    Vector raw = vector_load(chunk->log_std + i);
    Vector log_std = clamp(raw, LOG_STD_MIN, LOG_STD_MAX);
    vector_store(slope + i, vector_exp(log_std) * vector_load(chunk->noise + i));
  }
}

void squashed_gaussian_backward(Real* d_head, const Real* d_act, const Real* d_logp,
                                const Real* act, const Real* noise, const Real* head, int B,
                                int A) {
  Chunk chunk = {0};
  Real slope[CHUNK];
  while (next_chunk(&chunk, head, B, A)) {
    gather(chunk.noise, noise, &chunk);
    log_std_slopes(slope, &chunk);
    for (int i = 0; i < chunk.count; i++) {
      int b = (chunk.first + i) / A;
      Real* d_mean = d_head + chunk.first + i + b * A;
      // d_u: through the action, and through the tanh term of logp, whose slope is 2 act
      Real y = act[chunk.first + i];
      Real d_u = d_act[chunk.first + i] * (1 - y * y) + d_logp[b] * 2 * y;
      bool inside = chunk.log_std[i] > LOG_STD_MIN && chunk.log_std[i] < LOG_STD_MAX;
      d_mean[0] = d_u;
      d_mean[A] = inside ? d_u * slope[i] - d_logp[b] : 0;
    }
  }
}

void squashed_gaussian_mean(Real* act, const Real* head, int B, int A) {
  Chunk chunk = {0};
  while (next_chunk(&chunk, head, B, A)) {
    for (int i = 0; i < chunk.count; i += LANES) {
      vector_store(chunk.act + i, vector_tanh(vector_load(chunk.mean + i)));
    }
    scatter(act, chunk.act, &chunk);
  }
}

void squashed_gaussian_logp(Real* logp, const Real* head, const Real* act, int B, int A) {
  const double limit = 1 - 1e-6;  // docs/algorithms.md, D3
  memset(logp, 0, (size_t)B * sizeof(Real));
  Chunk chunk = {0};
  Real u[CHUNK] = {0};
  while (next_chunk(&chunk, head, B, A)) {
    for (int i = 0; i < chunk.count; i++) {
      double y = (double)act[chunk.first + i], size = fmin(fabs(y), limit);
      u[i] = (Real)copysign(log1p(2 * size / (1 - size)) / 2, y);  // atanh
    }
    for (int i = 0; i < chunk.count; i += LANES) {
      Vector log_std = clamp(vector_load(chunk.log_std + i), LOG_STD_MIN, LOG_STD_MAX);
      Vector noise = (vector_load(u + i) - vector_load(chunk.mean + i)) * vector_exp(-log_std);
      vector_store(chunk.logp + i, log_density(noise, log_std, vector_load(u + i)));
    }
    add_logp(logp, &chunk, A);
  }
}
