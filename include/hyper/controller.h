// controller.h - the hyper-controller MC: one small network per head (paper section 5.2).
//
// A group is a set of heads that learn together. A single group is the paper's joint controller;
// several groups learn in turn, the earlier ones frozen at their best version (the release). The
// version counts updates; all that learning changes is in this struct and in one policy file.
#ifndef HYPER_CONTROLLER_H
#define HYPER_CONTROLLER_H

#include "hyper/hyper_mdp.h"
#include "nn/adam.h"
#include "nn/mlp.h"

// What one stage was like (docs/formats.md section 4, /stages).
typedef struct {
  int stage;
  int group;
  int first_episode;
  int episodes;
  int diverged;            // of them; not in the file, as the next
  bool clipped[FEATURE_COUNT];  // a feature that the group reads was at its clip all the time
  double score;            // mean over hyper-episodes of their mean evaluation return
  double score_std;
  double baseline_score;
  double advantage_mean;
  double entropy[HEAD_COUNT];
  double exploration;
  double clip_fraction;
  double kl;
} StageResult;

typedef struct {
  bool scheduled;
  int group;
  int choices;
  int feature_count;
  int features[FEATURE_COUNT];  // columns of the state that it reads
  Mlp net;                      // E = 1
  Real* params;                 // (net.size)
  Real* best;                   // (net.size) of the best version of its group so far
  Adam adam;
} ControllerHead;

// The raw features of the decisions that a controller learnt from. NaN before the first.
typedef struct {
  double low[FEATURE_COUNT];
  double high[FEATURE_COUNT];
} FeatureRange;

typedef struct {
  int version;             // updates so far
  int groups;
  int active_group;        // learns in the next update
  double best_score;       // within the active group; -inf before its first stage
  int best_version;        // -1 before the first stage
  int stages;              // = version
  int max_stages;
  StageResult* stage;      // (max_stages)
  FeatureRange seen;       // in the hyper-episodes of all stages
  ControllerHead heads[HEAD_COUNT];
  MlpTape tape[HEAD_COUNT];
} Controller;

typedef struct {
  const char* groups;       // "" = joint; else "head+head,head,...": groups in their order
  int hidden_size;
  double learning_rate;
  OptionList init_sd;       // of the weights, of each group or one for all; 0 = Glorot
  int max_batch;
  int max_stages;
} ControllerShape;

// Reads ppo.groups, "head+head,head,..." ("" = all in one): how many there are, and the group of
// each scheduled head (-1: not scheduled). Fails when it names an unknown head, one twice, or
// others than those that are scheduled, of which there must be one.
bool controller_groups(int* groups, int group[HEAD_COUNT], const HyperOptions* options,
                       const char* text, Error* error);

// Bytes of a controller all of whose heads are scheduled.
double controller_bytes(const ControllerShape* shape);

// Fails when `groups` names an unknown or repeated head, or leaves out a scheduled one.
bool controller_init(Controller* controller, const HyperOptions* options,
                     const ControllerShape* shape, uint64_t seed, Arena* arena, Error* error);

// Copies version, parameters and results of a controller of the same shape.
void controller_copy(Controller* to, Controller* from);

// Widens what was seen by features (rows, FEATURE_COUNT), raw; those that are not finite are left
// out.
void controller_see(Controller* controller, const double* features, int rows);

// Whether a raw feature, which a head that acted has read, lies outside of what was seen. Progress
// never does: it is a share of the run, whatever its length.
bool controller_extrapolates(const Controller* controller, const HyperAction* action,
                             HyperFeature feature, double raw);

// Whether a head acts at all in this version: its group is learning or frozen.
bool controller_schedules(const Controller* controller, HyperHead head);

// Draws an action of the heads that are asked. The heads of a group, of a frozen one too, are drawn
// uniformly with probability `exploration`; `explored` tells it of the group that learns, logp is
// that of the mixture. best = true: every head acts with its best parameters.
void controller_act(HyperAction* action, Controller* controller, const HyperState* state,
                    double exploration, bool best, Rng* rng);

// Log-probabilities logp (B, choices) of one head for states (B, FEATURE_COUNT, scaled), given what
// is allowed (B, HEAD_COUNT; 0: not asked, logp is that of all choices). inputs: scratch.
void controller_head_logp(Real* logp, Controller* controller, HyperHead head, const Real* params,
                          const Real* states, const uint8_t* allowed, int B, Real* inputs);

void controller_visit(Controller* controller, Archive* archive);

#endif  // HYPER_CONTROLLER_H
