// h5.h - checked access to serial HDF5 files (docs/formats.md): the only place that calls HDF5.
//
// Writing goes to a temporary name; h5_seal checks every return code, re-opens and verifies the
// file, syncs it and gives it its name. Equal content gives equal bytes: no times, hosts or paths.
// A file remembers its first failure, after which its functions do nothing (reads give zeros), so
// that many columns can follow each other; h5_seal or h5_close reports it.
// Names are paths below the root, "decisions/env_step"; "" is the root itself.
#ifndef STORE_H5_H
#define STORE_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/files.h"

typedef enum { H5_BOOL, H5_U8, H5_I8, H5_I32, H5_I64, H5_U64, H5_F32, H5_F64 } H5Type;

typedef struct {
  int64_t handle;                      // of HDF5
  bool writing;
  bool plain;                          // contiguous and uncompressed: for checkpoints
  bool failed;
  Error error;                         // the first failure
  uint64_t checksum;                   // of the datasets written so far
  char path[FILES_PATH_SIZE];          // final name
  char temporary[FILES_PATH_SIZE];     // while writing
} H5File;

// A dataset of (rows) or, if columns > 0, (rows, columns).
typedef struct {
  const char* name;
  H5Type type;
  int64_t rows, columns;
  const char* unit;       // "1" if it has none
  const char* long_name;
} H5Column;

// "HDF5 1.10.8": the library in use.
void h5_library(char* text, size_t size);

// Starts a file whose root says format and format_version.
bool h5_create(H5File* file, const char* path, const char* format, int version, Error* error);

// Opens a sealed file for reading: it must be complete and of this format and version.
bool h5_open(H5File* file, const char* path, const char* format, int version, Error* error);

// Opens any sealed file of ours, of whatever format, for inspection.
bool h5_open_any(H5File* file, const char* path, Error* error);

// Writes checksum and complete, closes, verifies, syncs and publishes. An existing file of the same
// bytes is fine; one of other content is kept and an error. The file is closed in any case.
bool h5_seal(H5File* file, Error* error);

// Closes: after reading, or to drop what was written. False reports the file's first failure.
bool h5_close(H5File* file, Error* error);

// Reads everything and compares with the stored checksum; `checksum` (or NULL) receives it.
bool h5_verify(H5File* file, uint64_t* checksum);

void h5_group(H5File* file, const char* name);
void h5_write(H5File* file, const H5Column* column, const void* data);

bool h5_has(H5File* file, const char* name);

// Shape of a dataset; columns 0 = one axis. False and zeros if there is none.
bool h5_shape(H5File* file, const char* name, int64_t* rows, int64_t* columns);

// Rows of a dataset; one with more than INT_MAX is refused.
int h5_rows(H5File* file, const char* name);

// Reads a whole dataset, which must have exactly this type and shape.
void h5_read(H5File* file, const char* name, H5Type type, int64_t rows, int64_t columns,
             void* data);

// Attributes of a group or dataset. Text is UTF-8.
void h5_set_text(H5File* file, const char* object, const char* name, const char* value);
void h5_set_i64(H5File* file, const char* object, const char* name, int64_t value);
void h5_set_f64(H5File* file, const char* object, const char* name, double value);
void h5_set_i64s(H5File* file, const char* object, const char* name, const int64_t* values,
                 int count);

bool h5_has_attribute(H5File* file, const char* object, const char* name);
const char* h5_get_text(H5File* file, const char* object, const char* name, Arena* arena);
int64_t h5_get_i64(H5File* file, const char* object, const char* name);
// Same, refused outside of low ... high.
int h5_get_int(H5File* file, const char* object, const char* name, int low, int high);
double h5_get_f64(H5File* file, const char* object, const char* name);
// Number of values of an attribute; 0 if there is none.
int h5_attribute_count(H5File* file, const char* object, const char* name);
// Values of an array of exactly `count`.
void h5_get_i64s(H5File* file, const char* object, const char* name, int64_t* values, int count);

// Calls back for each dataset, in ascending order of full names.
typedef void (*H5Visitor)(void* context, const char* name, H5Type type, int64_t rows,
                          int64_t columns);
void h5_each_dataset(H5File* file, H5Visitor visitor, void* context);

size_t h5_type_size(H5Type type);

#endif  // STORE_H5_H
