#include "hyper/search_space.h"

#include <math.h>

void search_draw(SearchPoint* point, Rng* rng) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    point->place[h] = rng_uniform(rng);
  }
}

// One of low ... high: each has an equal share of the places.
static double pick(double place, int low, int high) {
  int count = high - low + 1;
  return low + fmin(floor(place * count), count - 1);
}

double search_value(const SearchPoint* point, HyperHead h, const SearchOptions* s,
                    const HyperOptions* o) {
  double place = point->place[h];
  switch (h) {
    case HEAD_TRAIN_MODEL:
      return pick(place, 1, s->train_every_max);
    case HEAD_REAL_RATIO:
      return o->real_ratio_min + place * (o->real_ratio_max - o->real_ratio_min);
    case HEAD_POLICY_UPDATES:
      return pick(place, o->policy_updates_min, o->policy_updates_max);
    case HEAD_ROLLOUT_LENGTH:
      return pick(place, o->rollout_length_min, o->rollout_length_max);
    default:
      CHECK(false, "head %d has no range", (int)h);
  }
}

void search_decide(HyperAction* action, const SearchPoint* point, int64_t decision,
                   const HyperState* state, const SearchOptions* s, const HyperOptions* o) {
  for (int i = 0; i < HEAD_COUNT; i++) {
    HyperHead h = (HyperHead)i;
    double value = search_value(point, h, s, o);
    action->sets[h] = state->allowed[h] != 0;
    if (action->sets[h]) {
      action->value[h] = h == HEAD_TRAIN_MODEL ? decision % (int64_t)value == 0 : value;
    }
  }
}
