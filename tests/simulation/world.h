// world.h - a cluster in one process: simulated processes take turns under one clock and one seed.
//
// A process is a stack of its own. It runs until it sleeps, polls in vain or touches a file; then
// whoever is due next goes on, and time is what its clock says. Nothing else passes, so that a
// campaign of hours takes milliseconds, and its seed repeats it to the last step.
#ifndef SIMULATION_WORLD_H
#define SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"

#define MOST_PROCESSES 256  // of a campaign, one after the other
#define MOST_EPISODES 64

typedef struct Mail Mail;
typedef struct Owned Owned;

// One process of one start: a rank.
typedef struct {
  int start, rank, host;
  bool alive;
  double wake;        // when it goes on
  bool naps;          // and a message wakes it
  double clock;       // what its clocks are ahead of the world's
  double date;        // and the date, which may be set back, of its clock
  double ends;        // when SIGTERM's grace is over; 0 = it runs
  bool stop, save;    // was asked to
  Comm comm;
  Mail* mail;         // in the order of arrival
  Owned* owned;       // memory and descriptors, for when it is killed
  void* stack;
  void* context;
  ClusterEnd end;
  Error error;
} Actor;

typedef struct {
  int ranks;
  Actor* rank[8];
  bool shared;        // rank 0 has said who it is
  char said[1024];
  bool recovers;      // its ranks outlive each other
  bool asked;         // one of its ranks was asked to stop
  bool counted[MOST_EPISODES];  // its rank 0 knows of a worker that has sealed it
  bool complete;      // its rank 0 has done all that is to be done for a complete run
  double doomed;      // when mpirun ends them all; 0 = never
} Start;

// What happens to a campaign: rates are events a simulated minute, chances are of one call.
typedef struct {
  int starts, ranks;  // at a time; of each
  double kills, pauses, jumps, stops, power;
  double point_kill;  // chance that a process dies at a file operation
  double slow, fail;  // of a file operation
  double delay;       // of a message, in seconds at most
  double toil;        // how much longer units of work take
  bool quiet;         // no process was killed, paused or asked to stop: nothing is done twice
  bool tidy;          // none was killed or asked to stop: nothing is left
} Weather;

// Everything about the campaign that runs.
typedef struct {
  uint64_t seed, state;
  Weather weather;
  double now, calm;   // no fault after that
  Actor actor[MOST_PROCESSES];
  int actors;
  Start start[MOST_PROCESSES];
  int starts;
  Actor* running;     // NULL: the simulation itself
  const RunSpec* spec;
  const RunDirectory* directory;
  const ClusterOptions* options;
  bool trace;
  bool lost_power;    // once at least
  bool acknowledged[MOST_EPISODES];
  int64_t holder[MOST_PROCESSES];  // hyper-episode that an actor was assigned; -1 = none
  char failure[2048];  // the law that was broken
  int64_t steps;
} World;

extern World world;

uint64_t world_random(void);
double world_uniform(void);
bool world_chance(double p);

// Goes on after so many seconds, or, where it naps, when a message has come.
void world_sleep(double seconds, bool naps);

// A place where a process may be killed, slowed down or overtaken.
void world_point(const char* what);

// Ends the running process; `dead`: as a kill would.
_Noreturn void world_exit(bool dead);

void world_kill(Actor* actor, const char* why);
void world_kill_start(int start, const char* why);
Actor* world_actor(int pid);
int world_pid(const Actor* actor);

// Starts `ranks` processes on a host.
void world_start(int ranks, int host, bool recovers);

// Lets whoever is due go on. False: nobody lives.
bool world_turn(void);

// The first law that was broken.
void world_fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
void world_log(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Memory of the running process.
void* world_alloc(size_t size);
void world_free(void* memory);
void world_forget(void);

extern const CommOps world_comm;
void mail_drop(Actor* actor);

// The disk (disk.c).
void disk_begin(void);
void disk_end(void);
void disk_release(Actor* actor);
void disk_lose_power(void);

// Faults of the program, to be found (plants.c).
typedef enum {
  PLANT_NONE,
  PLANT_NO_FILE_SYNC,
  PLANT_NO_DIRECTORY_SYNC,
  PLANT_LEASE_TWICE,
  PLANT_NEVER_RENEWED,
  PLANT_FOLD_ORDER,
  PLANT_FORGOTTEN_STATE,
  PLANT_LOST_MESSAGE,
  PLANT_EARLY_END,
  PLANT_SWEPT_ALIVE,
  PLANTS,
} Plant;
extern Plant plant;
extern const char* const plant_names[PLANTS];

#endif  // SIMULATION_WORLD_H
