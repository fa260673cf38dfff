// hyper_action.h - the action of the hyper-MDP (paper, section 5.1): how it is written down, and
// what it does to a running MBPO.
//
// An action has a head for each hyperparameter. A head chooses a step (the controller, chance) or
// is given a value (a schedule, a population); one that was not asked does neither.
#ifndef HYPER_HYPER_ACTION_H
#define HYPER_HYPER_ACTION_H

#include "hyper/hyper_options.h"
#include "mbpo/mbpo.h"

// Heads of the action, in the order of every file and message.
typedef enum {
  HEAD_TRAIN_MODEL,     // 0 skip, 1 train
  HEAD_REAL_RATIO,      // 0 down, 1 keep, 2 up: beta times 1/c, 1, c
  HEAD_POLICY_UPDATES,  // likewise: G - 1, G, G + 1
  HEAD_ROLLOUT_LENGTH,  // likewise: k - 1, k, k + 1
  HEAD_COUNT,
} HyperHead;

#define HEAD_MAX_CHOICES 3
#define ACTION_NONE (-1)  // the head was not asked: not scheduled, or not the time for it

typedef struct {
  int8_t choice[HEAD_COUNT];   // ACTION_NONE where the head was not asked
  bool explored;               // drawn uniformly instead of by the controller
  double logp[HEAD_COUNT];     // of the behaviour that acted, exploration included; NaN if none
  double entropy[HEAD_COUNT];  // likewise
  bool sets[HEAD_COUNT];       // the value is given, instead of chosen
  double value[HEAD_COUNT];    // that is given: 0 or 1 of train_model, beta, G, k
} HyperAction;

// Number of choices of a head: 2 or 3.
int head_choices(HyperHead head);
const char* head_name(HyperHead head);

// Whether the configuration lets a scheduler set a head at all (hyper.schedule_*).
bool hyper_schedules(const HyperOptions* options, HyperHead head);

// Whether the head of a trained controller is to act where one is applied (hyper.apply_*).
bool hyper_applies(const HyperOptions* options, HyperHead head);

// Says of one head whether a scheduler sets it.
void hyper_set_scheduled(MbpoScheduled* scheduled, HyperHead head, bool sets);

// Sets what the scheduled heads start from, at the begin of a run.
void hyper_begin(Mbpo* mbpo, const HyperOptions* options);

// Which choices each head has at this decision. A head that is not scheduled, or not asked now (k
// inside an epoch with rollout_length_each_epoch), has none; the others have all of them, with
// mask_bounds all but those that would lead beyond a bound.
void hyper_allowed(uint8_t allowed[HEAD_COUNT], const Mbpo* mbpo, const HyperOptions* options,
                   bool mask_bounds);

// How many choices are allowed, and which is the n-th of them.
int hyper_choice_count(unsigned allowed);
int hyper_choice(unsigned allowed, int n);

// No head chooses, nothing is set.
void hyper_action_none(HyperAction* action);

// Each head that is asked chooses uniformly.
void hyper_choose_by_chance(HyperAction* action, const uint8_t allowed[HEAD_COUNT], Rng* rng);

// Applies an action: may train the model. effective[h] (HEAD_COUNT): whether head h's choice took
// effect (false: not asked, or beyond a bound). For analysis alone: what did not take effect counts
// in learning as what did, because a choice must not decide whether it counts.
void hyper_apply(bool* effective, Mbpo* mbpo, const HyperOptions* options,
                 const HyperAction* action);

// Whether an action trains the model.
bool hyper_trains(const HyperAction* action);

// The part of the reward that the train_model choice earns at once.
double hyper_train_reward(const HyperOptions* options, const HyperAction* action);

#endif  // HYPER_HYPER_ACTION_H
