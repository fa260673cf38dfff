// population.h - population-based training: after each round, who goes on from whom, and with which
// hyperparameters (Zhang et al. 2021, as coded for PETS; docs/algorithms.md, D24).
//
// Plain PBT looks at no more than one round, and is known to be greedy. With several frequencies
// (MF-PBT, Doulazmi et al. 2025) the population has as many parts, of which each evolves at its
// own interval and takes up from the others what is better (D25).
#ifndef HYPER_POPULATION_H
#define HYPER_POPULATION_H

#include "base/error.h"
#include "hyper/search_space.h"

#define PBT_OPTIONS(OPT) \
  OPT(INT, members, 8, 2, 10000, "runs", "members of the population") \
  OPT(INT, interval, 5, 1, 100000, "epochs", "length of a round, between two selections") \
  OPT(INT, score_epochs, 3, 1, 100000, "epochs", \
      "a member's score is its mean evaluation return over the last epochs of a round") \
  OPT(REAL, truncation, 0.2, 0, 0.5, "", \
      "share of the others that a member must beat to go on, and that may be copied") \
  OPT(REAL, perturbation, 0.2, 0, 1, "", \
      "a copied hyperparameter's place in its range changes by this share, up or down") \
  OPT(REAL, resample, 0.25, 0, 1, "", "probability that a copy draws all hyperparameters anew") \
  OPT(LIST, frequencies, "[1]", 1, 100000, "rounds", \
      "rounds between two selections of each part of the population; one = plain PBT")

typedef struct {
  PBT_OPTIONS(OPTION_FIELD)
} PbtOptions;

typedef struct {
  int parent;         // member that it goes on from; itself, unless it lost
  SearchPoint point;  // its hyperparameters
} Member;

// The first round: members (options->members) with points drawn at random.
void population_begin(Member* members, const PbtOptions* options, uint64_t seed);

// The next round from the scores (members) of round `round`; NaN: that member diverged, and cannot
// be gone on from. Fails when all of them have.
bool population_evolve(Member* next, const Member* now, const double* scores, int round,
                       const PbtOptions* options, uint64_t seed, Arena* scratch, Error* error);

#endif  // HYPER_POPULATION_H
