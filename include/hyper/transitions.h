// transitions.h - the real transitions of a hyper-episode, for its sealed file (docs/formats.md
// section 3.4; only with log.transitions).
#ifndef HYPER_TRANSITIONS_H
#define HYPER_TRANSITIONS_H

#include "mbpo/mbpo.h"
#include "store/h5.h"

// Writes group `env`: what the real buffer holds, then the episode that was still running.
void transitions_write(H5File* file, const Mbpo* mbpo, Arena* scratch);

#endif  // HYPER_TRANSITIONS_H
