// bench_controller.c - rank 0's side of the measurement, and what all ranks share.
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "bench_internal.h"
#include "cluster/cluster.h"
#include "hyper/scratch_directory.h"
#include "simulated.h"

bool controller_interval(double* interval, const BenchSetup* setup, Arena* arena, Error* error) {
  BenchResult sac;
  if (!bench_sac(&sac, setup, arena, error)) {
    return false;
  }
  const RunSpec* x = setup->spec;
  *interval = x->hyper.decision_interval * x->mbpo.policy_updates / sac.value;
  return true;
}

// As many hyper-episodes as workers, all at a time; the controller is asked at each decision.
static RunSpec crowded(const RunSpec* spec, int workers) {
  RunSpec x = *spec;
  snprintf(x.scheduler.kind, sizeof x.scheduler.kind, "%s", SCHEDULER_DEFAULT);
  x.ppo.episodes_per_update = workers;
  x.ppo.stages = (OptionList){1, {1}};
  return x;
}

static bool coordinate(Comm* comm, const RunSpec* spec, const ControllerLoad* load,
                       Error* error) {
  RunSpec x = crowded(spec, load->workers);
  RunDirectory directory;
  if (!scratch_directory_make(&directory, error)) {
    return false;
  }
  ClusterOptions options = {.save = {.interval = 3600},
                             .progress_interval = 3600,
                             .lost_after = 3600,
                             .lease_timeout = 300,
                             .quiet = true};
  bool ok = cluster_run(comm, &x, &directory, &options, error) != CLUSTER_FAILED;
  scratch_directory_remove(&directory);
  return ok;
}

bool bench_controller(BenchResult* result, bool* reports, Comm* comm, const RunSpec* spec,
                      const ControllerLoad* load, Error* error) {
  Subject subject = {.process = comm_share(comm, getpid()),
                     .start_bytes = 1e3 * comm_share(comm, (int)(memory_of(getpid()) * 1e-3))};
  Hosted hosted;
  hosted_init(&hosted, comm, load->workers);
  *reports = comm->rank == 1;
  *result = (BenchResult){.name = "controller",
                          .unit = "decisions/s",
                          .batch = load->workers,
                          .floor = NAN,
                          .repeats = 1};
  if (comm->rank == 0) {
    return coordinate(&hosted.comm, spec, load, error);
  }
  simulate_workers(result, &hosted, load, &subject);
  return true;
}
