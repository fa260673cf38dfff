// transition.h - where the fields of a transition are in its row:
//   obs (O) | act (A) in [-1, 1] | next_obs (O) | rew | terminated (0 or 1) | logp
// A row is what both the buffers and the running episode hold. Nobody else knows its layout.
#ifndef ENV_TRANSITION_H
#define ENV_TRANSITION_H

#include <stdbool.h>

#include "base/real.h"

typedef struct {
  int obs_size;  // O
  int act_size;  // A
  int size;      // numbers of a row: 2 O + A + 3
} TransitionRow;

static inline TransitionRow transition_row(int obs_size, int act_size) {
  return (TransitionRow){obs_size, act_size, 2 * obs_size + act_size + 3};
}

static inline const Real* transition_obs(const TransitionRow* layout, const Real* row) {
  (void)layout;
  return row;
}

static inline const Real* transition_act(const TransitionRow* layout, const Real* row) {
  return row + layout->obs_size;
}

static inline const Real* transition_next_obs(const TransitionRow* layout, const Real* row) {
  return row + layout->obs_size + layout->act_size;
}

static inline Real transition_rew(const TransitionRow* layout, const Real* row) {
  return row[layout->size - 3];
}

static inline bool transition_terminated(const TransitionRow* layout, const Real* row) {
  return row[layout->size - 2] != 0;
}

// Log-density of the action under the policy that acted.
static inline Real transition_logp(const TransitionRow* layout, const Real* row) {
  return row[layout->size - 1];
}

// The fields of a row that is being written.
typedef struct {
  Real *obs, *act, *next_obs;       // (O), (A), (O)
  Real *rew, *terminated, *logp;
} TransitionFields;

static inline TransitionFields transition_fields(const TransitionRow* layout, Real* row) {
  Real* next_obs = row + layout->obs_size + layout->act_size;
  Real* end = row + layout->size;
  return (TransitionFields){row, row + layout->obs_size, next_obs, end - 3, end - 2, end - 1};
}

static inline void transition_copy(Real* out, const Real* in, int count) {
  for (int i = 0; i < count; i++) {
    out[i] = in[i];
  }
}

#endif  // ENV_TRANSITION_H
