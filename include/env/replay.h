// replay.h - a ring buffer of transitions.
//
// One row per transition (env/transition.h), so that drawing a random one touches one place in
// memory. The rows live in reserved address space of `limit` rows; `capacity` <= limit may change.
#ifndef ENV_REPLAY_H
#define ENV_REPLAY_H

#include "base/archive.h"
#include "base/arena.h"
#include "base/real.h"
#include "base/rng.h"
#include "env/transition.h"

typedef struct {
  TransitionRow row; // layout of a row
  int64_t limit;     // rows that are reserved
  int64_t capacity;  // rows of the ring now
  int64_t size;      // rows in use
  int64_t next;      // where the next row goes
  Real* rows;        // (limit, row.size)
} Replay;

// A batch with one array per field.
typedef struct {
  int size;           // B
  Real* obs;          // (B, O)
  Real* act;          // (B, A)
  Real* next_obs;     // (B, O)
  Real* rew;          // (B)
  Real* terminated;   // (B) 0 or 1
} Batch;

double replay_row_bytes(int obs_size, int act_size);

void replay_init(Replay* replay, int obs_size, int act_size, int64_t limit);
void replay_free(Replay* replay);

// Appends one transition, overwriting the oldest when full.
void replay_add(Replay* replay, const Real* obs, const Real* act, const Real* next_obs, Real rew,
                bool terminated, Real logp);

// Changes the capacity; the newest rows stay, in order (docs/algorithms.md, D14).
void replay_set_capacity(Replay* replay, int64_t capacity);

// The i-th oldest row, 0 <= i < size.
const Real* replay_row(const Replay* replay, int64_t i);

void batch_init(Batch* batch, int size, int obs_size, int act_size, Arena* arena);

// Draws `count` rows uniformly with replacement into rows first ... first + count - 1 of the batch.
void replay_sample(Batch* batch, int first, int count, const Replay* replay, Rng* rng);

void replay_visit(Replay* replay, Archive* archive, const char* name);

#endif  // ENV_REPLAY_H
