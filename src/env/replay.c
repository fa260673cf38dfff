// replay.c - a ring of rows in reserved address space, and random batches of it.
//
// Layout: while size < capacity the rows are 0 ... size - 1, oldest first, and next = size. Once
// full, `next` points to the oldest row. So the rows in use are always 0 ... size - 1, and drawing
// one is one random number, whatever the state of the ring.
//
// The capacity changes when the length of rollouts does. The rows are then turned so that the
// oldest is the first, in place (three reversals), and a smaller ring keeps the newest
// (docs/algorithms.md, D14); pages that are no longer used go back to the system.
//
// A random row misses every cache: sampling asks for rows several ahead of the one that it copies.
#include "env/replay.h"

#include <string.h>

#include "base/error.h"

#define SAMPLE_CHUNK 256
#define PREFETCH_AHEAD 8
#define CACHE_LINE 64

static Real* row_at(const Replay* replay, int64_t position) {
  return replay->rows + (size_t)position * (size_t)replay->row.size;
}

static size_t rows_bytes(const Replay* replay, int64_t count) {
  return (size_t)count * (size_t)replay->row.size * sizeof(Real);
}

double replay_row_bytes(int obs_size, int act_size) {
  return (double)transition_row(obs_size, act_size).size * sizeof(Real);
}

void replay_init(Replay* replay, int obs_size, int act_size, int64_t limit) {
  CHECK(obs_size > 0 && act_size > 0, "replay_init: obs_size %d, act_size %d", obs_size, act_size);
  CHECK(limit > 0 && limit <= INT32_MAX, "replay_init: limit %lld", (long long)limit);
  *replay = (Replay){
      .row = transition_row(obs_size, act_size),
      .limit = limit,
      .capacity = limit,
  };
  replay->rows = memory_reserve(rows_bytes(replay, limit));
}

void replay_free(Replay* replay) {
  if (replay->rows) {
    memory_unreserve(replay->rows, rows_bytes(replay, replay->limit));
  }
  *replay = (Replay){0};
}

void replay_add(Replay* replay, const Real* obs, const Real* act, const Real* next_obs, Real rew,
                bool terminated, Real logp) {
  TransitionFields row = transition_fields(&replay->row, row_at(replay, replay->next));
  transition_copy(row.obs, obs, replay->row.obs_size);
  transition_copy(row.act, act, replay->row.act_size);
  transition_copy(row.next_obs, next_obs, replay->row.obs_size);
  *row.rew = rew;
  *row.terminated = terminated ? 1 : 0;
  *row.logp = logp;
  replay->next = (replay->next + 1) % replay->capacity;
  if (replay->size < replay->capacity) {
    replay->size++;
  }
}

// Reverses the order of the numbers first ... last - 1.
static void reverse(Real* first, Real* last) {
  while (first < last) {
    last--;
    Real number = *first;
    *first++ = *last;
    *last = number;
  }
}

// Brings the oldest row to position 0, in place: reversing both parts and then the whole swaps the
// parts and keeps the order inside each.
static void make_oldest_first(Replay* replay) {
  if (replay->size < replay->capacity || replay->next == 0) {
    return;
  }
  Real* end = row_at(replay, replay->size);
  Real* oldest = row_at(replay, replay->next);
  reverse(replay->rows, oldest);
  reverse(oldest, end);
  reverse(replay->rows, end);
  replay->next = 0;
}

void replay_set_capacity(Replay* replay, int64_t capacity) {
  CHECK(capacity > 0 && capacity <= replay->limit, "replay_set_capacity: %lld rows, limit %lld",
        (long long)capacity, (long long)replay->limit);
  if (capacity == replay->capacity) {
    return;
  }
  make_oldest_first(replay);
  int64_t surplus = replay->size - capacity;
  if (surplus > 0) {
    memmove(replay->rows, row_at(replay, surplus), rows_bytes(replay, capacity));
    replay->size = capacity;
  }
  if (capacity < replay->capacity) {
    memory_discard(row_at(replay, capacity), rows_bytes(replay, replay->limit - capacity));
  }
  replay->capacity = capacity;
  replay->next = replay->size % capacity;
}

const Real* replay_row(const Replay* replay, int64_t i) {
  CHECK(i >= 0 && i < replay->size, "replay_row: %lld of %lld", (long long)i,
        (long long)replay->size);
  int64_t oldest = replay->size < replay->capacity ? 0 : replay->next;
  return row_at(replay, (oldest + i) % replay->capacity);
}

void batch_init(Batch* batch, int size, int obs_size, int act_size, Arena* arena) {
  CHECK(size > 0, "batch_init: size %d", size);
  size_t B = (size_t)size;
  *batch = (Batch){
      .size = size,
      .obs = ARENA_NEW(arena, B * (size_t)obs_size, Real),
      .act = ARENA_NEW(arena, B * (size_t)act_size, Real),
      .next_obs = ARENA_NEW(arena, B * (size_t)obs_size, Real),
      .rew = ARENA_NEW(arena, B, Real),
      .terminated = ARENA_NEW(arena, B, Real),
  };
}

static void copy_row(Batch* batch, int b, const TransitionRow* layout, const Real* row) {
  size_t O = (size_t)layout->obs_size, A = (size_t)layout->act_size, at = (size_t)b;
  transition_copy(batch->obs + at * O, transition_obs(layout, row), layout->obs_size);
  transition_copy(batch->act + at * A, transition_act(layout, row), layout->act_size);
  transition_copy(batch->next_obs + at * O, transition_next_obs(layout, row), layout->obs_size);
  batch->rew[b] = transition_rew(layout, row);
  batch->terminated[b] = transition_terminated(layout, row);
}

// Random rows miss every cache: fetch some rows ahead of their use.
static void prefetch_row(const Replay* replay, int32_t position) {
  const char* row = (const char*)row_at(replay, position);
  for (size_t offset = 0; offset < rows_bytes(replay, 1); offset += CACHE_LINE) {
    __builtin_prefetch(row + offset);
  }
}

static void copy_rows(Batch* batch, int first, const Replay* replay, const int32_t* positions,
                      int count) {
  for (int i = 0; i < count && i < PREFETCH_AHEAD; i++) {
    prefetch_row(replay, positions[i]);
  }
  for (int i = 0; i < count; i++) {
    if (i + PREFETCH_AHEAD < count) {
      prefetch_row(replay, positions[i + PREFETCH_AHEAD]);
    }
    copy_row(batch, first + i, &replay->row, row_at(replay, positions[i]));
  }
}

void replay_sample(Batch* batch, int first, int count, const Replay* replay, Rng* rng) {
  CHECK(first >= 0 && count >= 0 && first + count <= batch->size,
        "replay_sample: rows %d ... of a batch of %d, count %d", first, batch->size, count);
  CHECK(count == 0 || replay->size > 0, "replay_sample: the buffer is empty");
  int32_t positions[SAMPLE_CHUNK];
  for (int i = 0; i < count; i += SAMPLE_CHUNK) {
    int chunk = count - i < SAMPLE_CHUNK ? count - i : SAMPLE_CHUNK;
    rng_fill_below(positions, chunk, (int32_t)replay->size, rng);
    copy_rows(batch, first + i, replay, positions, chunk);
  }
}

// Whether the loaded counters describe a ring that replay_add can have made.
static bool is_consistent(const Replay* replay) {
  if (replay->capacity < 1 || replay->capacity > replay->limit || replay->size < 0 ||
      replay->size > replay->capacity || replay->next < 0 || replay->next >= replay->capacity) {
    return false;
  }
  return replay->size == replay->capacity || replay->next == replay->size;
}

void replay_visit(Replay* replay, Archive* archive, const char* name) {
  archive_enter(archive, name);
  int64_t row_size = replay->row.size;
  archive_i64(archive, "row_size", &row_size, 1);
  archive_i64(archive, "capacity", &replay->capacity, 1);
  archive_i64(archive, "size", &replay->size, 1);
  archive_i64(archive, "next", &replay->next, 1);
  if (!archive->failed && (row_size != replay->row.size || !is_consistent(replay))) {
    archive_fail(archive,
                 "%s: capacity %lld, size %lld, next %lld, %lld numbers a row; expected at most "
                 "%lld rows of %d numbers",
                 name, (long long)replay->capacity, (long long)replay->size,
                 (long long)replay->next, (long long)row_size, (long long)replay->limit,
                 replay->row.size);
  }
  if (!archive->failed) {
    archive_real(archive, "rows", replay->rows, (size_t)replay->size * (size_t)replay->row.size);
  }
  archive_leave(archive);
}
