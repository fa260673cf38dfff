// controller.c - heads, their networks, and how an action is drawn from them (Algorithm 1, line 9).
//
// A Controller has up to four heads. Each is a network of its own with its parameters, the best
// ones of its group so far, and Adam's state; it reads six features that all share and the
// hyperparameters that its own group sets. Heads are separate networks, also in the joint
// controller: what is joint is the probability of the action, which the ratio of PPO multiplies
// over heads.
//
// To act, one number is drawn for every head, asked or not, so that a head's draw does not depend
// on the others. Exploration is a mixture with the uniform choice, and the log-probability that is
// recorded is that of the mixture (docs/algorithms.md, D11): anything else would bias the ratio.
//
// A copy goes through the visitor, so that what is saved and what is copied cannot differ.
#include "hyper/controller.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/categorical.h"

// Features that every head reads: the training information of paper section 5.1 and beta.
static const HyperFeature common_features[] = {
    FEATURE_PROGRESS,      FEATURE_MODEL_LOSS,  FEATURE_CRITIC_LOSS,
    FEATURE_POLICY_CHANGE, FEATURE_EVAL_RETURN, FEATURE_REAL_RATIO,
};

static bool find_head(int* head, const char* name, size_t length) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    const char* candidate = head_name((HyperHead)h);
    if (strlen(candidate) == length && !strncmp(candidate, name, length)) {
      *head = h;
      return true;
    }
  }
  return false;
}

// Reads "head+head,head": the group of each head; -1 where none is named.
static bool parse_groups(int* groups, int group[HEAD_COUNT], const char* text, Error* error) {
  *groups = 1;
  for (int h = 0; h < HEAD_COUNT; h++) {
    group[h] = -1;
  }
  for (const char* at = text; *at;) {
    size_t length = strcspn(at, "+,");
    int head;
    if (!find_head(&head, at, length)) {
      return error_set(error, "unknown head '%.*s', expected train_model, real_ratio, "
                       "policy_updates or rollout_length", (int)length, at);
    }
    if (group[head] >= 0) {
      return error_set(error, "head '%s' is named twice", head_name((HyperHead)head));
    }
    group[head] = *groups - 1;
    at += length;
    *groups += *at == ',';
    at += *at != '\0';
  }
  return true;
}

bool controller_groups(int* groups, int group[HEAD_COUNT], const HyperOptions* o, const char* text,
                       Error* error) {
  if (!parse_groups(groups, group, text, error)) {
    return false;
  }
  bool any = false;
  for (int h = 0; h < HEAD_COUNT; h++) {
    const char* name = head_name((HyperHead)h);
    bool scheduled = hyper_schedules(o, (HyperHead)h);
    if (*text && scheduled != (group[h] >= 0)) {
      return error_set(error, "head '%s' is %s, but hyper.schedule_%s is %s", name,
                       group[h] >= 0 ? "named" : "not named", name, scheduled ? "true" : "false");
    }
    group[h] = !scheduled ? -1 : *text ? group[h] : 0;
    any = any || scheduled;
  }
  return any || error_set(error, "no head is scheduled (hyper.schedule_*)");
}

static bool assign_groups(Controller* c, const HyperOptions* o, const char* text, Error* error) {
  int group[HEAD_COUNT];
  if (!controller_groups(&c->groups, group, o, text, error)) {
    return error_add(error, "ppo.groups");
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    c->heads[h].scheduled = group[h] >= 0;
    c->heads[h].group = group[h] >= 0 ? group[h] : 0;
  }
  return true;
}

// A head reads the common features and the own hyperparameters of its group.
static void choose_features(Controller* c, ControllerHead* head) {
  for (size_t i = 0; i < sizeof common_features / sizeof *common_features; i++) {
    head->features[head->feature_count++] = (int)common_features[i];
  }
  const ControllerHead* heads = c->heads;
  if (heads[HEAD_POLICY_UPDATES].scheduled &&
      heads[HEAD_POLICY_UPDATES].group == head->group) {
    head->features[head->feature_count++] = FEATURE_POLICY_UPDATES;
  }
  if (heads[HEAD_ROLLOUT_LENGTH].scheduled &&
      heads[HEAD_ROLLOUT_LENGTH].group == head->group) {
    head->features[head->feature_count++] = FEATURE_ROLLOUT_LENGTH;
  }
}

static void init_head(Controller* c, int h, const ControllerShape* shape, Rng* rng, Arena* arena) {
  ControllerHead* head = &c->heads[h];
  choose_features(c, head);
  head->choices = head_choices((HyperHead)h);
  head->net = mlp_make(1, head->feature_count, shape->hidden_size, 1, head->choices,
                       ACTIVATION_TANH);
  head->params = ARENA_NEW(arena, head->net.size, Real);
  head->best = ARENA_NEW(arena, head->net.size, Real);
  double sd = shape->init_sd.value[shape->init_sd.count > 1 ? head->group : 0];
  if (sd > 0) {
    mlp_init_normal(head->params, &head->net, sd, rng);
  } else {
    mlp_init_glorot(head->params, &head->net, rng);
  }
  memcpy(head->best, head->params, head->net.size * sizeof(Real));
  adam_init(&head->adam, head->net.size, shape->learning_rate, arena);
  mlp_tape_init(&c->tape[h], &head->net, shape->max_batch, true, arena);
}

double controller_bytes(const ControllerShape* shape) {
  Mlp net = mlp_make(1, FEATURE_COUNT, shape->hidden_size, 1, HEAD_MAX_CHOICES, ACTIVATION_TANH);
  // parameters, the best ones, two moments
  double head = 4.0 * (double)net.size * sizeof(Real);
  head += mlp_tape_bytes(&net, shape->max_batch, true);
  return sizeof(Controller) + HEAD_COUNT * head + (double)shape->max_stages * sizeof(StageResult);
}

bool controller_init(Controller* c, const HyperOptions* o, const ControllerShape* shape,
                     uint64_t seed, Arena* arena, Error* error) {
  *c = (Controller){.best_score = -INFINITY, .best_version = -1, .max_stages = shape->max_stages};
  if (!assign_groups(c, o, shape->groups, error)) {
    return false;
  }
  c->stage = ARENA_NEW(arena, shape->max_stages, StageResult);
  for (int f = 0; f < FEATURE_COUNT; f++) {
    c->seen.low[f] = c->seen.high[f] = NAN;
  }
  Rng rng = rng_stream(seed, 0, RNG_CONTROLLER, 0);
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (c->heads[h].scheduled) {
      init_head(c, h, shape, &rng, arena);
    }
  }
  return true;
}

void controller_see(Controller* c, const double* features, int rows) {
  for (int i = 0; i < rows * FEATURE_COUNT; i++) {
    int f = i % FEATURE_COUNT;
    if (isfinite(features[i])) {
      c->seen.low[f] = fmin(c->seen.low[f], features[i]);  // of NaN and a number, the number
      c->seen.high[f] = fmax(c->seen.high[f], features[i]);
    }
  }
}

static bool reads(const ControllerHead* head, HyperFeature feature) {
  for (int i = 0; i < head->feature_count; i++) {
    if (head->features[i] == (int)feature) {
      return true;
    }
  }
  return false;
}

bool controller_extrapolates(const Controller* c, const HyperAction* action, HyperFeature feature,
                             double raw) {
  // 0.05 x 1.2 / 1.2 is not 0.05
  double rounding = 1e-9 * fmax(fabs(c->seen.low[feature]), fabs(c->seen.high[feature]));
  bool outside = raw < c->seen.low[feature] - rounding || raw > c->seen.high[feature] + rounding;
  for (int h = 0; outside && feature != FEATURE_PROGRESS && h < HEAD_COUNT; h++) {
    if (action->choice[h] != ACTION_NONE && reads(&c->heads[h], feature)) {
      return true;
    }
  }
  return false;
}

bool controller_schedules(const Controller* c, HyperHead head) {
  return c->heads[head].scheduled && c->heads[head].group <= c->active_group;
}

void controller_head_logp(Real* logp, Controller* c, HyperHead h, const Real* params,
                          const Real* states, const uint8_t* allowed, int B, Real* inputs) {
  const ControllerHead* head = &c->heads[h];
  int K = head->choices;
  for (int b = 0; b < B; b++) {
    for (int f = 0; f < head->feature_count; f++) {
      inputs[b * head->feature_count + f] = states[b * FEATURE_COUNT + head->features[f]];
    }
  }
  mlp_forward(&c->tape[h], &head->net, params, inputs, true, B);
  categorical_logp(logp, c->tape[h].out, B, K);
  for (int b = 0; b < B; b++) {
    if (allowed[b * HEAD_COUNT + (int)h]) {
      categorical_restrict(logp + b * K, allowed[b * HEAD_COUNT + (int)h], K);
    }
  }
}

// Log-probabilities of the mixture of the policy with uniform exploration of what is allowed
// (docs/algorithms.md, D11).
static void mix(Real* logp, unsigned allowed, int choices, double exploration) {
  double uniform = exploration / hyper_choice_count(allowed);
  for (int i = 0; i < choices; i++) {
    double p = (1 - exploration) * exp((double)logp[i]) + (allowed >> i & 1 ? uniform : 0);
    logp[i] = (Real)log(p);
  }
}

static void act_head(HyperAction* action, Controller* c, HyperHead h, const HyperState* state,
                     double exploration, bool explored, bool best, double uniform) {
  const ControllerHead* head = &c->heads[h];
  unsigned allowed = state->allowed[h];
  Real states[FEATURE_COUNT], inputs[FEATURE_COUNT], logp[CATEGORICAL_MAX];
  for (int f = 0; f < FEATURE_COUNT; f++) {
    states[f] = (Real)state->scaled[f];
  }
  controller_head_logp(logp, c, h, best ? head->best : head->params, states, state->allowed, 1,
                       inputs);
  int choice = explored ? hyper_choice(allowed, (int)(uniform * hyper_choice_count(allowed)))
                        : categorical_choose(logp, head->choices, uniform);
  mix(logp, allowed, head->choices, exploration);
  action->choice[h] = (int8_t)choice;
  action->logp[h] = (double)logp[choice];
  action->entropy[h] = categorical_entropy(logp, head->choices);
}

void controller_act(HyperAction* action, Controller* c, const HyperState* state,
                    double exploration, bool best, Rng* rng) {
  bool explored[HEAD_COUNT];
  for (int g = 0; g < c->groups; g++) {
    explored[g] = rng_uniform(rng) < exploration;
  }
  hyper_action_none(action);
  action->explored = explored[c->active_group];
  for (int h = 0; h < HEAD_COUNT; h++) {
    // a draw for every head, so that a head's number does not depend on which others are asked
    double uniform = rng_uniform(rng);
    if (state->allowed[h] && controller_schedules(c, (HyperHead)h)) {
      act_head(action, c, (HyperHead)h, state, exploration, explored[c->heads[h].group], best,
               uniform);
    }
  }
}

static void visit_stage(StageResult* s, Archive* ar) {
  archive_enter(ar, "stage");
  archive_i32(ar, "stage", &s->stage, 1);
  archive_i32(ar, "group", &s->group, 1);
  archive_i32(ar, "first_episode", &s->first_episode, 1);
  archive_i32(ar, "episodes", &s->episodes, 1);
  archive_f64(ar, "score", &s->score, 1);
  archive_f64(ar, "score_std", &s->score_std, 1);
  archive_f64(ar, "baseline_score", &s->baseline_score, 1);
  archive_f64(ar, "advantage_mean", &s->advantage_mean, 1);
  archive_f64(ar, "entropy", s->entropy, HEAD_COUNT);
  archive_f64(ar, "exploration", &s->exploration, 1);
  archive_f64(ar, "clip_fraction", &s->clip_fraction, 1);
  archive_f64(ar, "kl", &s->kl, 1);
  archive_leave(ar);
}

void controller_visit(Controller* c, Archive* ar) {
  archive_i32(ar, "version", &c->version, 1);
  archive_i32(ar, "active_group", &c->active_group, 1);
  archive_f64(ar, "best_score", &c->best_score, 1);
  archive_i32(ar, "best_version", &c->best_version, 1);
  archive_i32(ar, "stages", &c->stages, 1);
  if (!ar->failed && (c->stages < 0 || c->stages > c->max_stages)) {
    archive_fail(ar, "%d stages, expected 0 to %d", c->stages, c->max_stages);
  }
  for (int s = 0; !ar->failed && s < c->stages; s++) {
    visit_stage(&c->stage[s], ar);
  }
  archive_f64(ar, "seen_low", c->seen.low, FEATURE_COUNT);
  archive_f64(ar, "seen_high", c->seen.high, FEATURE_COUNT);
  for (int h = 0; h < HEAD_COUNT; h++) {
    ControllerHead* head = &c->heads[h];
    if (head->scheduled) {
      archive_enter(ar, head_name((HyperHead)h));
      archive_real(ar, "params", head->params, head->net.size);
      archive_real(ar, "best", head->best, head->net.size);
      adam_visit(&head->adam, ar, "adam");
      archive_leave(ar);
    }
  }
}

void controller_copy(Controller* to, Controller* from) {
  ArchiveMemory memory = {0};
  Archive ar;
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  controller_visit(from, &ar);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  controller_visit(to, &ar);
  CHECK(!ar.failed, "%s", ar.error.text);
  archive_memory_free(&memory);
}
