// ppo.c - an update of the controller on the decisions of one stage (Algorithm 1, line 22).
//
// Trajectories, or pairs of forks (ppo_forks.c), are flattened into arrays of decisions (PpoData).
// A minibatch gathers some of them, takes the ratio of each head or of the joint action
// (measure_ratios), and each head that learns takes one Adam step up the clipped objective
// (update_head). There is no critic: the advantage is equation 9's and was sealed with the
// trajectory, or is the difference between forks.
//
// The ratio's denominator is what was recorded when the action was taken, not what an older network
// says now. So a stage may hold hyper-episodes of several versions (ppo.look_ahead), and folding is
// a function of files. Rows of heads that were not asked have no gradient; those without effect
// have one, like all others.
//
// The rest is bookkeeping of stages: the best version of a group, and the turn of the next group.
#include "hyper/ppo.h"

#include <math.h>
#include <string.h>

#include "nn/categorical.h"

int ppo_total_stages(const PpoOptions* o) {
  double sum = 0;
  for (int g = 0; g < o->stages.count; g++) {
    sum += o->stages.value[g];
  }
  return (int)sum;
}

int ppo_versions_kept(const PpoOptions* o) {
  return (o->look_ahead + o->episodes_per_update - 1) / o->episodes_per_update + 2;
}

int ppo_group_of_version(const PpoOptions* o, int version, int* stage_in_group) {
  int group = 0;
  while (group + 1 < o->stages.count && version >= (int)o->stages.value[group]) {
    version -= (int)o->stages.value[group];
    group++;
  }
  if (stage_in_group) {
    *stage_in_group = version;
  }
  return group;
}

double ppo_exploration(const PpoOptions* o, int version) {
  int stage;
  ppo_group_of_version(o, version, &stage);
  if (o->exploration_stages <= 0) {
    return stage == 0 ? o->exploration_start : 0;
  }
  return o->exploration_start * fmax(0, 1 - stage / o->exploration_stages);
}

// Data --------------------------------------------------------------------------------------------

void ppo_data_init(PpoData* data, int count, Arena* arena) {
  data->count = count;
  data->states = ARENA_NEW(arena, count * FEATURE_COUNT, Real);
  data->allowed = ARENA_NEW(arena, count * HEAD_COUNT, uint8_t);
  data->choices = ARENA_NEW(arena, count * HEAD_COUNT, int8_t);
  data->logp = ARENA_NEW(arena, count * HEAD_COUNT, double);
  data->advantage = ARENA_NEW(arena, count, double);
}

void ppo_data_collect(PpoData* data, const Trajectory* trajectories, int count, Arena* arena) {
  int N = 0;
  for (int i = 0; i < count; i++) {
    N += trajectories[i].decisions;
  }
  ppo_data_init(data, N, arena);
  int n = 0;
  for (int i = 0; i < count; i++) {
    const Trajectory* t = &trajectories[i];
    for (int f = 0; f < t->decisions * FEATURE_COUNT; f++) {
      data->states[n * FEATURE_COUNT + f] = (Real)t->state[f];
    }
    size_t heads = (size_t)t->decisions * HEAD_COUNT;
    memcpy(data->allowed + n * HEAD_COUNT, t->allowed, heads);
    memcpy(data->choices + n * HEAD_COUNT, t->action, heads);
    memcpy(data->logp + n * HEAD_COUNT, t->logp, heads * sizeof(double));
    memcpy(data->advantage + n, t->advantage, (size_t)t->decisions * sizeof(double));
    n += t->decisions;
  }
}

// One minibatch -----------------------------------------------------------------------------------

typedef struct {
  bool joint;                  // one ratio of the joint action
  int size;
  int32_t* order;              // (N) a permutation; its first `size` entries are the minibatch
  Real* states;                // (size, FEATURE_COUNT)
  uint8_t* allowed;            // (size, HEAD_COUNT)
  Real* inputs;                // (size, FEATURE_COUNT)
  Real* logp[HEAD_COUNT];      // (size, choices) of the heads that learn
  double* log_ratio;           // (size, HEAD_COUNT) log r that a head's gradient goes through
  Real* d_logits;              // (size, CATEGORICAL_MAX)
  Real* gradient;              // (largest head)
} Scratch;

static bool learns(const Controller* c, int h) {
  return c->heads[h].scheduled && c->heads[h].group == c->active_group;
}

static bool counts(const Controller* c, const PpoData* data, int32_t n, int h) {
  return learns(c, h) && data->choices[(size_t)n * HEAD_COUNT + (size_t)h] != ACTION_NONE;
}

// Takes decision n into row i of the minibatch.
static void take_decision(Scratch* s, const PpoData* data, int i, int32_t n) {
  memcpy(s->states + i * FEATURE_COUNT, data->states + (size_t)n * FEATURE_COUNT,
         FEATURE_COUNT * sizeof(Real));
  memcpy(s->allowed + i * HEAD_COUNT, data->allowed + (size_t)n * HEAD_COUNT, HEAD_COUNT);
}

// Draws `size` different decisions: the first steps of a Fisher-Yates shuffle.
static void draw_minibatch(Scratch* s, const PpoData* data, Rng* rng) {
  for (int i = 0; i < s->size; i++) {
    int j = i + (int)rng_below(rng, data->count - i);
    int32_t drawn = s->order[j];
    s->order[j] = s->order[i];
    s->order[i] = drawn;
    take_decision(s, data, i, drawn);
  }
}

// log r = log MC(a|s) - log MC_old(a|s) of each row: of a head's own choice, or of the joint action
// of the heads that were asked. rows (B): indices of the decisions.
static void measure_ratios(Scratch* s, Controller* c, const PpoData* data, const int32_t* rows,
                           int B) {
  memset(s->log_ratio, 0, (size_t)(B * HEAD_COUNT) * sizeof *s->log_ratio);
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (!learns(c, h)) {
      continue;
    }
    const ControllerHead* head = &c->heads[h];
    controller_head_logp(s->logp[h], c, (HyperHead)h, head->params, s->states, s->allowed, B,
                         s->inputs);
    for (int i = 0; i < B; i++) {
      size_t at = (size_t)rows[i] * HEAD_COUNT + (size_t)h;
      if (counts(c, data, rows[i], h)) {
        double logp = (double)s->logp[h][i * head->choices + data->choices[at]];
        s->log_ratio[i * HEAD_COUNT + h] = logp - data->logp[at];
      }
    }
  }
  for (int i = 0; s->joint && i < B; i++) {
    double* of_head = s->log_ratio + i * HEAD_COUNT;
    double sum = 0;
    for (int h = 0; h < HEAD_COUNT; h++) {
      sum += of_head[h];
    }
    for (int h = 0; h < HEAD_COUNT; h++) {
      of_head[h] = sum;
    }
  }
}

// Derivative of min(r A, clip(r) A) with respect to log r: r A where the clip is not active.
static double surrogate_slope(double ratio, double advantage, double clip) {
  bool clipped = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip;
  return clipped ? 0 : ratio * advantage;
}

static void update_head(Controller* c, int h, const PpoOptions* o, const PpoData* data,
                        Scratch* s) {
  ControllerHead* head = &c->heads[h];
  int K = head->choices;
  memset(s->d_logits, 0, (size_t)(s->size * K) * sizeof(Real));
  for (int i = 0; i < s->size; i++) {
    int32_t n = s->order[i];
    if (!counts(c, data, n, h)) {
      continue;
    }
    double ratio = exp(s->log_ratio[i * HEAD_COUNT + h]);
    double slope = surrogate_slope(ratio, data->advantage[n], o->clip);
    int choice = data->choices[(size_t)n * HEAD_COUNT + (size_t)h];
    // ascent on the objective is descent on its negative mean
    categorical_logp_backward(s->d_logits + i * K, s->logp[h] + i * K, choice, -slope / s->size, K);
  }
  mlp_backward(s->gradient, &c->tape[h], &head->net, head->params, s->d_logits, s->size);
  adam_step(&head->adam, head->params, s->gradient);
}

static void update_on_minibatch(Controller* c, const PpoOptions* o, const PpoData* data,
                                Scratch* s) {
  measure_ratios(s, c, data, s->order, s->size);
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (learns(c, h)) {
      update_head(c, h, o, data, s);
    }
  }
}

// Summary of an update ----------------------------------------------------------------------------

// Share of ratios outside the clip range, and mean logp_behaviour - logp_new, over all ratios: one
// of each decision, or of each head that was asked.
static void measure_shift(StageResult* result, Controller* c, const PpoOptions* o,
                          const PpoData* data, Scratch* s) {
  double outside = 0, kl = 0, total = 0;
  for (int32_t n = 0; n < data->count; n++) {
    take_decision(s, data, 0, n);
    measure_ratios(s, c, data, &n, 1);
    bool counted = false;
    for (int h = 0; h < HEAD_COUNT && !(s->joint && counted); h++) {
      if (counts(c, data, n, h)) {
        counted = true;
        outside += fabs(exp(s->log_ratio[h]) - 1) > o->clip;
        kl -= s->log_ratio[h];
        total++;
      }
    }
  }
  result->clip_fraction = total > 0 ? outside / total : NAN;
  result->kl = total > 0 ? kl / total : NAN;
}

// A stage of which no hyper-episode came to its end is never the best.
static void keep_if_best(Controller* c, const StageResult* result) {
  bool lost = result->diverged > 0 && result->diverged == result->episodes;
  if (lost || !(result->score > c->best_score)) {
    return;
  }
  c->best_score = result->score;
  c->best_version = c->version;
  for (int h = 0; h < HEAD_COUNT; h++) {
    ControllerHead* head = &c->heads[h];
    if (learns(c, h)) {
      memcpy(head->best, head->params, head->net.size * sizeof(Real));
    }
  }
}

// After a group's last stage its heads stay at their best, and the next group begins.
static void advance_group(Controller* c, const PpoOptions* o) {
  int group = ppo_group_of_version(o, c->version, NULL);
  if (group == c->active_group || c->version >= ppo_total_stages(o)) {
    return;
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    ControllerHead* head = &c->heads[h];
    if (learns(c, h)) {
      memcpy(head->params, head->best, head->net.size * sizeof(Real));
    }
  }
  c->active_group = group;
  c->best_score = -INFINITY;
  c->best_version = -1;
}

static void init_scratch(Scratch* s, const Controller* c, const PpoOptions* o, const PpoData* data,
                         Arena* arena) {
  *s = (Scratch){.joint = strcmp(o->ratio, "joint") == 0};
  s->size = data->count < o->minibatch_size ? data->count : o->minibatch_size;
  int rows = s->size > 0 ? s->size : 1;
  size_t largest = 0;
  for (int h = 0; h < HEAD_COUNT; h++) {
    size_t size = c->heads[h].scheduled ? c->heads[h].net.size : 0;
    largest = size > largest ? size : largest;
    s->logp[h] = ARENA_NEW(arena, rows * CATEGORICAL_MAX, Real);
  }
  s->order = ARENA_NEW(arena, data->count, int32_t);
  s->states = ARENA_NEW(arena, rows * FEATURE_COUNT, Real);
  s->inputs = ARENA_NEW(arena, rows * FEATURE_COUNT, Real);
  s->allowed = ARENA_NEW(arena, rows * HEAD_COUNT, uint8_t);
  s->log_ratio = ARENA_NEW(arena, rows * HEAD_COUNT, double);
  s->d_logits = ARENA_NEW(arena, rows * CATEGORICAL_MAX, Real);
  s->gradient = ARENA_NEW(arena, largest, Real);
  for (int n = 0; n < data->count; n++) {
    s->order[n] = n;
  }
}

void ppo_update(Controller* c, const PpoOptions* o, const PpoData* data, StageResult* result,
                uint64_t seed, Arena* arena) {
  CHECK(c->stages < c->max_stages, "no room for stage %d", c->stages);
  ArenaMark mark = arena_mark(arena);
  Scratch scratch;
  init_scratch(&scratch, c, o, data, arena);
  keep_if_best(c, result);
  Rng rng = rng_stream(seed, 0, RNG_CONTROLLER, c->version + 1);
  for (int i = 0; i < o->minibatches && data->count > 0; i++) {
    draw_minibatch(&scratch, data, &rng);
    update_on_minibatch(c, o, data, &scratch);
  }
  measure_shift(result, c, o, data, &scratch);
  c->stage[c->stages++] = *result;
  c->version++;
  advance_group(c, o);
  arena_release(arena, mark);
}
