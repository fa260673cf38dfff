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

// One minibatch -----------------------------------------------------------------------------------

typedef struct {
  int size;
  int32_t* order;   // (N) a permutation; its first `size` entries are the minibatch
  Real* states;     // (size, FEATURE_COUNT)
  Real* inputs;     // (size, FEATURE_COUNT)
  Real* logp;       // (size, CATEGORICAL_MAX)
  Real* d_logits;   // (size, CATEGORICAL_MAX)
  Real* gradient;   // (largest head)
} Scratch;

// Draws `size` different decisions: the first steps of a Fisher-Yates shuffle.
static void draw_minibatch(Scratch* s, const PpoData* data, Rng* rng) {
  for (int i = 0; i < s->size; i++) {
    int j = i + (int)rng_below(rng, data->count - i);
    int32_t drawn = s->order[j];
    s->order[j] = s->order[i];
    s->order[i] = drawn;
    memcpy(s->states + i * FEATURE_COUNT, data->states + (size_t)drawn * FEATURE_COUNT,
           FEATURE_COUNT * sizeof(Real));
  }
}

// Derivative of min(r A, clip(r) A) with respect to log r: r A where the clip is not active.
static double surrogate_slope(double ratio, double advantage, double clip) {
  bool clipped = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip;
  return clipped ? 0 : ratio * advantage;
}

static void update_head(Controller* c, HyperHead h, const PpoOptions* o, const PpoData* data,
                        Scratch* s) {
  ControllerHead* head = &c->heads[h];
  int K = head->choices;
  controller_head_logp(s->logp, c, h, head->params, s->states, s->size, s->inputs);
  memset(s->d_logits, 0, (size_t)(s->size * K) * sizeof(Real));
  for (int i = 0; i < s->size; i++) {
    size_t at = (size_t)s->order[i] * HEAD_COUNT + (size_t)h;
    if (!data->counts[at]) {
      continue;
    }
    int choice = data->choices[at];
    double ratio = exp((double)s->logp[i * K + choice] - data->logp[at]);
    double slope = surrogate_slope(ratio, data->advantage[s->order[i]], o->clip);
    // ascent on the objective is descent on its negative mean
    categorical_logp_backward(s->d_logits + i * K, s->logp + i * K, choice, -slope / s->size, K);
  }
  mlp_backward(s->gradient, &c->tape[h], &head->net, head->params, s->d_logits, s->size);
  adam_step(&head->adam, head->params, s->gradient);
}

// Summary of an update ----------------------------------------------------------------------------

// Share of ratios outside the clip range, and mean logp_behaviour - logp_new, over all that counts.
static void measure_shift(StageResult* result, Controller* c, const PpoOptions* o,
                          const PpoData* data, Scratch* s) {
  double outside = 0, kl = 0, total = 0;
  for (int h = 0; h < HEAD_COUNT; h++) {
    const ControllerHead* head = &c->heads[h];
    if (!head->scheduled || head->group != c->active_group) {
      continue;
    }
    for (int n = 0; n < data->count; n++) {
      size_t at = (size_t)n * HEAD_COUNT + (size_t)h;
      if (!data->counts[at]) {
        continue;
      }
      controller_head_logp(s->logp, c, (HyperHead)h, head->params,
                           data->states + (size_t)n * FEATURE_COUNT, 1, s->inputs);
      double change = (double)s->logp[data->choices[at]] - data->logp[at];
      outside += fabs(exp(change) - 1) > o->clip;
      kl -= change;
      total++;
    }
  }
  result->clip_fraction = total > 0 ? outside / total : NAN;
  result->kl = total > 0 ? kl / total : NAN;
}

static void keep_if_best(Controller* c, double score) {
  if (!(score > c->best_score)) {
    return;
  }
  c->best_score = score;
  c->best_version = c->version;
  for (int h = 0; h < HEAD_COUNT; h++) {
    ControllerHead* head = &c->heads[h];
    if (head->scheduled && head->group == c->active_group) {
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
    if (head->scheduled && head->group == c->active_group) {
      memcpy(head->params, head->best, head->net.size * sizeof(Real));
    }
  }
  c->active_group = group;
  c->best_score = -INFINITY;
  c->best_version = -1;
}

static void init_scratch(Scratch* s, const Controller* c, const PpoOptions* o, const PpoData* data,
                         Arena* arena) {
  size_t largest = 0;
  for (int h = 0; h < HEAD_COUNT; h++) {
    size_t size = c->heads[h].scheduled ? c->heads[h].net.size : 0;
    largest = size > largest ? size : largest;
  }
  s->size = data->count < o->minibatch_size ? data->count : o->minibatch_size;
  int rows = s->size > 0 ? s->size : 1;
  s->order = ARENA_NEW(arena, data->count, int32_t);
  s->states = ARENA_NEW(arena, rows * FEATURE_COUNT, Real);
  s->inputs = ARENA_NEW(arena, rows * FEATURE_COUNT, Real);
  s->logp = ARENA_NEW(arena, rows * CATEGORICAL_MAX, Real);
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
  keep_if_best(c, result->score);
  Rng rng = rng_stream(seed, 0, RNG_CONTROLLER, c->version + 1);
  for (int i = 0; i < o->minibatches && data->count > 0; i++) {
    draw_minibatch(&scratch, data, &rng);
    for (int h = 0; h < HEAD_COUNT; h++) {
      if (c->heads[h].scheduled && c->heads[h].group == c->active_group) {
        update_head(c, (HyperHead)h, o, data, &scratch);
      }
    }
  }
  measure_shift(result, c, o, data, &scratch);
  c->stage[c->stages++] = *result;
  c->version++;
  advance_group(c, o);
  arena_release(arena, mark);
}
