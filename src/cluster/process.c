#include "cluster/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"

// When a process of this machine started, in clock ticks after the boot; 0 = it does not live.
static unsigned long long start_of(long number) {
  char path[64], text[FILES_START_SIZE];
  unsigned long long ticks = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", number);
  files_read_start(text, path);
  // the name in brackets may hold anything; 20 fields follow before the start
  const char* at = strrchr(text, ')');
  if (at && strncmp(at, ") Z", 3) == 0) {
    return 0;  // ended, but not yet collected by its parent: in containers perhaps never
  }
  for (int field = 0; at && field < 20; field++) {
    at = strchr(at + 1, ' ');
  }
  return at && sscanf(at, " %llu", &ticks) == 1 ? ticks : 0;
}

static const char* environment(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value && *value ? value : otherwise;
}

Process process_this(void) {
  Process me = {.number = getpid(), .boot = "unknown", .host = "unknown"};
  gethostname(me.host, sizeof me.host - 1);
  char text[FILES_START_SIZE];
  struct stat space;
  files_read_start(text, "/proc/sys/kernel/random/boot_id");
  sscanf(text, "%63s", me.boot);
  me.space = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
  me.started = start_of(me.number);
  snprintf(me.job, sizeof me.job, "%s", environment("SLURM_JOB_ID", "-"));
  me.restart = atoi(environment("SLURM_RESTART_COUNT", "0"));
  return me;
}

void process_format(char text[PROCESS_TEXT_SIZE], const Process* p) {
  snprintf(text, PROCESS_TEXT_SIZE, "%s %llu %ld %llu %s %d %s\n", p->boot, p->space,
           p->number, p->started, p->job, p->restart, p->host);
}

bool process_parse(Process* p, const char* text) {
  strcpy(p->host, "unknown");
  return sscanf(text, "%63s %llu %ld %llu %63s %d %63s", p->boot, &p->space, &p->number,
                &p->started, p->job, &p->restart, p->host) >= 6;
}

bool process_is_dead(const Process* p) {
  Process me = process_this();
  if (strcmp(p->boot, me.boot) == 0 && p->space == me.space) {
    return start_of(p->number) != p->started;
  }
  return me.job[0] != '-' && strcmp(p->job, me.job) == 0 && p->restart < me.restart;
}
