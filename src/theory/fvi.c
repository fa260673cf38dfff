// fvi.c - one run of fitted value iteration: sample, back up, fit, K times; then judge the greedy
// policy.
//
// A Run holds what one job needs. An iteration draws N states, backs each up over real next states
// with probability beta and over the model's otherwise (equation 4), and fits one value to each
// cell. Errors of steps are measured exactly, cell by cell, because the problem is solved
// beforehand.
//
// Every setting of one seed draws from the same streams, one for each iteration, in an order that
// does not depend on beta, sigma or N. So two settings differ by what they are and not by luck, and
// far fewer seeds show it. Fresh model errors have streams of their own, since how many are drawn
// depends on beta.
#include "theory/fvi.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/real.h"
#include "base/rng.h"
#include "theory/regression.h"

// States that are drawn together.
#define CHUNK 1024

// Streams of one seed: 0 the fixed model errors, 1 + k iteration k, FRESH + k its fresh errors.
#define FRESH (1 << 20)

#define TWO_PI 6.283185307179586476925286766559

// What one run needs beside its plan.
typedef struct {
  const Mdp* mdp;
  const FviSetting* setting;
  double* fixed_error;  // (n, A, MDP_DIMS), or NULL: a fresh error for each sample
  int* cell;            // (N)
  double* target;       // (N)
  Real* draws;          // (CHUNK, 1 + dims + A)
  Rng fresh;            // of fresh model errors
  int64_t real;         // real next states so far
} Run;

void fvi_model_error(double error[MDP_DIMS], double sigma, int dims, Rng* rng) {
  double length = sigma * rng_normal(rng);
  if (dims == 1) {
    error[0] = length;
    return;
  }
  double angle = TWO_PI * rng_uniform(rng);
  error[0] = length * cos(angle);
  error[1] = length * sin(angle);
}

static void draw_fixed_errors(Run* run, Rng* rng, Arena* scratch) {
  const Mdp* mdp = run->mdp;
  size_t moves = (size_t)mdp->cells * (size_t)mdp->actions;
  run->fixed_error = ARENA_NEW(scratch, moves * MDP_DIMS, double);
  for (size_t move = 0; move < moves; move++) {
    fvi_model_error(run->fixed_error + move * MDP_DIMS, run->setting->sigma, mdp->dims, rng);
  }
}

// Value at the next state that the model predicts.
static double imagined_value(Run* run, const double* value, size_t move,
                             const double offset[MDP_DIMS]) {
  const Mdp* mdp = run->mdp;
  double fresh[MDP_DIMS];
  const double* error = fresh;
  if (run->fixed_error != NULL) {
    error = run->fixed_error + move * MDP_DIMS;
  } else {
    fvi_model_error(fresh, run->setting->sigma, mdp->dims, &run->fresh);
  }
  double at[MDP_DIMS];
  mdp_place(at, mdp, mdp->next[move], offset);
  for (int d = 0; d < mdp->dims; d++) {
    at[d] += error[d];
  }
  return mdp_value_at(mdp, value, at);
}

// Equation (4) for one state. `draw` (1 + dims + A) holds uniform numbers: the cell, the offsets,
// and for each action whether its next state is real.
static void sample_target(int* cell_out, double* target, Run* run, const double* value,
                          const Real* draw) {
  const Mdp* mdp = run->mdp;
  int cell = (int)((double)draw[0] * mdp->cells);
  double offset[MDP_DIMS] = {0};
  for (int d = 0; d < mdp->dims; d++) {
    offset[d] = (double)draw[1 + d];
  }
  double best = -INFINITY;
  for (int a = 0; a < mdp->actions; a++) {
    size_t move = (size_t)cell * (size_t)mdp->actions + (size_t)a;
    bool real = (double)draw[1 + mdp->dims + a] < run->setting->real_ratio;
    double next_value = value[mdp->next[move]];
    if (!real) {
      next_value = imagined_value(run, value, move, offset);
    }
    best = fmax(best, mdp->rew[move] + mdp->gamma * next_value);
    run->real += real;
  }
  *cell_out = cell;
  *target = best + mdp->wiggle * (offset[0] - 0.5);
}

// N states, uniform over cells and offsets, and their backed-up values.
static void sample_targets(Run* run, const double* value, Rng* rng) {
  int width = 1 + run->mdp->dims + run->mdp->actions;
  int64_t samples = run->setting->samples;
  for (int64_t first = 0; first < samples; first += CHUNK) {
    int64_t count = samples - first < CHUNK ? samples - first : CHUNK;
    rng_fill_uniform(run->draws, count * width, rng);
    for (int64_t i = 0; i < count; i++) {
      sample_target(&run->cell[first + i], &run->target[first + i], run, value,
                    run->draws + i * width);
    }
  }
}

// || fitted - B value ||_{p,mu}
static double step_error(const Mdp* mdp, const double* fitted, const double* value, double p) {
  double sum = 0.0;
  for (int cell = 0; cell < mdp->cells; cell++) {
    sum += mdp_cell_power(fitted[cell] - mdp_backup(mdp, value, cell), mdp->wiggle, p);
  }
  return pow(sum / mdp->cells, 1.0 / p);
}

// || V* - value ||_{p,rho}; `wiggle` is the slope of the difference within a cell.
static double distance(const Mdp* mdp, const double* value, double wiggle, double p) {
  double sum = 0.0;
  for (int cell = 0; cell < mdp->cells; cell++) {
    sum += mdp_cell_power(mdp->v_star[cell] - value[cell], wiggle, p);
  }
  return pow(sum / mdp->cells, 1.0 / p);
}

static double policy_loss(const Mdp* mdp, const double* value, double p, Arena* scratch) {
  ArenaMark mark = arena_mark(scratch);
  int* policy = ARENA_NEW(scratch, mdp->cells, int);
  double* policy_value = ARENA_NEW(scratch, mdp->cells, double);
  mdp_greedy(policy, mdp, value);
  mdp_evaluate(policy_value, mdp, policy);
  double loss = distance(mdp, policy_value, 0.0, p);
  arena_release(scratch, mark);
  return loss;
}

// The K iterations, from V_0 = 0; `value` (n) is V_K in the end.
static void iterate(FviResult* out, Run* run, double* value, const FviPlan* plan, int seed,
                    Arena* scratch) {
  const Mdp* mdp = run->mdp;
  double p = plan->options->p;
  double* before = ARENA_NEW(scratch, mdp->cells, double);
  for (int k = 0; k < run->setting->iterations; k++) {
    Rng rng = rng_stream((uint64_t)plan->options->seed, seed, RNG_THEORY, 1 + k);
    run->fresh = rng_stream((uint64_t)plan->options->seed, seed, RNG_THEORY, FRESH + k);
    memcpy(before, value, (size_t)mdp->cells * sizeof *value);
    sample_targets(run, value, &rng);
    fit_cells(value, run->cell, run->target, run->setting->samples, mdp->cells, p, scratch);
    out->step_error = fmax(out->step_error, step_error(mdp, value, before, p));
    out->slope = fmax(out->slope, mdp_slope(mdp, value));
  }
}

void fvi_job_run(FviResult* out, const FviPlan* plan, int64_t job, Arena* scratch) {
  CHECK(job >= 0 && job < fvi_job_count(plan), "job %lld", (long long)job);
  const FviSetting* setting = &plan->settings[job / plan->options->seeds];
  int seed = (int)(job % plan->options->seeds);
  CHECK(setting->samples > 0, "a setting that was not planned to be run");
  ArenaMark mark = arena_mark(scratch);
  Run run = {.mdp = &plan->mdp, .setting = setting};
  if (strcmp(plan->options->model, "fixed") == 0) {
    Rng rng = rng_stream((uint64_t)plan->options->seed, seed, RNG_THEORY, 0);
    draw_fixed_errors(&run, &rng, scratch);
  }
  int width = 1 + plan->mdp.dims + plan->mdp.actions;
  run.draws = ARENA_NEW(scratch, CHUNK * width, Real);
  run.cell = ARENA_NEW(scratch, setting->samples, int);
  run.target = ARENA_NEW(scratch, setting->samples, double);
  double* value = ARENA_NEW(scratch, plan->mdp.cells, double);
  memset(out, 0, sizeof *out);
  iterate(out, &run, value, plan, seed, scratch);
  const Mdp* mdp = &plan->mdp;
  double p = plan->options->p;
  out->loss = policy_loss(mdp, value, p, scratch);
  out->value_error = distance(mdp, value, mdp->wiggle * mdp->v_max, p);
  double drawn = (double)setting->samples * mdp->actions * setting->iterations;
  out->real_share = (double)run.real / drawn;
  arena_release(scratch, mark);
}
