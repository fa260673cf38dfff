// simulated.c - many workers in few processes, to see how much rank 0 can take.
//
// A Host stands for `count` workers and sends their messages under their rank numbers. It goes
// through three phases: silent (what rank 0 takes when nothing happens), real (each worker reports
// and sends heartbeats as often as a real one), full (each asks again as soon as it is
// answered). Rank 0's processor time and memory are read from /proc: rank 0 runs its own code, and
// does not know that it is measured.
//
// Workers of a phase are spread evenly over their interval, since all at once would measure a
// burst.
#include "simulated.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stopwatch.h"
#include "bench_internal.h"
#include "cluster/protocol.h"

// Seconds between two heartbeats, as a worker sends them.
#define HEARTBEAT_INTERVAL 1.0

#define MAX_LATENCIES 100000

typedef enum { PHASE_SILENT,
               PHASE_REAL,
               PHASE_FULL,
               PHASE_COUNT } Phase;

typedef union {
  BeginMessage begin;
  OrderMessage order;
  char bytes[COMM_MAX_MESSAGE];
} Answer;

typedef struct {
  ReportMessage report;  // the next or the last
  bool begun, waits, ended;
  double next_report, next_heartbeat;  // when they are due
  double asked;                   // when the report was sent
} Simulated;

typedef struct {
  Comm* comm;
  const ControllerLoad* load;
  int process;  // this one; ranks process, process + hosts ... are its workers
  int hosts;    // processes beside rank 0
  int count;    // workers of this process
  Simulated* worker;
  Phase phase;
  double end;         // of the phase
  int64_t decisions;  // answered in it
  int latency_count;
  double* latency;   // (MAX_LATENCIES) of answered reports, in seconds
  int begun, ended;  // workers
} Host;

double memory_of(int process) {
  char path[64];
  int64_t pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", process);
  FILE* file = fopen(path, "r");
  if (file) {
    pages = fscanf(file, "%*d %" SCNd64, &pages) == 1 ? pages : 0;
    fclose(file);
  }
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void send_message(Host* h, int i, int tag, const void* data, size_t size) {
  h->comm->rank = h->process + i * h->hosts;
  CHECK(comm_send(h->comm, 0, tag, data, size), "rank 0 takes no messages");
}

static void ask(Host* h, int i, double now) {
  Simulated* w = &h->worker[i];
  send_message(h, i, TAG_REPORT, &w->report, report_size(&w->report));
  w->waits = true;
  w->asked = now;
}

static void heartbeat(Host* h, int i) {
  const ReportMessage* report = &h->worker[i].report;
  AliveMessage alive = {.hyper_episode = report->hyper_episode, .progress = report->progress};
  send_message(h, i, TAG_ALIVE, &alive, sizeof alive);
}

static void begin(Host* h, int i, const BeginMessage* message) {
  ReportMessage* report = &h->worker[i].report;
  report->hyper_episode = message->hyper_episode;
  report->policy_version = message->policy_version;
  for (int f = 0; f < FEATURE_COUNT; f++) {
    report->state.raw[f] = report->state.scaled[f] = 0.5;
  }
  for (int head = 0; head < HEAD_COUNT; head++) {
    report->state.allowed[head] = (uint8_t)((1 << head_choices((HyperHead)head)) - 1);
  }
  h->worker[i].begun = true;
  h->begun++;
}

static void ordered(Host* h, int i, double now) {
  Simulated* w = &h->worker[i];
  if (h->latency_count < MAX_LATENCIES) {
    h->latency[h->latency_count++] = now - w->asked;
  }
  h->decisions++;
  w->report.decision++;
  w->waits = false;
  w->next_report = w->asked + h->load->interval;
}

// Takes one message, if there is one.
static bool take(Host* h) {
  Answer answer;
  int rank, tag;
  size_t size;
  if (!comm_poll(h->comm, &rank, &tag, &answer, sizeof answer, &size)) {
    return false;
  }
  int i = (h->comm->rank - h->process) / h->hosts;
  double now = clock_wall();
  if (tag == TAG_BEGIN) {
    begin(h, i, &answer.begin);
  } else if (tag == TAG_ORDER) {
    ordered(h, i, now);
    if (h->phase == PHASE_FULL && now < h->end) {
      ask(h, i, now);
    }
  } else if (tag == TAG_STOP) {
    h->worker[i].ended = true;
    h->ended++;
  }
  return true;
}

// Sends what is due, and takes what has come.
static void turn(Host* h) {
  double now = clock_wall();
  for (int i = 0; h->phase == PHASE_REAL && i < h->count; i++) {
    Simulated* w = &h->worker[i];
    if (now >= w->next_heartbeat) {
      heartbeat(h, i);
      w->next_heartbeat = now + HEARTBEAT_INTERVAL;
    }
    if (!w->waits && now >= w->next_report) {
      ask(h, i, now);
    }
  }
  bool any = false;
  while (take(h)) {
    any = true;
  }
  if (!any) {
    comm_nap(h->comm);
  }
}

// The first waits until rank 0 takes messages: all of this process share the buffers of one.
static void get_ready(Host* h) {
  for (int i = 0; i < h->count; i++) {
    send_message(h, i, TAG_READY, NULL, 0);
    while (h->begun == 0 || take(h)) {
      turn(h);
    }
  }
  while (h->begun < h->count) {
    turn(h);
  }
}

static void start_phase(Host* h, Phase phase) {
  double now = clock_wall();
  h->phase = phase;
  h->end = now + h->load->seconds;
  h->decisions = 0;
  h->latency_count = 0;
  for (int i = 0; i < h->count; i++) {
    double place = (double)i / h->count;
    h->worker[i].next_report = now + place * h->load->interval;
    h->worker[i].next_heartbeat = now + place * HEARTBEAT_INTERVAL;
    if (phase == PHASE_FULL && !h->worker[i].waits) {
      ask(h, i, now);
      while (take(h)) {  // else both would wait for each other to take something
      }
    }
  }
}

// Rank 0's processor time a second in a phase, and the decisions of this process a second.
static void run_phase(Host* h, Phase phase, const Subject* subject, double* share, double* rate) {
  double wall = clock_wall(), used = clock_processor_of(subject->process);
  start_phase(h, phase);
  while (clock_wall() < h->end) {
    turn(h);
  }
  wall = clock_wall() - wall;
  *share = (clock_processor_of(subject->process) - used) / wall;
  *rate = (double)h->decisions / wall;
}

static void add_latency(BenchResult* result, Host* h, const char* median, const char* slow) {
  if (h->latency_count > 0) {
    bench_add_figure(result, median, measure_median(NULL, h->latency, h->latency_count) * 1e3);
    bench_add_figure(result, slow, h->latency[(h->latency_count - 1) * 99 / 100] * 1e3);
  }
}

static void measure_phases(BenchResult* result, Host* h, const Subject* subject) {
  double share[PHASE_COUNT], rate[PHASE_COUNT];
  const ControllerLoad* load = h->load;
  run_phase(h, PHASE_SILENT, subject, &share[PHASE_SILENT], &rate[PHASE_SILENT]);
  run_phase(h, PHASE_REAL, subject, &share[PHASE_REAL], &rate[PHASE_REAL]);
  add_latency(result, h, "load_latency_ms", "load_latency_99_ms");
  run_phase(h, PHASE_FULL, subject, &share[PHASE_FULL], &rate[PHASE_FULL]);
  add_latency(result, h, "full_latency_ms", "full_latency_99_ms");
  double bytes = memory_of(subject->process);
  result->value = rate[PHASE_FULL] * h->hosts;  // each process does as much
  bench_add_figure(result, "workers", load->workers);
  bench_add_figure(result, "processes", h->hosts);
  bench_add_figure(result, "worker_interval_s", load->interval);
  bench_add_figure(result, "silent_cpu_share", share[PHASE_SILENT]);
  bench_add_figure(result, "load_cpu_share", share[PHASE_REAL]);
  bench_add_figure(result, "load_decisions_per_s", load->workers / load->interval);
  bench_add_figure(result, "load_messages_per_s",
                   load->workers / load->interval + load->workers / HEARTBEAT_INTERVAL);
  bench_add_figure(result, "full_cpu_share", share[PHASE_FULL]);
  bench_add_figure(result, "us_per_decision", 1e6 * share[PHASE_FULL] / result->value);
  bench_add_figure(result, "rank0_mb", bytes * 1e-6);
  bench_add_figure(result, "kb_per_worker",
                   (bytes - subject->start_bytes) * 1e-3 / load->workers);
}

// As a worker does that was told to stop: it rests, and is dismissed when all rest.
static void end(Host* h) {
  for (int i = 0; i < h->count; i++) {
    send_message(h, i, TAG_STOPPED, NULL, 0);
  }
  while (h->ended < h->count) {
    turn(h);
  }
}

void simulate_workers(BenchResult* result, Hosted* hosted, const ControllerLoad* load,
                      const Subject* subject) {
  Arena arena;
  arena_init(&arena);
  Host h = {.comm = &hosted->comm,
            .process = hosted->below->rank,
            .hosts = hosted->hosts,
            .load = load};
  h.count = (load->workers - h.process) / h.hosts + 1;
  h.worker = ARENA_NEW(&arena, h.count, Simulated);
  h.latency = ARENA_NEW(&arena, MAX_LATENCIES, double);
  get_ready(&h);
  measure_phases(result, &h, subject);
  end(&h);
  arena_free(&arena);
}
