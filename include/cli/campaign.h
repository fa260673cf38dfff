// campaign.h - what a whole run takes on so many ranks: hours, memory, files.
//
// One estimate for all that ask: `plan`, `launch`, `experiment plan` and `experiment launch`.
#ifndef CLI_CAMPAIGN_H
#define CLI_CAMPAIGN_H

#include "bench/forecast.h"
#include "run/plan.h"

// What is reserved beyond what was measured: time for slower nodes and for a controller that comes
// to prefer more work; memory for what MPI and the C library keep.
#define CAMPAIGN_TIME_MARGIN 1.25
#define CAMPAIGN_MEMORY_MARGIN 1.2

typedef struct {
  int ranks;
  Forecast forecast;
  PlanBytes bytes;
  double rank, rank_0;      // bytes of memory at most; rank_0 without a hyper-episode of its own
  double kept;              // bytes on disk when it is complete
  double while_running;     // and at most beside that: checkpoints and snapshots
  double core_seconds;      // reserved: a core for each thread of a rank that works
  double processor_seconds; // of them, at work
} Campaign;

// The configuration was opened. Measures for `seconds` of processor time.
bool campaign_measure(Campaign* campaign, const RunConfig* config, int ranks, double seconds,
                      Error* error);

// Bytes of memory of all ranks on one machine.
double campaign_memory(const Campaign* campaign);

#endif  // CLI_CAMPAIGN_H
