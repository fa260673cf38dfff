// hyper_action.c - what an action does to a running MBPO (Algorithm 1, lines 10 and 11).
//
// The table of heads, and one chain of questions: is a head asked here (is_asked), which value
// would a choice give (value_after), does that change anything (takes_effect), and then set_value.
// Which choices are allowed is derived from the same functions that apply them, so that the two
// cannot disagree.
//
// A head either chooses a step from the present value or is given a value. Both end in the same
// record of what took effect. Values are clipped to their bounds in one place; a step beyond a
// bound has no effect, but still counts as what was chosen, unless ppo.at_bounds masks it
// (docs/algorithms.md, section 2).
#include "hyper/hyper_action.h"

#include <math.h>
#include <stddef.h>

typedef struct {
  const char* name;
  int choices;
  size_t schedule, apply;  // its flags in HyperOptions
  size_t scheduled;        // and in MbpoScheduled
} Head;

#define HEAD(name, choices) \
  {#name, choices, offsetof(HyperOptions, schedule_##name), offsetof(HyperOptions, apply_##name), \
   offsetof(MbpoScheduled, name)}

static const Head heads[HEAD_COUNT] = {
    [HEAD_TRAIN_MODEL] = HEAD(train_model, 2),
    [HEAD_REAL_RATIO] = HEAD(real_ratio, 3),
    [HEAD_POLICY_UPDATES] = HEAD(policy_updates, 3),
    [HEAD_ROLLOUT_LENGTH] = HEAD(rollout_length, 3),
};

static bool flag_at(const void* flags, size_t offset) {
  return *(const bool*)((const char*)flags + offset);
}

int head_choices(HyperHead head) { return heads[head].choices; }

const char* head_name(HyperHead head) { return heads[head].name; }

bool hyper_schedules(const HyperOptions* o, HyperHead head) {
  return flag_at(o, heads[head].schedule);
}

bool hyper_applies(const HyperOptions* o, HyperHead head) { return flag_at(o, heads[head].apply); }

void hyper_set_scheduled(MbpoScheduled* scheduled, HyperHead head, bool sets) {
  *(bool*)((char*)scheduled + heads[head].scheduled) = sets;
}

void hyper_begin(Mbpo* m, const HyperOptions* o) {
  if (m->scheduled.policy_updates && o->policy_updates_start > 0) {
    m->policy_updates = o->policy_updates_start;
  }
  if (m->scheduled.rollout_length) {
    m->rollout_length = o->rollout_length_start;
  }
}

static double within(double value, double low, double high) {
  return fmax(low, fmin(high, value));
}

// The value that a head sets, and what it becomes with a choice.
static double value_of(HyperHead h, const Mbpo* m) {
  return h == HEAD_REAL_RATIO ? m->real_ratio
         : h == HEAD_POLICY_UPDATES ? m->policy_updates
                                    : m->rollout_length;
}

static double value_after(HyperHead h, int choice, const Mbpo* m, const HyperOptions* o) {
  double value = value_of(h, m);
  if (h == HEAD_REAL_RATIO) {
    double factor = choice > 1 ? o->real_ratio_factor : choice < 1 ? 1 / o->real_ratio_factor : 1;
    return within(value * factor, o->real_ratio_min, o->real_ratio_max);
  }
  return h == HEAD_POLICY_UPDATES
             ? within(value + choice - 1, o->policy_updates_min, o->policy_updates_max)
             : within(value + choice - 1, o->rollout_length_min, o->rollout_length_max);
}

// To train, to skip and to keep are always possible.
static bool takes_effect(HyperHead h, int choice, const Mbpo* m, const HyperOptions* o) {
  return h == HEAD_TRAIN_MODEL || choice == 1 || value_after(h, choice, m, o) != value_of(h, m);
}

static bool is_asked(HyperHead h, const Mbpo* m, const HyperOptions* o) {
  bool waits = h == HEAD_ROLLOUT_LENGTH && o->rollout_length_each_epoch && m->step > 0;
  return flag_at(&m->scheduled, heads[h].scheduled) && !waits;
}

void hyper_allowed(uint8_t allowed[HEAD_COUNT], const Mbpo* m, const HyperOptions* o,
                   bool mask_bounds) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    allowed[h] = 0;
    for (int c = 0; is_asked((HyperHead)h, m, o) && c < heads[h].choices; c++) {
      bool possible = !mask_bounds || takes_effect((HyperHead)h, c, m, o);
      allowed[h] |= (uint8_t)(possible << c);
    }
  }
}

int hyper_choice_count(unsigned allowed) { return __builtin_popcount(allowed); }

int hyper_choice(unsigned allowed, int n) {
  for (; n > 0; n--) {
    allowed &= allowed - 1;
  }
  return __builtin_ctz(allowed);
}

void hyper_action_none(HyperAction* action) {
  action->explored = false;
  for (int h = 0; h < HEAD_COUNT; h++) {
    action->choice[h] = ACTION_NONE;
    action->logp[h] = action->entropy[h] = NAN;
    action->sets[h] = false;
    action->value[h] = 0;
  }
}

void hyper_choose_by_chance(HyperAction* action, const uint8_t allowed[HEAD_COUNT], Rng* rng) {
  hyper_action_none(action);
  action->explored = true;
  for (int h = 0; h < HEAD_COUNT; h++) {
    double uniform = rng_uniform(rng);
    int choices = hyper_choice_count(allowed[h]);
    if (choices > 0) {
      action->choice[h] = (int8_t)hyper_choice(allowed[h], (int)(uniform * choices));
      action->logp[h] = -log(choices);
      action->entropy[h] = log(choices);
    }
  }
}

static void set_value(Mbpo* m, HyperHead h, double value) {
  switch (h) {
    case HEAD_REAL_RATIO:
      m->real_ratio = value;
      return;
    case HEAD_POLICY_UPDATES:
      m->policy_updates = (int)value;
      return;
    case HEAD_ROLLOUT_LENGTH:
      m->rollout_length = (int)value;
      return;
    default:
      CHECK(false, "head %d has no value", (int)h);
  }
}

bool hyper_trains(const HyperAction* action) {
  return action->sets[HEAD_TRAIN_MODEL] ? action->value[HEAD_TRAIN_MODEL] == 1
                                         : action->choice[HEAD_TRAIN_MODEL] == 1;
}

void hyper_apply(bool* effective, Mbpo* m, const HyperOptions* o, const HyperAction* action) {
  for (int i = 0; i < HEAD_COUNT; i++) {
    HyperHead h = (HyperHead)i;
    int choice = action->choice[h];
    bool set = action->sets[h];
    effective[h] = set || (choice != ACTION_NONE && takes_effect(h, choice, m, o));
    if (effective[h] && h != HEAD_TRAIN_MODEL) {
      set_value(m, h, set ? action->value[h] : value_after(h, choice, m, o));
    }
  }
  if (hyper_trains(action)) {
    mbpo_train_model(m);
  }
}

double hyper_train_reward(const HyperOptions* o, const HyperAction* action) {
  if (action->choice[HEAD_TRAIN_MODEL] == ACTION_NONE && !action->sets[HEAD_TRAIN_MODEL]) {
    return 0;
  }
  double bonus = o->train_penalty_centred ? o->train_penalty / 2 : 0;
  return bonus - (hyper_trains(action) ? o->train_penalty : 0);
}
