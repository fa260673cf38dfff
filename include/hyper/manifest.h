// manifest.h - COMPLETE, the mark of a finished run: name and checksum of all its sealed files, so
// that a run which nothing will be added to can be told to be what it was.
#ifndef HYPER_MANIFEST_H
#define HYPER_MANIFEST_H

#include "hyper/run_directory.h"

// Writes COMPLETE; all sealed files are there. Where it lists them already, they are compared (one
// that was removed has been made again); an empty one, of version 0.1, is replaced.
bool manifest_write(const RunDirectory* directory, Error* error);

// Compares the files of a complete run with its manifest; those that are missing are made again, to
// the same bits. True where there is no manifest (a run that goes on, or of an earlier version).
bool manifest_check(const RunDirectory* directory, Error* error);

#endif  // HYPER_MANIFEST_H
