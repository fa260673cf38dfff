// rng.c - Philox one number at a time, and in bulk.
//
// A block of four numbers is Philox of (block counter, name of the stream) under the seed as key.
// Single draws take the numbers of a block one after the other, and keep the rest in the struct.
// Bulk draws compute sixteen blocks at once, each round a loop that the compiler turns into
// vectors, and start at a fresh block, because the noise of rollouts is drawn by the hundred
// thousand.
//
// Bulk normals are Box-Muller in vector arithmetic. Their angle is reduced as an integer, exactly,
// so that sine and cosine are polynomials on an eighth of a turn; rejection methods (ziggurat) are
// faster one by one, but lanes that reject would consume different amounts of a stream. Nothing
// depends on the width of the vectors.
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/vector_math.h"

#define TWO_PI 6.283185307179586476925286766559

Rng rng_stream(uint64_t seed, int64_t hyper_episode, RngPurpose purpose, int64_t index) {
  CHECK(hyper_episode >= 0 && hyper_episode <= UINT32_MAX, "hyper-episode %lld out of range",
        (long long)hyper_episode);
  CHECK(index >= 0 && index < 1 << 24, "stream index %lld out of range", (long long)index);
  Rng rng = {0};
  rng.key[0] = (uint32_t)seed;
  rng.key[1] = (uint32_t)(seed >> 32);
  rng.name[0] = (uint32_t)hyper_episode;
  rng.name[1] = (uint32_t)purpose | (uint32_t)index << 8;
  return rng;
}

static void next_block(uint32_t out[4], Rng* rng) {
  philox4x32_ctr_t counter = {
      {(uint32_t)rng->block, (uint32_t)(rng->block >> 32), rng->name[0], rng->name[1]}};
  philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
  philox4x32_ctr_t result = philox4x32(counter, key);
  memcpy(out, result.v, sizeof result.v);
  rng->block++;
}

uint32_t rng_bits(Rng* rng) {
  if (rng->left == 0) {
    next_block(rng->buffer, rng);
    rng->left = 4;
  }
  return rng->buffer[4 - rng->left--];
}

double rng_uniform(Rng* rng) {
  uint64_t high = rng_bits(rng) >> 5;
  uint64_t low = rng_bits(rng) >> 6;
  return (double)(high << 26 | low) * 0x1p-53;
}

double rng_range(Rng* rng, double low, double high) {
  return low + (high - low) * rng_uniform(rng);
}

double rng_normal(Rng* rng) {
  if (rng->has_spare) {
    rng->has_spare = 0;
    return rng->spare;
  }
  double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng)));
  double angle = TWO_PI * rng_uniform(rng);
  rng->spare = radius * sin(angle);
  rng->has_spare = 1;
  return radius * cos(angle);
}

// Lemire's multiply-shift on 32 bits; the bias is below 2^-32 * count.
static uint32_t scale_below(uint32_t bits, uint32_t count) {
  return (uint32_t)((uint64_t)bits * count >> 32);
}

int64_t rng_below(Rng* rng, int64_t count) {
  CHECK(count > 0 && count <= INT32_MAX, "rng_below: count %lld", (long long)count);
  return scale_below(rng_bits(rng), (uint32_t)count);
}

// Bulk numbers: BLOCKS consecutive blocks at a time, each step of Philox a loop over all of them
// that the compiler vectorises. numbers[i][j] is number i of block j.
#define BLOCKS 16

typedef struct {
  uint32_t numbers[4][BLOCKS];
} Blocks;

// Philox's round function (Salmon et al. 2011, section 3.3): the multipliers are Random123's.
static inline void philox_round(Blocks* blocks, uint32_t key0, uint32_t key1) {
  for (int j = 0; j < BLOCKS; j++) {
    uint64_t even = (uint64_t)PHILOX_M4x32_0 * blocks->numbers[0][j];
    uint64_t odd = (uint64_t)PHILOX_M4x32_1 * blocks->numbers[2][j];
    blocks->numbers[0][j] = (uint32_t)(odd >> 32) ^ blocks->numbers[1][j] ^ key0;
    blocks->numbers[1][j] = (uint32_t)odd;
    blocks->numbers[2][j] = (uint32_t)(even >> 32) ^ blocks->numbers[3][j] ^ key1;
    blocks->numbers[3][j] = (uint32_t)even;
  }
}

// The next BLOCKS blocks, of which the caller uses as many as hold `count` numbers; the stream
// moves on by those.
static void next_blocks(Blocks* blocks, int64_t count, Rng* rng) {
  for (int j = 0; j < BLOCKS; j++) {
    uint64_t block = rng->block + (uint64_t)j;
    blocks->numbers[0][j] = (uint32_t)block;
    blocks->numbers[1][j] = (uint32_t)(block >> 32);
    blocks->numbers[2][j] = rng->name[0];
    blocks->numbers[3][j] = rng->name[1];
  }
  uint32_t key0 = rng->key[0];
  uint32_t key1 = rng->key[1];
  for (int round = 0; round < 10; round++) {
    philox_round(blocks, key0, key1);
    key0 += PHILOX_W32_0;
    key1 += PHILOX_W32_1;
  }
  int64_t used = (count + 3) / 4;
  rng->block += (uint64_t)(used < BLOCKS ? used : BLOCKS);
}

// out (count, or 4 BLOCKS if that is less) = the values, block after block.
static void interleave_real(Real* out, int64_t count, Real values[4][BLOCKS]) {
  Real all[4 * BLOCKS];
  for (int j = 0; j < BLOCKS; j++) {
    for (int i = 0; i < 4; i++) {
      all[4 * j + i] = values[i][j];
    }
  }
  memcpy(out, all, (size_t)(count < 4 * BLOCKS ? count : 4 * BLOCKS) * sizeof(Real));
}

void rng_fill_uniform(Real* out, int64_t count, Rng* rng) {
  for (int64_t first = 0; first < count; first += 4 * BLOCKS) {
    Blocks blocks;
    Real values[4][BLOCKS];
    next_blocks(&blocks, count - first, rng);
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < BLOCKS; j++) {
        // 24 bits: every value is exact in a float
        values[i][j] = (Real)(int32_t)(blocks.numbers[i][j] >> 8) * (Real)0x1p-24;
      }
    }
    interleave_real(out + first, count - first, values);
  }
}

// Box-Muller: two numbers r, t become the normals radius cos(angle), radius sin(angle), with
// radius^2 = -2 log((floor(r / 2) + 1) / 2^31), never infinite, and angle = 2 pi t / 2^32.
static void box_muller(Real cosines[BLOCKS], Real sines[BLOCKS], const uint32_t r[BLOCKS],
                       const uint32_t t[BLOCKS]) {
  Real uniform[BLOCKS], angle[BLOCKS];
  RealBits quadrant[BLOCKS];
  for (int j = 0; j < BLOCKS; j++) {
    uniform[j] = ((Real)(int32_t)(r[j] >> 1) + 1) * (Real)0x1p-31;
    // the nearest multiple of a quarter turn, and the rest in +- an eighth of a turn
    uint32_t quarter = (t[j] + (1u << 29)) >> 30;
    quadrant[j] = (RealBits)quarter;
    angle[j] = (Real)(int32_t)(t[j] - (quarter << 30)) * (Real)(TWO_PI * 0x1p-32);
  }
  for (int j = 0; j < BLOCKS; j += LANES) {
    Vector radius = vector_sqrt(-2 * vector_log(vector_load(uniform + j)));
    Vector x = vector_load(angle + j);
    Vector sine = vector_sin(x);
    Vector cosine = vector_cos(x);
    VectorBits turn;
    memcpy(&turn, quadrant + j, sizeof turn);
    VectorBits odd = -(turn & 1);
    VectorBits cosine_negative = ((turn + 1) & 2) != 0;
    VectorBits sine_negative = (turn & 2) != 0;
    Vector first = vector_select(odd, sine, cosine);
    Vector second = vector_select(odd, cosine, sine);
    vector_store(cosines + j, radius * vector_select(cosine_negative, -first, first));
    vector_store(sines + j, radius * vector_select(sine_negative, -second, second));
  }
}

void rng_fill_normal(Real* out, int64_t count, Rng* rng) {
  for (int64_t first = 0; first < count; first += 4 * BLOCKS) {
    Blocks blocks;
    Real values[4][BLOCKS];
    next_blocks(&blocks, count - first, rng);
    box_muller(values[0], values[1], blocks.numbers[0], blocks.numbers[1]);
    box_muller(values[2], values[3], blocks.numbers[2], blocks.numbers[3]);
    interleave_real(out + first, count - first, values);
  }
}

void rng_fill_below(int32_t* out, int64_t count, int32_t below, Rng* rng) {
  CHECK(below > 0, "rng_fill_below: nothing to draw from");
  for (int64_t first = 0; first < count; first += 4 * BLOCKS) {
    Blocks blocks;
    int32_t all[4 * BLOCKS];
    next_blocks(&blocks, count - first, rng);
    for (int j = 0; j < BLOCKS; j++) {
      for (int i = 0; i < 4; i++) {
        all[4 * j + i] = (int32_t)scale_below(blocks.numbers[i][j], (uint32_t)below);
      }
    }
    int64_t left = count - first;
    memcpy(out + first, all, (size_t)(left < 4 * BLOCKS ? left : 4 * BLOCKS) * sizeof *all);
  }
}

void rng_shuffle(int32_t* items, int64_t count, Rng* rng) {
  for (int64_t i = count - 1; i > 0; i--) {
    int64_t j = rng_below(rng, i + 1);
    int32_t item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
}

void rng_visit(Rng* rng, Archive* archive, const char* name) {
  archive_enter(archive, name);
  archive_array(archive, "key", rng->key, ARCHIVE_I32, 2);
  archive_array(archive, "name", rng->name, ARCHIVE_I32, 2);
  archive_u64(archive, "block", &rng->block, 1);
  archive_array(archive, "buffer", rng->buffer, ARCHIVE_I32, 4);
  archive_i32(archive, "left", &rng->left, 1);
  archive_i32(archive, "has_spare", &rng->has_spare, 1);
  archive_f64(archive, "spare", &rng->spare, 1);
  archive_leave(archive);
}
