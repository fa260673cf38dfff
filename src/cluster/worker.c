#include "cluster/worker.h"

#include <stdio.h>
#include <sys/resource.h>

#include "hyper/trajectory.h"

static double resident_megabytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

static Progress progress_of(const HyperEpisode* h) {
  const Mbpo* m = &h->mbpo;
  Progress p = {.env_step = m->env_step, .epochs = h->epochs, .times = m->times};
  p.eval_return = m->eval_mean;
  p.real_ratio = m->real_ratio;
  p.policy_updates = m->policy_updates;
  p.rollout_length = m->rollout_length;
  p.model_trainings = h->epochs > 0 ? (int32_t)h->epoch[h->epochs - 1].model_trainings : 0;
  p.rss_mb = resident_megabytes();
  return p;
}

static void decide(HyperEpisode* h, Link* link) {
  ReportMessage report = {.hyper_episode = h->index,
                          .decision = h->decisions,
                          .policy_version = h->policy_version,
                          .state = h->state,
                          .progress = progress_of(h)};
  report.reward = h->decisions > 0 ? decision_reward(&h->decision[h->decisions - 1]) : 0;
  OrderMessage order;
  link->decide(link, &order, &report);
  CHECK(order.hyper_episode == h->index && order.decision == h->decisions,
        "order for hyper-episode %lld decision %d, expected %lld, %d",
        (long long)order.hyper_episode, order.decision, (long long)h->index, h->decisions);
  hyper_episode_act(h, &order.action);
}

static void run_to_end(HyperEpisode* h, Link* link) {
  for (;;) {
    switch (hyper_episode_advance(h)) {
      case HYPER_STEPPED:
      case HYPER_EPOCH_END:
        break;
      case HYPER_DECISION:
        decide(h, link);
        break;
      case HYPER_FINISHED:
        return;
    }
  }
}

static bool run_one(const BeginMessage* begin, Link* link, const Experiment* experiment,
                    const RunDirectory* directory, Arena* arena, Error* error) {
  HyperEpisode episode;
  if (!hyper_episode_init(&episode, experiment, begin->hyper_episode, begin->policy_version,
                          begin->scheduled, arena, error)) {
    return false;
  }
  run_to_end(&episode, link);
  char path[RUN_PATH_SIZE];
  run_episode_path(path, directory, begin->hyper_episode);
  bool ok = trajectory_write(&episode, path, error);
  if (ok) {
    SealedMessage sealed = {.hyper_episode = begin->hyper_episode,
                            .diverged = episode.mbpo.diverged,
                            .score = hyper_episode_score(&episode),
                            .progress = progress_of(&episode)};
    link->sealed(link, &sealed);
  }
  hyper_episode_free(&episode);
  return ok;
}

bool worker_run(Link* link, const Experiment* experiment, const RunDirectory* directory,
                Error* error) {
  Arena arena;
  arena_init(&arena);
  BeginMessage begin;
  bool ok = true;
  while (ok && link->begin(link, &begin)) {
    ArenaMark mark = arena_mark(&arena);
    ok = run_one(&begin, link, experiment, directory, &arena, error);
    arena_release(&arena, mark);
  }
  arena_free(&arena);
  return ok;
}
