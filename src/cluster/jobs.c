#include "cluster/jobs.h"

#include <string.h>

#include "base/error.h"

typedef enum {
  TAG_JOB_RESULT = 101,  // worker -> 0: the last result, job = -1 at first. Answer: JOB or NO_JOB
  TAG_JOB,               // 0 -> worker: run this job
  TAG_NO_JOB,            // 0 -> worker: all are assigned
} JobTag;

typedef struct {
  int64_t job;
  char result[JOB_MAX_RESULT];
} JobMessage;

static void assign(Comm* comm, char* results, int64_t count, size_t size) {
  int64_t next = 0;
  for (int active = comm->ranks - 1; active > 0;) {
    JobMessage message;
    int rank, tag;
    size_t received;
    if (!comm_poll(comm, &rank, &tag, &message, sizeof message, &received)) {
      comm_nap(comm);
      continue;
    }
    CHECK(tag == TAG_JOB_RESULT && message.job < count, "unexpected message %d", tag);
    if (message.job >= 0) {
      memcpy(results + (size_t)message.job * size, message.result, size);
    }
    if (next < count) {
      comm_send(comm, rank, TAG_JOB, &next, sizeof next);
      next++;
    } else {
      comm_send(comm, rank, TAG_NO_JOB, NULL, 0);
      active--;
    }
  }
}

static void work(Comm* comm, JobRun run, void* context) {
  JobMessage message = {.job = -1};
  size_t received;
  do {
    comm_send(comm, 0, TAG_JOB_RESULT, &message, sizeof message);
    if (comm_receive(comm, 0, &message.job, sizeof message.job, &received) == TAG_NO_JOB) {
      return;
    }
    run(message.result, message.job, context);
  } while (true);
}

void jobs_run(Comm* comm, void* results, int64_t count, size_t size, JobRun run, void* context) {
  CHECK(size <= JOB_MAX_RESULT, "results of %zu bytes, at most %d", size, JOB_MAX_RESULT);
  if (comm->rank > 0) {
    work(comm, run, context);
  } else if (comm->ranks > 1) {
    assign(comm, results, count, size);
  } else {
    for (int64_t job = 0; job < count; job++) {
      run((char*)results + (size_t)job * size, job, context);
    }
  }
}
