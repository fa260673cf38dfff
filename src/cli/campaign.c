#include "cli/campaign.h"

#define GENERATIONS 2  // of checkpoints that are kept, and a third while it is written
#define SNAPSHOTS 2    // of each member of a population

bool campaign_measure(Campaign* c, const RunConfig* config, int ranks, double seconds,
                      Error* error) {
  const RunSpec* x = &config->spec;
  ForecastSetup setup = {.seconds = seconds, .ranks = ranks};
  *c = (Campaign){.ranks = ranks, .bytes = plan_bytes(x, &config->env_spec)};
  if (!forecast_run(&c->forecast, x, &config->env_spec, &setup, error)) {
    return false;
  }
  const Forecast* f = &c->forecast;
  int cores = x->threads * (ranks > 1 ? ranks - 1 : 1);
  c->rank = f->probe.rank;
  c->rank_0 = f->probe.resident + c->bytes.scheduler;
  c->kept = f->sealed + f->policies + f->log;
  c->while_running = f->workers * (GENERATIONS + 1) * f->probe.checkpoint;
  if (f->plan.run_epochs > f->plan.epochs) {
    c->while_running += SNAPSHOTS * f->plan.stage_size * f->probe.checkpoint;
  }
  c->core_seconds = cores * f->wall_seconds;
  c->processor_seconds = x->threads * f->processor_seconds;
  return true;
}

double campaign_memory(const Campaign* c) {
  return c->ranks > 1 ? c->rank_0 + (c->ranks - 1) * c->rank : c->rank + c->bytes.scheduler;
}
