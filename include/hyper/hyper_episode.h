// hyper_episode.h - one hyper-episode: a whole MBPO run with its decisions and epochs.
//
// Advances the run, measures the hyper-state at each decision, takes the action from its owner, and
// keeps the two tables that become the sealed trajectory. Its whole state can be saved between any
// two calls.
#ifndef HYPER_HYPER_EPISODE_H
#define HYPER_HYPER_EPISODE_H

#include "hyper/run_spec.h"
#include "mbpo/sizes.h"

typedef struct {
  int64_t env_step;
  int epoch;
  int step_in_epoch;
  HyperState state;
  HyperAction action;
  bool effective[HEAD_COUNT];
  double reward_return;
  double reward_train_model;
  double baseline;
  double advantage;
  double hyperparameters[4];  // model_trained, real_ratio, policy_updates, rollout_length
} Decision;

typedef enum {
  HYPER_STEPPED,    // one unit of work was done
  HYPER_DECISION,   // hyper_episode_state is new; hyper_episode_act must follow
  HYPER_EPOCH_END,  // one more row of epochs
  HYPER_FINISHED,   // complete or diverged: ready to be sealed
} HyperEvent;

// What a hyper-episode is of a run: all of it, or the epochs from `first` to before `last`, begun
// where another hyper-episode ended.
typedef struct {
  int64_t streams;  // hyper-episode whose random streams it has: its own, unless it repeats one
  int64_t parent;   // hyper-episode that it goes on from; -1 = none
  int32_t first_epoch, last_epoch;
} HyperSegment;

typedef struct {
  const RunSpec* spec;
  int64_t index;            // hyper-episode
  HyperSegment segment;
  int policy_version;       // of the controller that acts; -1 = none
  Mbpo mbpo;
  bool begun;               // hyper_begin was done
  bool awaiting;            // a decision was reported and not yet answered
  bool finished;
  HyperState state;
  double policy_change;     // kept from the first decision of an epoch
  double initial_return;    // evaluation before the first of its epochs
  int max_decisions, max_epochs;
  int decisions;            // rows of decision
  int epochs;               // rows of epoch
  Decision* decision;       // (max_decisions)
  MbpoEpoch* epoch;         // (max_epochs)
  Rng rng;                  // batches that features are measured on
  int note_count;
  double* notes;            // (note_count) what the scheduler keeps in this hyper-episode
} HyperEpisode;

// Decisions of a whole hyper-episode.
int64_t hyper_episode_most_decisions(const RunSpec* spec);

// Bytes of a hyper-episode when its buffers are full: of the run, and of its tables and what it is
// sealed from.
typedef struct {
  MbpoBytes mbpo;
  double record;
} HyperEpisodeBytes;
HyperEpisodeBytes hyper_episode_bytes(const RunSpec* x, MbpoScheduled scheduled,
                                      const EnvSpec* spec);

// `scheduled`: which heads the controller of this hyper-episode sets.
bool hyper_episode_init(HyperEpisode* episode, const RunSpec* spec, int64_t index,
                        const HyperSegment* segment, int policy_version, MbpoScheduled scheduled,
                        Arena* arena, Error* error);
void hyper_episode_free(HyperEpisode* episode);

// Makes a hyper-episode that has the state of its parent's end one that begins there: it has rows
// and random streams of its own.
void hyper_episode_begin(HyperEpisode* episode);

// Whether another hyper-episode may go on from its end.
bool hyper_episode_goes_on(const HyperEpisode* episode);

HyperEvent hyper_episode_advance(HyperEpisode* episode);

// Answers a decision.
void hyper_episode_act(HyperEpisode* episode, const HyperAction* action);

// Reward of decision i so far.
double decision_reward(const Decision* decision);

// What an epoch that was lost to a divergence counts as: one unit of reward (reward_scale) less
// than the worst return that is known, of R' (0 without one) and of the run's own evaluations, and
// at most hyper.diverged_return. So it never earns more than the baseline, and to diverge is never
// better than to go on as badly as before.
double hyper_episode_lost_return(const HyperEpisode* episode);

// Mean over epochs of the mean evaluation return, a lost epoch as above. That of a run that
// diverged may still exceed that of one that did not: whoever looks for the best leaves it out.
double hyper_episode_score(const HyperEpisode* episode);

double epoch_mean_return(const MbpoEpoch* epoch, int evaluations);

void hyper_episode_visit(HyperEpisode* episode, Archive* archive);

#endif  // HYPER_HYPER_EPISODE_H
