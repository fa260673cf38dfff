// mdp.h - deterministic MDPs with finite actions whose optimal values are known.
//
// A state is (cell, offset): a cell of a regular grid in 1 or 2 dimensions, and a place within the
// cell's plateau, offset in [0, 1) per dimension. An action moves the cell and keeps the offset:
//   s' = (next[cell][a], offset),  r = rew[cell][a] + wiggle (offset_0 - 1/2).
// So the state space is continuous, but V* and V^pi are one value per cell plus
// wiggle (offset_0 - 1/2) / (1 - gamma), and finite dynamic programming gives them exactly.
// Rewards are in [0, 1], thus V_max = 1 / (1 - gamma).
//
// The function class is one value per cell: constant on the plateaus, and multilinear across the
// gaps between them, where no real state lies but a model's prediction may. With gap = 1 the
// plateaus are points, and the functions piecewise linear. Values in [0, V_max] make every function
// of the class Lipschitz with mdp_lipschitz.
#ifndef THEORY_MDP_H
#define THEORY_MDP_H

#include <stdint.h>

#include "base/arena.h"

#define MDP_DIMS 2

typedef enum {
  MDP_RING,      // steps to the left or right on a circle, two hills of reward
  MDP_PENDULUM,  // swing-up with three torques, snapped to a grid of angle and velocity
  MDP_RANDOM,    // three random Lipschitz maps and rewards on a circle, snapped to cells
} MdpKind;

typedef struct {
  int dims;
  int size[MDP_DIMS];      // cells per dimension
  double width[MDP_DIMS];  // of a cell, in units of the state
  int wraps[MDP_DIMS];     // whether the dimension is a circle
  int cells;               // n, the product of size
  int actions;             // A
  double gamma;
  double v_max;
  double gap;      // fraction of a cell's width that is not plateau, in (0, 1]
  double wiggle;   // slope of the reward within a cell
  int* next;       // (n, A)
  double* rew;     // (n, A)
  double* v_star;  // (n) optimal values at offset 1/2
} Mdp;

// Builds a problem; `size` cells per dimension. `seed` matters for MDP_RANDOM only.
void mdp_init(Mdp* mdp, MdpKind kind, int size, double gamma, double gap, double wiggle,
              uint64_t seed, Arena* arena);

// Values (n) of a policy (n), at offset 1/2.
void mdp_evaluate(double* value, const Mdp* mdp, const int* policy);

// The greedy policy (n) with respect to a function of the class; the first of equal actions.
void mdp_greedy(int* policy, const Mdp* mdp, const double* value);

// (B value)(cell) at offset 1/2.
double mdp_backup(const Mdp* mdp, const double* value, int cell);

// || V* - V^pi ||_{p,rho} of the worst policy: no bound above it says anything about the problem.
double mdp_worst_loss(const Mdp* mdp, double p, Arena* scratch);

// Value of a function of the class anywhere: `at` is in units of the state from the grid's corner;
// outside the grid it is wrapped or clipped.
double mdp_value_at(const Mdp* mdp, const double* value, const double at[MDP_DIMS]);

// Where a state lies, for mdp_value_at.
void mdp_place(double at[MDP_DIMS], const Mdp* mdp, int cell, const double offset[MDP_DIMS]);

// K_V: no function of the class changes more per unit of Euclidean distance.
double mdp_lipschitz(const Mdp* mdp);

// The largest slope of one function of the class.
double mdp_slope(const Mdp* mdp, const double* value);

// d_{p,mu}(BF, F) under the uniform mu, exactly: what a constant leaves of the wiggle.
double mdp_bellman_error(const Mdp* mdp, double p);

// || g - wiggle (offset - 1/2) ||_p^p over uniform offsets.
double mdp_cell_power(double g, double wiggle, double p);

// C_{rho,mu} for uniform rho and mu, exactly: (1 - gamma)^2 sum_m m gamma^{m-1} c(m), where c(m) is
// the largest number of cells that some policies can bring to one cell in m steps. `scratch` holds
// n^2 / 4 bytes meanwhile.
double mdp_concentrability(const Mdp* mdp, Arena* scratch);

#endif  // THEORY_MDP_H
