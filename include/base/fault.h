// fault.h - ends the process at a named place, for tests of what a kill there leaves behind.
//
// Inert unless the environment variable AUTOMBPO_FAULT is POINT:COUNT, e.g. before-rename:3: then
// the process ends at its COUNT-th passing of POINT as SIGKILL would end it, with exit code 137.
// Points, and where they are passed:
//   mid-write                  a file is half written under its temporary name
//   before-rename              it is written and synced, and has not its name yet
//   after-rename               it has its name, and the directory is not synced yet
//   in-update                  the controller is being updated
//   after-seal-before-remove   a hyper-episode is sealed, its checkpoints are still there
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

void fault_point(const char* point);

#endif  // BASE_FAULT_H
