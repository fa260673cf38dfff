// imagined.c - transitions of branches, in which each state is held once.
//
// A row holds an action and what followed it; the state that it was taken in is in the row of the
// step before, `before` rows back, or among the start states. Rows have numbers in the order in
// which they came, starts likewise, and number n is in place n % places of reserved address space.
// The numbers in use are the newest ones, and IMAGINED_REACH more, whose states are still needed:
// a window that moves through the places. What is behind it goes back to the system.
//
// Positions are those of a Replay: 0 ... size - 1, where `next` is the oldest once the ring is
// full, and the oldest is the first after a change of capacity. So one random number draws the
// same transition from either.
#include "env/imagined.h"

#include "base/error.h"

#define SAMPLE_CHUNK 256
#define PREFETCH_AHEAD 8
#define CACHE_LINE 64

static int row_size(int obs_size, int act_size) { return act_size + obs_size + 2; }

static int64_t row_places(const Imagined* m) { return m->limit + IMAGINED_REACH; }

static Real* row_of(const Imagined* m, int64_t number) {
  return m->rows + (size_t)(number % row_places(m)) * (size_t)m->row_size;
}

static Real* start_at(const Imagined* m, int64_t place) {
  return m->start + (size_t)place * (size_t)m->obs_size;
}

static int32_t* before_of(const Imagined* m, int64_t number) {
  return m->before + number % row_places(m);
}

// The number of the i-th oldest, and of the first that is still needed.
static int64_t number_of(const Imagined* m, int64_t i) { return m->added - m->size + i; }

static int64_t first_needed(const Imagined* m) {
  int64_t first = number_of(m, 0) - IMAGINED_REACH;
  return first > 0 ? first : 0;
}

double imagined_bytes(int obs_size, int act_size, double transitions, int length) {
  double row = row_size(obs_size, act_size) * (double)sizeof(Real) + sizeof(int32_t);
  return transitions * (row + obs_size * (double)sizeof(Real) / length);
}

static size_t rows_bytes(const Imagined* m) {
  return (size_t)row_places(m) * (size_t)m->row_size * sizeof(Real);
}

static size_t before_bytes(const Imagined* m) { return (size_t)row_places(m) * sizeof(int32_t); }

static size_t start_bytes(const Imagined* m) {
  return (size_t)m->limit * (size_t)m->obs_size * sizeof(Real);
}

void imagined_init(Imagined* m, int obs_size, int act_size, int64_t limit) {
  CHECK(obs_size > 0 && act_size > 0, "imagined_init: obs_size %d, act_size %d", obs_size,
        act_size);
  CHECK(limit > 0 && limit <= INT32_MAX, "imagined_init: limit %lld", (long long)limit);
  *m = (Imagined){.obs_size = obs_size,
                  .act_size = act_size,
                  .row_size = row_size(obs_size, act_size),
                  .limit = limit,
                  .capacity = limit};
  m->rows = memory_reserve(rows_bytes(m));
  m->before = memory_reserve(before_bytes(m));
  m->start = memory_reserve(start_bytes(m));
}

void imagined_free(Imagined* m) {
  if (m->rows) {
    memory_unreserve(m->rows, rows_bytes(m));
    memory_unreserve(m->before, before_bytes(m));
    memory_unreserve(m->start, start_bytes(m));
  }
  *m = (Imagined){0};
}

static void drop_oldest(Imagined* m) {
  m->starts -= *before_of(m, number_of(m, 0)) < 0;
  m->size--;
}

int64_t imagined_add(Imagined* m, int64_t before, const Real* obs, const Real* act,
                     const Real* next_obs, Real rew, bool terminated) {
  int64_t number = m->added;
  CHECK(before < number && (before < 0 || number - before <= IMAGINED_REACH),
        "imagined_add: %lld after %lld", (long long)number, (long long)before);
  if (m->size == m->capacity) {
    drop_oldest(m);
  }
  if (before < 0) {
    int64_t place = m->starts_added++ % m->limit;
    m->starts++;
    transition_copy(start_at(m, place), obs, m->obs_size);
    *before_of(m, number) = (int32_t)(-1 - place);
  } else {
    *before_of(m, number) = (int32_t)(number - before);
  }
  Real* row = row_of(m, number);
  transition_copy(row, act, m->act_size);
  transition_copy(row + m->act_size, next_obs, m->obs_size);
  row[m->row_size - 2] = rew;
  row[m->row_size - 1] = terminated ? 1 : 0;
  m->added++;
  m->size++;
  m->next = (m->next + 1) % m->capacity;
  return number;
}

void imagined_set_capacity(Imagined* m, int64_t capacity) {
  CHECK(capacity > 0 && capacity <= m->limit, "imagined_set_capacity: %lld, limit %lld",
        (long long)capacity, (long long)m->limit);
  if (capacity == m->capacity) {
    return;
  }
  while (m->size > capacity) {
    drop_oldest(m);
  }
  m->capacity = capacity;
  m->next = m->size % capacity;
}

// The places of numbers first ... end - 1, in two pieces where they go round.
typedef struct {
  size_t at;     // place of the first
  size_t count;  // from there on
  size_t rest;   // from place 0 on
} Places;

static Places places_of(int64_t first, int64_t end, int64_t places) {
  int64_t at = first % places;
  int64_t count = end - first < places - at ? end - first : places - at;
  return (Places){(size_t)at, (size_t)count, (size_t)(end - first - count)};
}

static void discard(void* base, size_t bytes, Places p) {
  memory_discard((char*)base + p.at * bytes, p.count * bytes);
  memory_discard(base, p.rest * bytes);
}

// The places of what is behind the window, but those that newer numbers have taken. Few are left
// for later.
static Places behind(int64_t* forgotten, int64_t first, int64_t added, int64_t places) {
  if (first - *forgotten < IMAGINED_REACH) {
    return (Places){0};
  }
  int64_t from = *forgotten > added - places ? *forgotten : added - places;
  *forgotten = first;
  return places_of(from, from < first ? first : from, places);
}

void imagined_trim(Imagined* m) {
  Places p = behind(&m->forgotten[0], first_needed(m), m->added, row_places(m));
  discard(m->rows, (size_t)m->row_size * sizeof(Real), p);
  discard(m->before, sizeof *m->before, p);
  p = behind(&m->forgotten[1], m->starts_added - m->starts, m->starts_added, m->limit);
  discard(m->start, (size_t)m->obs_size * sizeof(Real), p);
}

static const Real* obs_of(const Imagined* m, int64_t number) {
  int32_t before = *before_of(m, number);
  return before < 0 ? start_at(m, -1 - (int64_t)before) : row_of(m, number - before) + m->act_size;
}

static ImaginedTransition transition(const Imagined* m, int64_t number) {
  const Real* row = row_of(m, number);
  return (ImaginedTransition){.obs = obs_of(m, number),
                              .act = row,
                              .next_obs = row + m->act_size,
                              .rew = row[m->row_size - 2],
                              .terminated = row[m->row_size - 1]};
}

ImaginedTransition imagined_transition(const Imagined* m, int64_t i) {
  CHECK(i >= 0 && i < m->size, "imagined_transition: %lld of %lld", (long long)i,
        (long long)m->size);
  return transition(m, number_of(m, i));
}

static void copy_transition(Batch* batch, int b, const Imagined* m, int64_t number) {
  size_t O = (size_t)m->obs_size, A = (size_t)m->act_size, at = (size_t)b;
  ImaginedTransition t = transition(m, number);
  transition_copy(batch->obs + at * O, t.obs, m->obs_size);
  transition_copy(batch->act + at * A, t.act, m->act_size);
  transition_copy(batch->next_obs + at * O, t.next_obs, m->obs_size);
  batch->rew[b] = t.rew;
  batch->terminated[b] = t.terminated;
}

static void prefetch(const void* start, int numbers) {
  for (size_t offset = 0; offset < (size_t)numbers * sizeof(Real); offset += CACHE_LINE) {
    __builtin_prefetch((const char*)start + offset);
  }
}

// Rows miss every cache: each is asked for twice as far ahead as its state, which only it knows.
static void copy_transitions(Batch* batch, int first, const Imagined* m, const int64_t* numbers,
                             int count) {
  for (int i = -2 * PREFETCH_AHEAD; i < count; i++) {
    if (i + 2 * PREFETCH_AHEAD < count) {
      __builtin_prefetch(before_of(m, numbers[i + 2 * PREFETCH_AHEAD]));
      prefetch(row_of(m, numbers[i + 2 * PREFETCH_AHEAD]), m->row_size);
    }
    if (i + PREFETCH_AHEAD >= 0 && i + PREFETCH_AHEAD < count) {
      prefetch(obs_of(m, numbers[i + PREFETCH_AHEAD]), m->obs_size);
    }
    if (i >= 0) {
      copy_transition(batch, first + i, m, numbers[i]);
    }
  }
}

// The number of the transition at a position (above).
static int64_t number_at(const Imagined* m, int64_t position) {
  int64_t oldest = m->size < m->capacity ? 0 : m->next;
  return number_of(m, position < oldest ? position - oldest + m->capacity : position - oldest);
}

void imagined_sample(Batch* batch, int first, int count, const Imagined* m, Rng* rng) {
  CHECK(first >= 0 && count >= 0 && first + count <= batch->size,
        "imagined_sample: rows %d ... of a batch of %d, count %d", first, batch->size, count);
  CHECK(count == 0 || m->size > 0, "imagined_sample: the buffer is empty");
  int32_t positions[SAMPLE_CHUNK];
  int64_t numbers[SAMPLE_CHUNK];
  for (int i = 0; i < count; i += SAMPLE_CHUNK) {
    int chunk = count - i < SAMPLE_CHUNK ? count - i : SAMPLE_CHUNK;
    rng_fill_below(positions, chunk, (int32_t)m->size, rng);
    for (int j = 0; j < chunk; j++) {
      numbers[j] = number_at(m, positions[j]);
    }
    copy_transitions(batch, first + i, m, numbers, chunk);
  }
}

// Whether the loaded counters describe a buffer that imagined_add can have made.
static bool is_consistent(const Imagined* m) {
  bool ring = m->capacity >= 1 && m->capacity <= m->limit && m->size >= 0 &&
              m->size <= m->capacity && m->next >= 0 && m->next < m->capacity &&
              (m->size == m->capacity || m->next == m->size);
  return ring && m->added >= m->size && m->added < INT64_C(1) << 53 && m->starts >= 0 &&
         m->starts <= m->size && m->starts_added >= m->starts && m->starts_added <= m->added;
}

// Whether each transition in use begins in a state that is there.
static bool is_linked(const Imagined* m) {
  int64_t first = first_needed(m);
  for (int64_t number = number_of(m, 0); number < m->added; number++) {
    int64_t before = *before_of(m, number);
    if (before < 0 ? -1 - before >= m->limit
                   : before == 0 || before > IMAGINED_REACH || number - before < first) {
      return false;
    }
  }
  return true;
}

static void visit_contents(Imagined* m, Archive* archive) {
  size_t O = (size_t)m->obs_size, R = (size_t)m->row_size;
  int64_t first = first_needed(m), first_start = m->starts_added - m->starts;
  Places p = places_of(first, m->added, row_places(m));
  archive_real(archive, "rows", m->rows + p.at * R, p.count * R);
  archive_real(archive, "rows_round", m->rows, p.rest * R);
  archive_i32(archive, "before", m->before + p.at, p.count);
  archive_i32(archive, "before_round", m->before, p.rest);
  p = places_of(first_start, m->starts_added, m->limit);
  archive_real(archive, "start", m->start + p.at * O, p.count * O);
  archive_real(archive, "start_round", m->start, p.rest * O);
}

void imagined_visit(Imagined* m, Archive* archive, const char* name) {
  archive_enter(archive, name);
  int64_t size = m->row_size;
  archive_i64(archive, "row_size", &size, 1);
  archive_i64(archive, "capacity", &m->capacity, 1);
  archive_i64(archive, "size", &m->size, 1);
  archive_i64(archive, "next", &m->next, 1);
  archive_i64(archive, "added", &m->added, 1);
  archive_i64(archive, "starts", &m->starts, 1);
  archive_i64(archive, "starts_added", &m->starts_added, 1);
  if (!archive->failed && (size != m->row_size || !is_consistent(m))) {
    archive_fail(archive,
                 "%s: capacity %lld, size %lld, next %lld, %lld numbers a row; expected at most "
                 "%lld rows of %d numbers",
                 name, (long long)m->capacity, (long long)m->size, (long long)m->next,
                 (long long)size, (long long)m->limit, m->row_size);
  }
  if (!archive->failed) {
    visit_contents(m, archive);
  }
  if (archive->mode == ARCHIVE_LOAD && !archive->failed) {
    m->forgotten[0] = first_needed(m);
    m->forgotten[1] = m->starts_added - m->starts;
    if (!is_linked(m)) {
      archive_fail(archive, "%s: a transition begins in a state that is not there", name);
    }
  }
  archive_leave(archive);
}
