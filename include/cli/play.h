// play.h - rolls out a policy in a task, and keeps what happened.
#ifndef CLI_PLAY_H
#define CLI_PLAY_H

#include "base/error.h"
#include "cli/movie.h"
#include "env/env.h"
#include "env/render.h"
#include "sac/sac.h"

typedef enum { PLAY_POLICY, PLAY_RANDOM, PLAY_ZERO } PlayActor;

// Where the actions come from.
typedef struct {
  PlayActor kind;
  bool stochastic;       // a policy's actions are drawn, not its means
  Sac sac;               // of PLAY_POLICY: only its policy is used
  const char* task;      // of PLAY_POLICY: what it was trained on
  const char* engine;
} PlayPolicy;

// The hyper-episode of a run with the largest mean evaluation return; one that diverged never is.
typedef struct {
  const char* path;
  double score;
  int hyper_episodes;    // sealed
  int diverged;          // of them
} PlayBest;

bool play_find_best(PlayBest* best, const char* directory, Arena* arena, Error* error);

// Reads the policy of a sealed hyper-episode (docs/formats.md section 3.5).
bool play_policy_read(PlayPolicy* policy, const char* path, Arena* arena, Error* error);

typedef struct {
  double total;          // undiscounted sum of rewards
  int length;            // steps
  bool terminated;       // else the time limit ended it
  bool diverged;
} PlayEpisode;

// Everything that happened: E episodes, T steps in all, in reserved address space.
typedef struct {
  int64_t episodes, steps;
  int64_t* start;        // (E + 1) row of each episode's first action, then T
  double* obs0;          // (E, O)
  double* qpos0;         // (E, nq) as given to env_set_state
  double* qvel0;         // (E, nv)
  double* action;        // (T, A) the environment's own units
  double* obs;           // (T, O) after each action
  double* reward;        // (T)
  uint8_t* terminated;   // (T)
  double* qpos;          // (T, nq)
  double* qvel;          // (T, nv)
} PlayStates;

void play_states_init(PlayStates* states, const Env* env, int episodes, int limit);
void play_states_free(PlayStates* states, const Env* env, int episodes, int limit);

// Writes the states; `env replay` takes the file as its input.
bool play_states_write(const PlayStates* states, const char* path, const Env* env, Error* error);

typedef struct {
  Env* env;
  PlayPolicy* policy;
  int limit;             // steps of an episode
  uint64_t seed;
  PlayStates* states;    // NULL = not kept
  Renderer* renderer;    // NULL = not drawn
  Movie* movie;
  int every;             // steps from one frame to the next
  uint8_t* rgb;          // one frame
} Play;

// Plays episode `index`, whose randomness is that of (seed, index).
bool play_episode(PlayEpisode* result, Play* play, int index, Arena* scratch, Error* error);

#endif  // CLI_PLAY_H
