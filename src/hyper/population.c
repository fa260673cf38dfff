// population.c - the rules of population-based training.
//
// A round is one pass over the members in the order of their indices. All that a member draws comes
// from the stream of the unit that it becomes, (seed, round x members + member), so that the next
// round is a function of the scores and nothing else. Three steps: rank; choose whom each member
// goes on from (selection inside a part, then migration between parts); explore where a member
// went over to another. The points of both rounds are kept apart, so that a copy takes what its
// parent had, not what it becomes.
#include "hyper/population.h"

#include <math.h>
#include <string.h>

// Of a division that was meant to have no remainder.
#define ROUNDING 1e-9

typedef struct {
  const PbtOptions* options;
  const double* scores;
  int part_size;   // members of a part
  int* ranking;    // (members) best first
  int* best;       // (part_size) members of a part, best first
  int* parent;     // (members) whose state each member goes on with
  int* taught_by;  // (members) whose hyperparameters it takes
  bool* explores;  // (members)
} Selection;

static bool lives(const Selection* s, int member) { return !isnan(s->scores[member]); }

// Equal scores stand in the order of the members.
static bool is_better(const Selection* s, int a, int b) {
  if (lives(s, a) != lives(s, b)) {
    return lives(s, a);
  }
  return lives(s, a) && s->scores[a] != s->scores[b] ? s->scores[a] > s->scores[b] : a < b;
}

static void rank(Selection* s) {
  for (int i = 0; i < s->options->members; i++) {
    int at = i;
    for (; at > 0 && is_better(s, i, s->ranking[at - 1]); at--) {
      s->ranking[at] = s->ranking[at - 1];
    }
    s->ranking[at] = i;
  }
}

static int place_of(const Selection* s, int member) {
  int place = 0;
  while (s->ranking[place] != member) {
    place++;
  }
  return place;
}

static int part_of(const Selection* s, int member) { return member / s->part_size; }

static void go_over(Selection* s, int member, int to) {
  s->parent[member] = s->taught_by[member] = to;
  s->explores[member] = true;
}

// Plain PBT (docs/algorithms.md, D24) -------------------------------------------------------------

// A member among the best share of the others goes on; one that is not becomes one of the best.
static void truncate(Selection* s, int member, int living, Rng* rng) {
  int others = s->options->members - 1;
  int keep = (int)ceil(others * (1 - s->options->truncation) - ROUNDING);
  int copied = (int)ceil(others * s->options->truncation - ROUNDING);
  int64_t drawn = rng_below(rng, copied > 0 ? copied : 1);
  if (place_of(s, member) >= keep && copied > 0) {
    go_over(s, member, s->ranking[drawn % (copied < living ? copied : living)]);
  }
}

// Several frequencies (docs/algorithms.md, D25) ---------------------------------------------------

static void rank_part(Selection* s, int part) {
  int count = 0;
  for (int i = 0; i < s->options->members; i++) {
    if (part_of(s, s->ranking[i]) == part) {
      s->best[count++] = s->ranking[i];
    }
  }
}

// The worst quarter of a part becomes its best one, in pairs.
static void select_within(Selection* s) {
  int quarter = s->part_size / 4;
  for (int i = 0; i < quarter; i++) {
    go_over(s, s->best[s->part_size - quarter + i], s->best[i]);
  }
}

// What comes from a part that evolves more slowly brings its hyperparameters along; what comes from
// a faster, greedier one is taught by the best of the own part.
static void take_over(Selection* s, int member, int migrant) {
  const double* interval = s->options->frequencies.value;
  double own = interval[part_of(s, member)], other = interval[part_of(s, migrant)];
  s->parent[member] = migrant;
  s->taught_by[member] = own < other ? migrant : own > other ? s->best[0] : member;
}

// The third quarter of a part takes over the best of the others, where they are better.
static void migrate(Selection* s, int part) {
  int quarter = s->part_size / 4, next = 0;
  for (int i = 2 * quarter; i < 3 * quarter; i++) {
    while (next < s->options->members && part_of(s, s->ranking[next]) == part) {
      next++;
    }
    if (next < s->options->members && is_better(s, s->ranking[next], s->best[i])) {
      take_over(s, s->best[i], s->ranking[next++]);
    }
  }
}

static void evolve_parts(Selection* s, int round) {
  for (int part = 0; part < s->options->frequencies.count; part++) {
    if ((round + 1) % (int)s->options->frequencies.value[part] == 0) {
      rank_part(s, part);
      select_within(s);
      migrate(s, part);
    }
  }
}

// -------------------------------------------------------------------------------------------------

// There is nothing to go on with where a parent diverged: the best of its part is, or of all.
static void replace_diverged(Selection* s) {
  for (int i = 0; i < s->options->members; i++) {
    if (!lives(s, s->parent[i])) {
      rank_part(s, part_of(s, i));
      go_over(s, i, lives(s, s->best[0]) ? s->best[0] : s->ranking[0]);
    }
  }
}

// Each place by itself a little up or down; or, with a probability, all anew.
static void explore(SearchPoint* point, const PbtOptions* o, Rng* rng) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    double factor = rng_uniform(rng) < 0.5 ? 1 - o->perturbation : 1 + o->perturbation;
    point->place[h] = fmin(1, point->place[h] * factor);
  }
  if (rng_uniform(rng) < o->resample) {
    search_draw(point, rng);
  }
}

static Rng stream_of(const PbtOptions* o, int round, int member, uint64_t seed) {
  return rng_stream(seed, (int64_t)round * o->members + member, RNG_POPULATION, 0);
}

void population_begin(Member* members, const PbtOptions* o, uint64_t seed) {
  for (int i = 0; i < o->members; i++) {
    Rng rng = stream_of(o, 0, i, seed);
    members[i].parent = i;
    search_draw(&members[i].point, &rng);
  }
}

static Selection selection_of(const double* scores, const PbtOptions* o, Arena* scratch) {
  Selection s = {.options = o, .scores = scores, .part_size = o->members / o->frequencies.count};
  s.ranking = ARENA_NEW(scratch, o->members, int);
  s.best = ARENA_NEW(scratch, s.part_size, int);
  s.parent = ARENA_NEW(scratch, o->members, int);
  s.taught_by = ARENA_NEW(scratch, o->members, int);
  s.explores = ARENA_NEW(scratch, o->members, bool);
  for (int i = 0; i < o->members; i++) {
    s.parent[i] = s.taught_by[i] = i;
    s.explores[i] = false;
  }
  rank(&s);
  return s;
}

bool population_evolve(Member* next, const Member* now, const double* scores, int round,
                       const PbtOptions* o, uint64_t seed, Arena* scratch, Error* error) {
  ArenaMark mark = arena_mark(scratch);
  Selection s = selection_of(scores, o, scratch);
  Rng* rng = ARENA_NEW(scratch, o->members, Rng);
  int living = 0;
  for (int i = 0; i < o->members; i++) {
    rng[i] = stream_of(o, round + 1, i, seed);
    living += lives(&s, i);
  }
  if (o->frequencies.count > 1) {
    evolve_parts(&s, round);
  }
  for (int i = 0; i < o->members && o->frequencies.count == 1 && living > 0; i++) {
    truncate(&s, i, living, &rng[i]);
  }
  replace_diverged(&s);
  for (int i = 0; i < o->members; i++) {
    next[i] = (Member){.parent = s.parent[i], .point = now[s.taught_by[i]].point};
    if (s.explores[i]) {
      explore(&next[i].point, o, &rng[i]);
    }
  }
  arena_release(scratch, mark);
  return living > 0 || error_set(error,
                                 "all %d members of round %d diverged: none is left to go on from",
                                 o->members, round);
}
