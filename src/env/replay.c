// Layout: while size < capacity the rows are 0 ... size - 1, oldest first, and next = size. Once
// full, `next` points to the oldest row. So the rows in use are always 0 ... size - 1.
#include "env/replay.h"

#include <string.h>

#include "base/error.h"

#define SAMPLE_CHUNK 256
#define PREFETCH_AHEAD 8
#define CACHE_LINE 64

static Real* row_at(const Replay* replay, int64_t position) {
  return replay->rows + (size_t)position * (size_t)replay->row_size;
}

static size_t rows_bytes(const Replay* replay, int64_t count) {
  return (size_t)count * (size_t)replay->row_size * sizeof(Real);
}

static void copy_reals(Real* out, const Real* in, int count) {
  for (int i = 0; i < count; i++) {
    out[i] = in[i];
  }
}

static int row_size_of(int obs_size, int act_size) { return 2 * obs_size + act_size + 3; }

double replay_row_bytes(int obs_size, int act_size) {
  return (double)row_size_of(obs_size, act_size) * sizeof(Real);
}

void replay_init(Replay* replay, int obs_size, int act_size, int64_t limit) {
  CHECK(obs_size > 0 && act_size > 0, "replay_init: obs_size %d, act_size %d", obs_size, act_size);
  CHECK(limit > 0 && limit <= INT32_MAX, "replay_init: limit %lld", (long long)limit);
  *replay = (Replay){
      .obs_size = obs_size,
      .act_size = act_size,
      .row_size = row_size_of(obs_size, act_size),
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
  int O = replay->obs_size;
  int A = replay->act_size;
  Real* row = row_at(replay, replay->next);
  copy_reals(row, obs, O);
  copy_reals(row + O, act, A);
  copy_reals(row + O + A, next_obs, O);
  row[2 * O + A] = rew;
  row[2 * O + A + 1] = terminated ? (Real)1 : (Real)0;
  row[2 * O + A + 2] = logp;
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

const Real* replay_row_obs(const Replay* replay, const Real* row) {
  (void)replay;
  return row;
}

const Real* replay_row_act(const Replay* replay, const Real* row) {
  return row + replay->obs_size;
}

const Real* replay_row_next_obs(const Replay* replay, const Real* row) {
  return row + replay->obs_size + replay->act_size;
}

Real replay_row_rew(const Replay* replay, const Real* row) {
  return row[replay->row_size - 3];
}

bool replay_row_terminated(const Replay* replay, const Real* row) {
  return row[replay->row_size - 2] > (Real)0.5;
}

Real replay_row_logp(const Replay* replay, const Real* row) {
  return row[replay->row_size - 1];
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

static void copy_row(Batch* batch, int b, const Replay* replay, const Real* row) {
  int O = replay->obs_size;
  int A = replay->act_size;
  copy_reals(batch->obs + (size_t)b * (size_t)O, row, O);
  copy_reals(batch->act + (size_t)b * (size_t)A, row + O, A);
  copy_reals(batch->next_obs + (size_t)b * (size_t)O, row + O + A, O);
  batch->rew[b] = row[2 * O + A];
  batch->terminated[b] = row[2 * O + A + 1];
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
    copy_row(batch, first + i, replay, row_at(replay, positions[i]));
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
  int64_t row_size = replay->row_size;
  archive_i64(archive, "row_size", &row_size, 1);
  archive_i64(archive, "capacity", &replay->capacity, 1);
  archive_i64(archive, "size", &replay->size, 1);
  archive_i64(archive, "next", &replay->next, 1);
  if (!archive->failed && (row_size != replay->row_size || !is_consistent(replay))) {
    archive_fail(archive,
                 "%s: capacity %lld, size %lld, next %lld, %lld numbers a row; expected at most "
                 "%lld rows of %d numbers",
                 name, (long long)replay->capacity, (long long)replay->size,
                 (long long)replay->next, (long long)row_size, (long long)replay->limit,
                 replay->row_size);
  }
  if (!archive->failed) {
    archive_real(archive, "rows", replay->rows, (size_t)replay->size * (size_t)replay->row_size);
  }
  archive_leave(archive);
}
