// cluster.c - a run on all ranks, from the first message to the last.
//
// Rank 0 tells all who it is. Then each rank either works (message_link.c) or coordinates, alone
// (local_link.c) or for the others (serve.c). When all have come to rest, rank 0 seals the run if
// it is complete, and gives its leases back. Only then may the others end: after a loss none can
// end as MPI would have it, and the first that goes takes rank 0 with it.
#include "cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/notice.h"
#include "base/stopwatch.h"
#include "cluster/stop.h"
#include "hyper/manifest.h"
#include "rank0.h"

// The earlier of run.max_wall and the end that Slurm announces. One that is past is said: such a
// start stops at once, and would be repeated without getting on.
static double find_deadline(const ClusterOptions* options) {
  double deadline = options->max_wall > 0 ? clock_date() + options->max_wall : 0;
  const char* end = getenv("SLURM_JOB_END_TIME");
  double slurm = end ? atof(end) : 0;
  if (slurm > 0 && slurm <= clock_date()) {
    notice("warning: SLURM_JOB_END_TIME=%s is past: this start has no time, and stops at once. "
           "Unset it if it is not of this job",
           end);
  }
  return slurm > 0 && (deadline == 0 || slurm < deadline) ? slurm : deadline;
}

static bool seal(Rank0* r, Error* error) {
  const ClusterOptions* options = r->options;
  return coordinator_pack(&r->coordinator, error) &&
         manifest_write(r->coordinator.directory, error) &&
         (!options->complete ||
          options->complete(options->of, r->reporter.standing.diverged, error));
}

static ClusterEnd finish(Rank0* r, bool ok, Error* error) {
  bool complete = ok && coordinator_complete(&r->coordinator);
  if (complete) {
    ok = seal(r, error);
  }
  reporter_end(&r->reporter, !ok ? "failed" : complete ? "finished"
                                                       : "checkpointed");
  scheduler_close(&r->coordinator.scheduler);
  coordinator_release(&r->coordinator);
  return !ok ? CLUSTER_FAILED : complete ? CLUSTER_FINISHED
                                         : CLUSTER_STOPPED;
}

static ClusterEnd coordinate(Comm* comm, const RunSpec* x, const RunDirectory* directory,
                             const ClusterOptions* options, Arena* arena, Error* error) {
  Rank0* r = ARENA_NEW(arena, 1, Rank0);
  r->comm = comm;
  r->options = options;
  r->error = error;
  r->deadline = find_deadline(options);
  reporter_init(&r->reporter, x, directory, comm->ranks, options->progress_interval, options->quiet,
                arena);
  r->reporter.deadline = r->deadline;
  if (!coordinator_init(&r->coordinator, x, directory, options->lease_timeout, options->pack,
                        &r->reporter, arena, error)) {
    return CLUSTER_FAILED;
  }
  rank0_listen(r, 0);
  Server* server = comm->ranks > 1 ? server_open(r, arena) : NULL;
  bool ok = !r->failed && rank0_tick(r, error) &&
            (server ? serve(server, error) : work_alone(r, error));
  ClusterEnd end = finish(r, ok, error);
  if (server) {
    server_let_go(server, end);
  }
  return end;
}

ClusterEnd cluster_run(Comm* comm, const RunSpec* x, const RunDirectory* directory,
                       const ClusterOptions* options, Error* error) {
  char text[PROCESS_TEXT_SIZE];
  Process server = process_this();
  process_format(text, &server);
  comm_share_text(comm, text, sizeof text);
  stop_guard(0, 0);  // all ranks are there; from here on each looks after the others
  if (comm->rank > 0) {
    CHECK(process_parse(&server, text), "rank 0 is '%s'", text);
    return work_for(&server, comm, x, directory, options, error);
  }
  Arena arena;
  arena_init(&arena);
  ClusterEnd end = coordinate(comm, x, directory, options, &arena, error);
  arena_free(&arena);
  return end;
}
