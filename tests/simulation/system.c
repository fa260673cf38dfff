// system.c - what a process asks of its system: clocks, signals, who it is, who lives.
//
// These take the place of base/stopwatch.c, cluster/stop.c and cluster/process.c.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/stopwatch.h"
#include "cluster/process.h"
#include "cluster/stop.h"
#include "world.h"

double clock_wall(void) { return world.now + (world.running ? world.running->clock : 0); }
double clock_processor(void) { return world.now; }
double clock_processor_of(int process) { return process > 0 ? world.now : NAN; }
double clock_date(void) {
  return 1.7e9 + clock_wall() + (world.running ? world.running->date : 0);
}

bool reminder_due(Reminder* r) {
  double now = clock_wall();
  bool due = r->interval == 0 || now >= r->due;
  if (due) {
    r->interval = 60;
    r->due = now + r->interval;
  }
  return due;
}

Stopwatch stopwatch_start(void) { return (Stopwatch){clock_processor()}; }

void stopwatch_lap(Stopwatch* watch, double* part) {
  double now = clock_processor();
  *part += now - watch->last;
  watch->last = now;
}

void stop_install(void) {}
void stop_set_grace(double seconds) { (void)seconds; }
void stop_guard(unsigned seconds, int code) {
  (void)seconds;
  (void)code;
}

int stop_seconds_left(void) {
  const Actor* a = world.running;
  return a->ends > 0 ? (int)fmax(0, a->ends - world.now) : -1;
}

void stop_request(void) { world.running->stop = true; }

bool stop_requested(void) { return world.running->stop; }

bool stop_save_requested(void) {
  bool save = world.running->save;
  world.running->save = false;
  return save;
}

Process process_this(void) {
  const Actor* a = world.running;
  int pid = world_pid(a);
  Process p = {.number = pid, .space = 1, .started = (unsigned)pid, .job = "-"};
  snprintf(p.boot, sizeof p.boot, "boot-%d", a->host);
  snprintf(p.host, sizeof p.host, "host-%d", a->host);
  return p;
}

void process_format(char text[PROCESS_TEXT_SIZE], const Process* p) {
  snprintf(text, PROCESS_TEXT_SIZE, "%s %llu %ld %llu %s %d %s\n", p->boot, p->space, p->number,
           p->started, p->job, p->restart, p->host);
}

bool process_parse(Process* p, const char* text) {
  return sscanf(text, "%63s %llu %ld %llu %63s %d %63s", p->boot, &p->space, &p->number,
                &p->started, p->job, &p->restart, p->host) >= 6;
}

bool process_is_dead(const Process* p) {
  Process me = process_this();
  const Actor* a = world_actor((int)p->number);
  return strcmp(p->boot, me.boot) == 0 && (!a || !a->alive);
}

int __wrap_getpid(void) { return world.running ? world_pid(world.running) : 999; }

int __wrap_gethostname(char* name, size_t size) {
  snprintf(name, size, "host-%d", world.running ? world.running->host : 0);
  return 0;
}

int __wrap_nanosleep(const struct timespec* time, struct timespec* left) {
  (void)left;
  if (world.running) {
    world_sleep((double)time->tv_sec + 1e-9 * (double)time->tv_nsec, false);
  }
  return 0;
}

void __wrap_fault_point(const char* point) { world_point(point); }
