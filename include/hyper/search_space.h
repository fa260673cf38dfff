// search_space.h - the space of hyperparameters that do not change by steps: a range for each, and
// points in it.
//
// A range is what hyper.* lets a controller reach of the same hyperparameter. A point has a place
// in [0, 1] for each, so that to perturb one is the same for all; numbers without fractions share
// the places equally. Whether to train the model becomes a hyperparameter by its interval, in
// decisions.
#ifndef HYPER_SEARCH_SPACE_H
#define HYPER_SEARCH_SPACE_H

#include "hyper/hyper_mdp.h"

#define SEARCH_OPTIONS(OPT) \
  OPT(INT, train_every_max, 8, 1, 1000000, "decisions", \
      "longest interval between two model trainings that is tried")

typedef struct {
  SEARCH_OPTIONS(OPTION_FIELD)
} SearchOptions;

typedef struct {
  double place[HEAD_COUNT];  // in [0, 1]
} SearchPoint;

// A point of the uniform distribution over all places.
void search_draw(SearchPoint* point, Rng* rng);

// What the place of a head stands for: decisions between two model trainings, beta, G or k.
double search_value(const SearchPoint* point, HyperHead head, const SearchOptions* options,
                    const HyperOptions* hyper);

// Gives the heads that may act the values of a point. The model is trained at the first decision
// of the run (`decision` counts from there) and then at its interval.
void search_decide(HyperAction* action, const SearchPoint* point, int64_t decision,
                   const HyperState* state, const SearchOptions* options,
                   const HyperOptions* hyper);

#endif  // HYPER_SEARCH_SPACE_H
