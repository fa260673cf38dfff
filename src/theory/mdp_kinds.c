// mdp_kinds.c - the built-in problems, and their optimal values by value iteration.
//
// Three kinds fill the same grid of cells: a ring with two hills of reward, of which the nearer may
// be the smaller; the pendulum, its moves rounded to cells; and smooth random maps, drawn from a
// seed. All end in set_move, which squeezes rewards so that they stay in [0, 1] with the wiggle
// added: V_max is then known.
//
// They are small because the optimal value must be known exactly, and the constants of the bound
// too. They are deterministic because then the model's error is all that is random in a move.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "theory/mdp.h"

#define TWO_PI 6.283185307179586476925286766559
#define LARGEST_GRID 4096

// Pendulum-v1 of Gymnasium: gravity, mass, length, its torque and speed limits and time step.
#define GRAVITY 10.0
#define TORQUE 2.0
#define SPEED 8.0
#define TIME_STEP 0.05
// Steps of one decision: enough that a push leaves its cell of a coarse grid.
#define STEPS_PER_ACTION 4
#define LARGEST_COST (0.25 * TWO_PI * TWO_PI + 0.1 * SPEED * SPEED + 0.001 * TORQUE * TORQUE)

#define RANDOM_WAVES 3

static void set_grid(Mdp* mdp, int dims, int size, int actions, Arena* arena) {
  mdp->dims = dims;
  mdp->cells = 1;
  for (int d = 0; d < dims; d++) {
    mdp->size[d] = size;
    mdp->cells *= size;
  }
  CHECK(mdp->cells <= LARGEST_GRID, "%d cells are more than %d", mdp->cells, LARGEST_GRID);
  mdp->actions = actions;
  mdp->next = ARENA_NEW(arena, mdp->cells * actions, int);
  mdp->rew = ARENA_NEW(arena, mdp->cells * actions, double);
  mdp->v_star = ARENA_NEW(arena, mdp->cells, double);
}

// Writes a move; the reward in [0, 1] is squeezed so that the wiggle keeps it there.
static void set_move(Mdp* mdp, int cell, int a, int next, double rew) {
  size_t at = (size_t)cell * (size_t)mdp->actions + (size_t)a;
  mdp->next[at] = next;
  mdp->rew[at] = 0.5 * mdp->wiggle + (1.0 - mdp->wiggle) * rew;
}

// A hill of reward of the given height and half-width around a place of the circle.
static double hill(double x, double center, double height, double half_width) {
  double distance = fabs(x - center);
  distance = fmin(distance, 1.0 - distance);
  return height * fmax(0.0, 1.0 - distance / half_width);
}

// The smaller hill hides the larger one: near it, the best action depends on how far one looks.
static void build_ring(Mdp* mdp, int size, Arena* arena) {
  set_grid(mdp, 1, size, 2, arena);
  mdp->width[0] = 1.0 / size;
  mdp->wraps[0] = 1;
  for (int cell = 0; cell < size; cell++) {
    double x = (cell + 0.5) / size;
    double rew = fmax(hill(x, 0.25, 0.6, 0.2), hill(x, 0.7, 1.0, 0.2));
    set_move(mdp, cell, 0, (cell + size - 1) % size, rew);
    set_move(mdp, cell, 1, (cell + 1) % size, rew);
  }
}

static void swing(double* angle, double* speed, double torque) {
  for (int step = 0; step < STEPS_PER_ACTION; step++) {
    *speed += (1.5 * GRAVITY * sin(*angle) + 3.0 * torque) * TIME_STEP;
    *speed = fmin(fmax(*speed, -SPEED), SPEED);
    *angle += *speed * TIME_STEP;
  }
}

// Angle 0 is upright and at the centre of a cell; speed runs from -SPEED to SPEED.
static void build_pendulum(Mdp* mdp, int size, Arena* arena) {
  set_grid(mdp, 2, size, 3, arena);
  mdp->width[0] = TWO_PI / size;
  mdp->width[1] = 2.0 * SPEED / size;
  mdp->wraps[0] = 1;
  for (int cell = 0; cell < mdp->cells; cell++) {
    int angle_cell = cell / size;
    double from_angle = (angle_cell - size / 2) * mdp->width[0];
    double from_speed = (cell % size + 0.5) * mdp->width[1] - SPEED;
    for (int a = 0; a < 3; a++) {
      double torque = (a - 1) * TORQUE;
      double cost = from_angle * from_angle + 0.1 * from_speed * from_speed;
      cost += 0.001 * torque * torque;
      double angle = from_angle;
      double speed = from_speed;
      swing(&angle, &speed, torque);
      int row = (int)floor(angle / mdp->width[0] + 0.5) + size / 2;
      row = ((row % size) + size) % size;
      int column = (int)floor((speed + SPEED) / mdp->width[1]);
      column = column < size ? column : size - 1;
      set_move(mdp, cell, a, row * size + column, 1.0 - cost / LARGEST_COST);
    }
  }
}

typedef struct {
  double height[RANDOM_WAVES], phase[RANDOM_WAVES];
} Wave;

static Wave draw_wave(Rng* rng) {
  Wave wave = {0};
  for (int w = 0; w < RANDOM_WAVES; w++) {
    wave.height[w] = rng_range(rng, -1.0, 1.0) / (w + 1);
    wave.phase[w] = rng_uniform(rng);
  }
  return wave;
}

// In [-1, 1], with a slope of at most 2 pi RANDOM_WAVES.
static double wave_at(const Wave* wave, double x) {
  double value = 0.0;
  double norm = 0.0;
  for (int w = 0; w < RANDOM_WAVES; w++) {
    value += wave->height[w] * sin(TWO_PI * ((w + 1) * x + wave->phase[w]));
    norm += fabs(wave->height[w]);
  }
  return value / norm;
}

static void build_random(Mdp* mdp, int size, uint64_t seed, Arena* arena) {
  set_grid(mdp, 1, size, 3, arena);
  mdp->width[0] = 1.0 / size;
  mdp->wraps[0] = 1;
  Rng rng = rng_stream(seed, 0, RNG_THEORY, (1 << 24) - 1);
  for (int a = 0; a < 3; a++) {
    Wave map = draw_wave(&rng);
    Wave rew = draw_wave(&rng);
    double shift = rng_range(&rng, -0.2, 0.2);
    for (int cell = 0; cell < size; cell++) {
      double x = (cell + 0.5) / size;
      double to = x + shift + 0.1 * wave_at(&map, x);
      int next = (int)((to - floor(to)) * size) % size;
      set_move(mdp, cell, a, next, 0.5 + 0.5 * wave_at(&rew, x));
    }
  }
}

// Ends for the reason given at mdp_evaluate.
static void solve(Mdp* mdp) {
  double change = INFINITY;
  while (change > 0.0) {
    change = 0.0;
    for (int cell = 0; cell < mdp->cells; cell++) {
      double updated = mdp_backup(mdp, mdp->v_star, cell);
      change = fmax(change, fabs(updated - mdp->v_star[cell]));
      mdp->v_star[cell] = updated;
    }
  }
}

void mdp_init(Mdp* mdp, MdpKind kind, int size, double gamma, double gap, double wiggle,
              uint64_t seed, Arena* arena) {
  CHECK(size >= 2, "%d cells", size);
  CHECK(gamma > 0.0 && gamma < 1.0, "gamma %g", gamma);
  CHECK(gap > 0.0 && gap <= 1.0, "gap %g", gap);
  CHECK(wiggle >= 0.0 && wiggle < 1.0, "wiggle %g", wiggle);
  memset(mdp, 0, sizeof *mdp);
  mdp->gamma = gamma;
  mdp->v_max = 1.0 / (1.0 - gamma);
  mdp->gap = gap;
  mdp->wiggle = wiggle;
  if (kind == MDP_RING) {
    build_ring(mdp, size, arena);
  } else if (kind == MDP_PENDULUM) {
    build_pendulum(mdp, size, arena);
  } else {
    build_random(mdp, size, seed, arena);
  }
  solve(mdp);
}
