// baseline.h - R', the return of MBPO in its original configuration at the same number of real
// samples (paper equation 9): a YAML file with its provenance (docs/formats.md section 7).
#ifndef HYPER_BASELINE_H
#define HYPER_BASELINE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct {
  char env[64];           // task id
  int seeds;              // runs that were averaged
  const char* run_seeds;  // their run.seed, "0,1,2"; "" if the file does not say
  int count;              // rows
  int64_t* env_step;      // (count) real samples, exploration included, ascending
  double* return_mean;    // (count) over seeds
  double* return_std;     // (count) over seeds
} Baseline;

// Who made a baseline, for its file.
typedef struct {
  const char* env_engine;
  const char* command;
  const char* config_hash;
  const char* provenance;   // version, machine
  const int64_t* seeds;     // (baseline.seeds)
  int eval_episodes;
} BaselineSource;

bool baseline_load(Baseline* baseline, const char* path, Arena* arena, Error* error);
bool baseline_save(const Baseline* baseline, const BaselineSource* source, const char* path,
                   Error* error);

// R' after env_step real samples: linear between rows, the nearest row outside.
double baseline_at(const Baseline* baseline, int64_t env_step);

// The least R' of all rows.
double baseline_least(const Baseline* baseline);

#endif  // HYPER_BASELINE_H
