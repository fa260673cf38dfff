// rng.h - counter-based random numbers (Philox4x32-10 of Random123; Salmon et al. 2011).
//
// A stream is named by (seed, hyper-episode, purpose, index), never by a rank or a clock. Its n-th
// block of numbers is a pure function of its name and n, so that streams need no warm-up, never
// overlap, and a stream's whole state is this plain struct.
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

#include "base/archive.h"
#include "base/real.h"

// What a stream is for. The numbers are part of the results: append, never renumber.
typedef enum {
  RNG_INIT = 1,         // initial network parameters
  RNG_ENV = 2,          // resets of the training environment
  RNG_EXPLORE = 3,      // uniform actions before learning
  RNG_ACT = 4,          // the stochastic policy in the real environment
  RNG_SAC = 5,          // batch sampling and policy noise of SAC updates
  RNG_MODEL_TRAIN = 6,  // hold-out split, bootstrap, batch order
  RNG_MODEL_INIT = 7,   // initial ensemble parameters
  RNG_ROLLOUT = 8,      // start states, elites and noise of model rollouts
  RNG_EVALUATE = 9,     // resets of the evaluation environment
  RNG_DECISION = 10,    // the controller's action; index = decision
  RNG_CONTROLLER = 11,  // controller initialisation and batches; index = version
  RNG_HYPER_STATE = 12, // batches that hyper-state features are measured on
  RNG_THEORY = 13,      // fitted value iteration
  RNG_TEST = 14,        // tests and benchmarks
  RNG_POPULATION = 15,  // what is searched, whom a member goes on from, where a fork parts
  RNG_VERIFY = 16,      // what is run again to be compared
} RngPurpose;

typedef struct {
  uint32_t key[2];      // the seed
  uint32_t name[2];     // hyper-episode; purpose | index << 8
  uint64_t block;       // next block of four numbers
  uint32_t buffer[4];   // the current block
  int32_t left;         // numbers of it not yet used
  int32_t has_spare;    // whether `spare` holds a normal
  double spare;         // second number of the last Box-Muller pair
} Rng;

// The stream of a name. `index` < 2^24, `hyper_episode` < 2^32.
Rng rng_stream(uint64_t seed, int64_t hyper_episode, RngPurpose purpose, int64_t index);

uint32_t rng_bits(Rng* rng);
double rng_uniform(Rng* rng);                           // in [0, 1), 53 bits
double rng_range(Rng* rng, double low, double high);    // in [low, high)
double rng_normal(Rng* rng);                            // standard normal
int64_t rng_below(Rng* rng, int64_t count);             // uniform in 0 ... count - 1

// Arrays; the numbers drawn do not depend on how a caller splits an array only for split points at
// multiples of 4.
void rng_fill_uniform(Real* out, int64_t count, Rng* rng);  // in [0, 1), 24 bits

// Box-Muller on each pair (r, t) of the stream's 32-bit numbers: radius cos(2 pi t / 2^32), then
// radius sin(...), with radius^2 = -2 log((floor(r / 2) + 1) / 2^31).
void rng_fill_normal(Real* out, int64_t count, Rng* rng);

// Uniform indices in 0 ... below - 1, with replacement.
void rng_fill_below(int32_t* out, int64_t count, int32_t below, Rng* rng);

// Fisher-Yates.
void rng_shuffle(int32_t* items, int64_t count, Rng* rng);

void rng_visit(Rng* rng, Archive* archive, const char* name);

#endif  // BASE_RNG_H
