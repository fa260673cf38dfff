// ror_trainer.c - a Q-network of two hidden layers of eight ELU units, by hand.
//
// The whole batch of all actions is sixteen rows of four inputs and a constant, so that loops in
// double are as fast as anything, and the gradient of one transition is one pass back through them.
// nn/ is not used: its state would be arrays elsewhere, while this struct of doubles travels as the
// notes of a hyper-episode, through messages and checkpoints, by memcpy.
//
// A decision is: learn from the reward of the last interval (learn, update), then explore or take
// the best action. The state is constant, so that the value of the next state is one maximum for
// the whole batch.
#include "hyper/ror_trainer.h"

#include <math.h>
#include <string.h>

#define INPUTS (1 + ROR_HEADS)
#define ACTIONS (1 << ROR_HEADS)
#define INIT_SD 0.001
#define DECAY 0.95     // Adadelta (Zeiler 2012)
#define EPSILON 1e-6   // likewise

// Offsets into the parameters: weights (in, out), then biases, layer by layer.
enum {
  W1 = 0, B1 = W1 + INPUTS * ROR_UNITS,
  W2 = B1 + ROR_UNITS, B2 = W2 + ROR_UNITS * ROR_UNITS,
  W3 = B2 + ROR_UNITS, B3 = W3 + ROR_UNITS,
};

typedef struct {
  double in[INPUTS], first[ROR_UNITS], second[ROR_UNITS];
} Pass;

static double elu(double x) { return x > 0 ? x : expm1(x); }

// By its value.
static double elu_slope(double y) { return y > 0 ? 1 : y + 1; }

static double forward(Pass* pass, const double* p, int action) {
  pass->in[0] = 1;
  for (int h = 0; h < ROR_HEADS; h++) {
    pass->in[1 + h] = action >> h & 1;
  }
  double q = p[B3];
  for (int j = 0; j < ROR_UNITS; j++) {
    double sum = p[B1 + j];
    for (int i = 0; i < INPUTS; i++) {
      sum += pass->in[i] * p[W1 + i * ROR_UNITS + j];
    }
    pass->first[j] = elu(sum);
  }
  for (int j = 0; j < ROR_UNITS; j++) {
    double sum = p[B2 + j];
    for (int i = 0; i < ROR_UNITS; i++) {
      sum += pass->first[i] * p[W2 + i * ROR_UNITS + j];
    }
    pass->second[j] = elu(sum);
    q += pass->second[j] * p[W3 + j];
  }
  return q;
}

// Adds dq times the gradient of Q.
static void backward(double* g, const Pass* pass, const double* p, double dq) {
  double d_second[ROR_UNITS], d_first[ROR_UNITS] = {0};
  g[B3] += dq;
  for (int j = 0; j < ROR_UNITS; j++) {
    g[W3 + j] += dq * pass->second[j];
    d_second[j] = dq * p[W3 + j] * elu_slope(pass->second[j]);
    g[B2 + j] += d_second[j];
  }
  for (int i = 0; i < ROR_UNITS; i++) {
    for (int j = 0; j < ROR_UNITS; j++) {
      g[W2 + i * ROR_UNITS + j] += d_second[j] * pass->first[i];
      d_first[i] += d_second[j] * p[W2 + i * ROR_UNITS + j];
    }
    d_first[i] *= elu_slope(pass->first[i]);
    g[B1 + i] += d_first[i];
  }
  for (int i = 0; i < INPUTS; i++) {
    for (int j = 0; j < ROR_UNITS; j++) {
      g[W1 + i * ROR_UNITS + j] += d_first[j] * pass->in[i];
    }
  }
}

void ror_values(double* values, const double* network) {
  Pass pass;
  for (int a = 0; a < ACTIONS; a++) {
    values[a] = forward(&pass, network, a);
  }
}

void ror_begin(RorTrainer* t, Rng* rng) {
  *t = (RorTrainer){.begun = 1};
  for (int i = 0; i < ROR_PARAMS; i++) {
    bool bias = (i >= B1 && i < W2) || (i >= B2 && i < W3) || i == B3;
    t->network[i] = bias ? 0 : INIT_SD * rng_normal(rng);
  }
  memcpy(t->target, t->network, sizeof t->target);
  ror_forget_last(t);
}

void ror_forget_last(RorTrainer* t) {
  t->last_action = -1;
  t->last_reward = NAN;
}

static bool is_action(int action, unsigned mask) { return ((unsigned)action & ~mask) == 0; }

static double largest(const double* values, unsigned mask) {
  double most = -INFINITY;
  for (int a = 0; a < ACTIONS; a++) {
    most = is_action(a, mask) ? fmax(most, values[a]) : most;
  }
  return most;
}

static void adadelta(RorTrainer* t, const double* g, double learning_rate) {
  for (int i = 0; i < ROR_PARAMS; i++) {
    t->gradient_square[i] = DECAY * t->gradient_square[i] + (1 - DECAY) * g[i] * g[i];
    double step =
        sqrt(t->step_square[i] + EPSILON) / sqrt(t->gradient_square[i] + EPSILON) * g[i];
    t->step_square[i] = DECAY * t->step_square[i] + (1 - DECAY) * step * step;
    t->network[i] -= learning_rate * step;
  }
}

// One step on the mean squared error of a batch: the next state is the same constant.
static void update(RorTrainer* t, unsigned mask, const RorOptions* o, Rng* rng) {
  double values[ACTIONS], gradient[ROR_PARAMS] = {0};
  int64_t held = t->transitions < ROR_MEMORY ? (int64_t)t->transitions : ROR_MEMORY;
  ror_values(values, t->target);
  double next = o->discount * largest(values, mask);
  for (int b = 0; b < o->batch_size; b++) {
    int64_t at = rng_below(rng, held);
    Pass pass;
    double error = forward(&pass, t->network, (int)t->action[at]) - (t->reward[at] + next);
    backward(gradient, &pass, t->network, 2 * error / o->batch_size);
  }
  adadelta(t, gradient, o->learning_rate);
  for (int i = 0; i < ROR_PARAMS; i++) {
    t->target[i] += o->target_mixing * (t->network[i] - t->target[i]);
  }
}

// The reward of an action is the sign of how the mean real reward changed.
static void learn(RorTrainer* t, unsigned mask, double real_reward, const RorOptions* o, Rng* rng) {
  if (t->last_action < 0 || isnan(t->last_reward) || isnan(real_reward)) {
    return;
  }
  double change = real_reward - t->last_reward;
  int at = (int)fmod(t->transitions, ROR_MEMORY);
  t->action[at] = t->last_action;
  t->reward[at] = (change > 0) - (change < 0);
  t->transitions++;
  for (int i = 0; i < o->updates; i++) {
    update(t, mask, o, rng);
  }
}

// Of the actions that differ in the bits of the mask, the best, with noise in place of a rule for
// ties.
static int best_action(const RorTrainer* t, unsigned mask, double tie_noise, Rng* rng) {
  double values[ACTIONS], least = INFINITY, best = -INFINITY;
  int found = 0;
  ror_values(values, t->network);
  for (int a = 0; a < ACTIONS; a++) {
    least = is_action(a, mask) ? fmin(least, values[a]) : least;
  }
  double range = largest(values, mask) - least;
  for (int a = 0; a < ACTIONS; a++) {
    double value = values[a] + tie_noise * range * rng_uniform(rng);
    if (is_action(a, mask) && value > best) {
      best = value;
      found = a;
    }
  }
  return found;
}

int ror_decide(RorTrainer* t, unsigned mask, double real_reward, const RorOptions* o, Rng* rng) {
  double share = o->learn ? fmax(0, 1 - 0.9 * t->decisions / o->explore_decisions) : 0;
  if (o->learn) {
    learn(t, mask, real_reward, o, rng);
  }
  bool explores = rng_uniform(rng) < share;
  int drawn = (int)((unsigned)rng_below(rng, ACTIONS) & mask);
  int action = explores ? drawn : best_action(t, mask, o->tie_noise, rng);
  t->decisions++;
  t->last_action = action;
  t->last_reward = real_reward;
  return action;
}
