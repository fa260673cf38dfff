// process.h - which process this is, in a form that others can read, and whether one still lives.
#ifndef CLUSTER_PROCESS_H
#define CLUSTER_PROCESS_H

#include <stdbool.h>

#define PROCESS_TEXT_SIZE 320

// Where a process lives (an id of the boot, and of the space of process ids), which it is (number
// and start), the batch job that it belongs to, and, for people, the name of the host.
typedef struct {
  char boot[64];
  unsigned long long space;
  long number;
  unsigned long long started;
  char job[64];
  int restart;  // how often the batch system has restarted the job
  char host[64];
} Process;

Process process_this(void);

// One line of text, and back. False: it is not such a line.
void process_format(char text[PROCESS_TEXT_SIZE], const Process* process);
bool process_parse(Process* process, const char* text);

// Whether a process cannot live any more: one of this machine that has ended, or of an earlier
// start of the same batch job. False if that cannot be known.
bool process_is_dead(const Process* process);

#endif  // CLUSTER_PROCESS_H
