// fault.h - ends the process at a named place, or holds it there, for tests of what a kill or a
// signal there leaves behind.
//
// Inert unless the environment variable AUTOMBPO_FAULT is POINT:COUNT, e.g. before-rename:3: then
// the process ends at its COUNT-th passing of POINT as SIGKILL would end it, with exit code 137.
// With POINT:COUNT:FILE it stays there instead, so that a test need not be quick: if FILE is there
// and holds nobody yet, it writes its process id into it, and waits until it is sent a signal that
// it handles, or until FILE is removed. Of several ranks one is held.
// Points, and where they are passed:
//   mid-write                  a file is half written under its temporary name
//   before-rename              it is written and synced, and has not its name yet
//   after-rename               it has its name, and the directory is not synced yet
//   in-update                  the controller is being updated
//   after-save                 a checkpoint is written, and rank 0 was told
//   after-seal-before-remove   a hyper-episode is sealed, its checkpoints are still there
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

void fault_point(const char* point);

// Lets a process go on that is held. For handlers of signals.
void fault_release(void);

#endif  // BASE_FAULT_H
