// experiment_table.h - what an experiment takes and where it stands, as a table for people.
#ifndef CLI_EXPERIMENT_TABLE_H
#define CLI_EXPERIMENT_TABLE_H

#include "run/experiment.h"

// Appends a line for each task, method and step, with the core-hours and bytes of what is finished
// and of what is left, and the sums. What a run takes is what finished ones of its line took; else
// what was forecast.
bool experiment_table(Text* out, const Experiment* experiment, Arena* arena, Error* error);

#endif  // CLI_EXPERIMENT_TABLE_H
