// h5_table.h - numeric datasets of HDF5 files that other programs wrote.
#ifndef STORE_H5_TABLE_H
#define STORE_H5_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

// A dataset of any integer or floating-point type, as double.
typedef struct {
  int64_t rows;
  int64_t columns;  // 1 for a dataset with one axis
  double* x;        // (rows, columns)
} H5Table;

// Reads the dataset `name` of the file `path`.
bool h5_table_read(H5Table* table, const char* path, const char* name, Arena* arena, Error* error);

#endif  // STORE_H5_TABLE_H
