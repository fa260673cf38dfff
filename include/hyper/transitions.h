// transitions.h - the real transitions of a hyper-episode, for its sealed file (docs/formats.md
// section 3.4; only with log.transitions).
#ifndef HYPER_TRANSITIONS_H
#define HYPER_TRANSITIONS_H

#include "mbpo/mbpo.h"
#include "store/h5.h"

// Writes group `env`: what the real buffer holds, then the episode that was still running.
void transitions_write(H5File* file, const Mbpo* mbpo, Arena* scratch);

// Writes final/model/errors (N, O): predicted minus real next observation of the real transitions
// that the model has not seen, because they came after its last training; predicted by the mean of
// the best elite. Nothing if there is none.
void transitions_write_errors(H5File* file, const Mbpo* mbpo, Arena* scratch);

#endif  // HYPER_TRANSITIONS_H
