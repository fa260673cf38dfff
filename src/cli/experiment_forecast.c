// experiment_forecast.c - the estimate of cli/campaign.h for each kind of run of an experiment.
//
// A run may follow what another one has yet to make: a controller, a schedule. Where that is
// missing, chance decides in its place, which does the same kinds of work. R' changes no work.
#include "cli/experiment_forecast.h"

#include <math.h>
#include <string.h>

#include "cli/campaign.h"

// "scheduler.kind=NAME" of the kind that decides, or of the one that leaves all to MBPO, without
// needing anything for it.
static const char* kind_operand(bool decides, Arena* arena) {
  for (int i = 0; scheduler_kind_at(i); i++) {
    const SchedulerKind* kind = scheduler_kind_at(i);
    bool fits = decides ? kind->steps && !kind->has_versions && !kind->outside.ask
                        : kind->own_rollouts && !kind->decide;
    if (fits) {
      return text_format(arena, "scheduler.kind=%s", kind->name);
    }
  }
  CHECK(false, "no such kind of scheduler");
}

// As a start reads it, with more operands; a baseline runs for as long as a controller is trained.
static bool open_config(RunConfig* config, const ExperimentRun* run, const char* const* more,
                        Error* error) {
  run_config_init(config);
  char** operands = ARENA_NEW(&config->arena, run->operand_count + 2, char*);
  int count = run->operand_count;
  memcpy(operands, run->operands, (size_t)count * sizeof *operands);
  for (int i = 0; more[i]; i++) {
    operands[count++] = (char*)more[i];
  }
  if (!run_config_read(config, count, operands, false, NULL, error)) {
    return false;
  }
  if (run->output) {
    config->spec.hyper.apply_epochs = config->spec.hyper.train_epochs;
  }
  return run_config_open(config, error);
}

static bool forecast(ExperimentForecast* f, const ExperimentRun* run, double seconds,
                     Arena* arena, Error* error) {
  const char* plain[] = {run->output ? kind_operand(false, arena) : NULL, NULL};
  const char* by_chance[] = {kind_operand(true, arena), "scheduler.controller=", NULL};
  RunConfig config;
  Campaign campaign;
  Error missing = {0};
  bool good = open_config(&config, run, plain, &missing);
  if (!good) {
    run_config_free(&config);
    good = open_config(&config, run, by_chance, error);
  }
  good = good && campaign_measure(&campaign, &config, 1, seconds, error);
  if (good) {
    *f = (ExperimentForecast){.cpu_seconds = campaign.processor_seconds,
                              .disk_bytes = campaign.kept,
                              .memory_bytes = campaign_memory(&campaign)};
  }
  run_config_free(&config);
  return good;
}

bool experiment_measure(const Experiment* x, double seconds, Arena* arena, Error* error) {
  ExperimentForecast* known = ARENA_NEW(arena, x->run_count, ExperimentForecast);
  if (!experiment_forecasts_read(known, x, arena, error)) {
    return false;
  }
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    ExperimentForecast found;
    if (run->repetition > 0 || known[i].cpu_seconds > 0 || experiment_is_done(run)) {
      continue;
    }
    if (!forecast(&found, run, seconds, arena, error) ||
        !experiment_forecast_add(x, i, &found, error)) {
      return error_add(error, "%s", run->directory);
    }
  }
  return true;
}

bool experiment_largest(ExperimentForecast* largest, const Experiment* x, Arena* arena,
                        Error* error) {
  ExperimentForecast* known = ARENA_NEW(arena, x->run_count, ExperimentForecast);
  *largest = (ExperimentForecast){0};
  if (!experiment_forecasts_read(known, x, arena, error)) {
    return false;
  }
  for (int i = 0; i < x->run_count; i++) {
    largest->cpu_seconds = fmax(largest->cpu_seconds, known[i].cpu_seconds);
    largest->memory_bytes = fmax(largest->memory_bytes, known[i].memory_bytes);
  }
  return true;
}
