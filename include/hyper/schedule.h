// schedule.h - a schedule of hyperparameters over the course of a run: a table of knots, and its
// file (docs/formats.md, section 9).
//
// What `autombpo schedule` writes has one knot a decision; one that is written by hand may have a
// few, over the progress of the run. Between two knots the real ratio is interpolated, G and k are
// too and then rounded, and train_model stays what the last knot says.
#ifndef HYPER_SCHEDULE_H
#define HYPER_SCHEDULE_H

#include "hyper/hyper_mdp.h"

typedef struct {
  int knots;             // at least 1
  bool by_progress;      // keys are progress in [0, 1]; else indices of decisions
  double* key;           // (knots) ascending
  bool has[HEAD_COUNT];  // columns of the table; MBPO's own schedule sets the others
  double* value;         // (knots, HEAD_COUNT)
} Schedule;

// False: not a schedule, with file, line and what was expected.
bool schedule_read(Schedule* schedule, const char* path, Arena* arena, Error* error);

// The value of a head; before the first knot that of the first, behind the last that of the last.
double schedule_value(const Schedule* schedule, HyperHead head, int decision, double progress);

// Appends the table as text. Numbers read back to the same bits.
void schedule_format(const Schedule* schedule, Text* text);

#endif  // HYPER_SCHEDULE_H
