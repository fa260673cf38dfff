// ror_trainer.h - the trainer of RoR (Dong et al., "Intelligent trainer"): a deep Q-network that
// learns while the run goes on, from whether the real reward rises.
//
// Its state is the constant 1, so that Q is a function of the action alone; an action sets each
// hyperparameter to one of two levels. All that it is and remembers is this struct of doubles,
// which a hyper-episode carries as its notes: learning goes on where it was after a kill, and the
// next hyper-episode begins with what the last one knew. docs/algorithms.md, D26.
#ifndef HYPER_ROR_TRAINER_H
#define HYPER_ROR_TRAINER_H

#include "base/options.h"
#include "base/rng.h"

#define ROR_HEADS 4     // hyperparameters, two levels each
#define ROR_UNITS 8     // of both hidden layers
#define ROR_MEMORY 32   // transitions
#define ROR_PARAMS \
  ((1 + ROR_HEADS + 1) * ROR_UNITS + (ROR_UNITS + 1) * ROR_UNITS + (ROR_UNITS + 1))

#define ROR_OPTIONS(OPT) \
  OPT(LIST, levels, "[0.2, 1]", 0, 1, "", \
      "places in the range of a hyperparameter that an action may set") \
  OPT(INT, explore_decisions, 40, 1, 1000000, "decisions", \
      "the share of random actions falls by 0.9 in so many, and on to 0") \
  OPT(REAL, discount, 0.99, 0, 1, "", "discount factor of the trainer") \
  OPT(REAL, learning_rate, 0.1, 1e-9, 10, "", "Adadelta step size of the trainer") \
  OPT(REAL, target_mixing, 0.5, 0, 1, "", \
      "share of the network that an update mixes into the target network") \
  OPT(INT, updates, 4, 0, 1000, "updates", "gradient steps of the trainer at a decision") \
  OPT(INT, batch_size, 8, 1, 1000, "transitions", "size of the batch of a step") \
  OPT(REAL, tie_noise, 0.1, 0, 1, "", \
      "noise on Q where the best action is sought, as a share of its range") \
  OPT(FLAG, learn, true, 0, 0, "", "false: it acts as it was trained, and does not explore")

typedef struct {
  ROR_OPTIONS(OPTION_FIELD)
} RorOptions;

typedef struct {
  double network[ROR_PARAMS], target[ROR_PARAMS];
  double gradient_square[ROR_PARAMS], step_square[ROR_PARAMS];  // Adadelta
  double action[ROR_MEMORY], reward[ROR_MEMORY];                // a ring
  double begun;           // 0: everything is zero, nothing was drawn yet
  double transitions;     // seen so far
  double decisions;       // made so far
  double last_action;     // -1: none in this hyper-episode
  double last_reward;     // mean real reward before it; NaN: not known
} RorTrainer;

// Draws the initial network.
void ror_begin(RorTrainer* trainer, Rng* rng);

// Another hyper-episode: nothing came before its first decision.
void ror_forget_last(RorTrainer* trainer);

// Q of all actions (1 << ROR_HEADS): bit h of an action is the level of hyperparameter h.
void ror_values(double* values, const double* network);

// Learns from what the last action brought, and takes the next one among `count` actions that
// differ in the bits of `mask`. real_reward: mean over the real steps since the last decision.
int ror_decide(RorTrainer* trainer, unsigned mask, double real_reward, const RorOptions* options,
               Rng* rng);

#endif  // HYPER_ROR_TRAINER_H
