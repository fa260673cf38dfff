// h5_data.c - groups and datasets: written whole, read whole, hashed in pieces.
//
// A dataset is one column of a table. Large ones are chunked, shuffled and compressed at the lowest
// level, with a checksum for each chunk; below 64 KiB that costs more than it saves. Times are
// never tracked: equal content must give equal bytes. The file's checksum is the sum of one hash a
// dataset (of name, type, shape and bytes), so that it does not depend on their order.
//
// Reading trusts nothing. The links on the way must exist, the values must be in this file, type
// and shape must be those asked for, and a shape may not claim more values than compression can
// hide in the bytes that are there: a small file could otherwise make the reader fill memory with
// zeros.
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/fault.h"
#include "h5_internal.h"

#define SMALLEST_CHUNKED 65536  // bytes; below, chunks and compression cost more than they save
#define LARGEST_CHUNK 1048576   // bytes
#define PIECE 1048576           // bytes read at once when hashing
#define BEST_DEFLATE 1100       // deflate saves at most a factor of 1032

size_t h5_type_size(H5Type type) {
  static const size_t sizes[] = {1, 1, 1, 4, 8, 8, 4, 8};
  return sizes[type];
}

static hid_t bool_type(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  int8_t no = 0, yes = 1;
  NEED(type >= 0 && H5Tenum_insert(type, "FALSE", &no) >= 0 &&
           H5Tenum_insert(type, "TRUE", &yes) >= 0,
       "HDF5: no type for bool: out of memory?");
  return type;
}

hid_t h5_memory_type(H5Type type) {
  switch (type) {
    case H5_BOOL:
      return bool_type();
    case H5_U8:
      return H5Tcopy(H5T_NATIVE_UINT8);
    case H5_I8:
      return H5Tcopy(H5T_NATIVE_INT8);
    case H5_I32:
      return H5Tcopy(H5T_NATIVE_INT32);
    case H5_I64:
      return H5Tcopy(H5T_NATIVE_INT64);
    case H5_U64:
      return H5Tcopy(H5T_NATIVE_UINT64);
    case H5_F32:
      return H5Tcopy(H5T_NATIVE_FLOAT);
    case H5_F64:
      return H5Tcopy(H5T_NATIVE_DOUBLE);
  }
  CHECK(false, "unknown H5Type %d", (int)type);
  return -1;
}

hid_t h5_file_type(H5Type type) {
  switch (type) {
    case H5_BOOL:
      return bool_type();
    case H5_U8:
      return H5Tcopy(H5T_STD_U8LE);
    case H5_I8:
      return H5Tcopy(H5T_STD_I8LE);
    case H5_I32:
      return H5Tcopy(H5T_STD_I32LE);
    case H5_I64:
      return H5Tcopy(H5T_STD_I64LE);
    case H5_U64:
      return H5Tcopy(H5T_STD_U64LE);
    case H5_F32:
      return H5Tcopy(H5T_IEEE_F32LE);
    case H5_F64:
      return H5Tcopy(H5T_IEEE_F64LE);
  }
  CHECK(false, "unknown H5Type %d", (int)type);
  return -1;
}

uint64_t h5_hash_start(const char* name, H5Type type, int64_t rows, int64_t columns) {
  int64_t shape[3] = {(int64_t)type, rows, columns};
  uint64_t hash = hash_bytes(HASH_START, name, strlen(name));
  return hash_bytes(hash, shape, sizeof shape);
}

void h5_group(H5File* file, const char* name) {
  if (file->failed) {
    return;
  }
  hid_t list = H5Pcreate(H5P_GROUP_CREATE);
  NEED(list >= 0 && H5Pset_obj_track_times(list, 0) >= 0,
       "HDF5: no group creation list: out of memory?");
  hid_t group = H5Gcreate2(file->handle, name, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Pclose(list);
  if (group < 0 || H5Gclose(group) < 0) {
    h5_fail(file, name, "cannot create the group");
  }
}

// Contiguous when small or plain, else chunks of whole rows with shuffle, deflate 1, fletcher32.
static hid_t layout(const H5File* file, const H5Column* column) {
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  NEED(list >= 0 && H5Pset_obj_track_times(list, 0) >= 0 &&
           H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0,
       "HDF5: no dataset creation list: out of memory?");
  hsize_t width = column->columns > 0 ? (hsize_t)column->columns : 1;
  hsize_t row_bytes = width * h5_type_size(column->type);
  if (file->plain || (hsize_t)column->rows * row_bytes < SMALLEST_CHUNKED) {
    return list;
  }
  hsize_t rows = LARGEST_CHUNK / row_bytes;
  hsize_t chunk[2] = {rows < 1 ? 1 : rows, width};
  if (chunk[0] > (hsize_t)column->rows) {
    chunk[0] = (hsize_t)column->rows;
  }
  if (row_bytes > LARGEST_CHUNK) {
    chunk[1] = LARGEST_CHUNK / h5_type_size(column->type);
  }
  NEED(H5Pset_chunk(list, column->columns > 0 ? 2 : 1, chunk) >= 0 && H5Pset_shuffle(list) >= 0 &&
           H5Pset_deflate(list, 1) >= 0 && H5Pset_fletcher32(list) >= 0,
       "HDF5: no chunked layout: out of memory?");
  return list;
}

static bool write_dataset(H5File* file, const H5Column* column, const void* data) {
  hsize_t shape[2] = {(hsize_t)column->rows, (hsize_t)column->columns};
  hid_t space = H5Screate_simple(column->columns > 0 ? 2 : 1, shape, NULL);
  hid_t list = layout(file, column);
  hid_t type = h5_file_type(column->type);
  hid_t memory = h5_memory_type(column->type);
  hid_t set =
      H5Dcreate2(file->handle, column->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  bool empty = column->rows == 0;
  bool good = set >= 0 &&
              (empty || H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0) &&
              H5Dflush(set) >= 0;
  if (!good) {
    h5_fail(file, column->name, "cannot be written");
  } else if (H5Dclose(set) < 0) {
    good = h5_fail(file, column->name, "cannot be written");
  }
  H5Tclose(memory);
  H5Tclose(type);
  H5Pclose(list);
  H5Sclose(space);
  return good;
}

void h5_write(H5File* file, const H5Column* column, const void* data) {
  CHECK(file->writing, "h5_write: %s is not being written", file->path);
  CHECK(column->rows >= 0 && column->columns >= 0, "h5_write: %s: negative size", column->name);
  if (file->failed || !write_dataset(file, column, data)) {
    return;
  }
  fault_point("mid-write");
  h5_set_text(file, column->name, "unit", column->unit);
  h5_set_text(file, column->name, "long_name", column->long_name);
  size_t width = column->columns > 0 ? (size_t)column->columns : 1;
  size_t size = (size_t)column->rows * width * h5_type_size(column->type);
  uint64_t hash = h5_hash_start(column->name, column->type, column->rows, column->columns);
  // datasets are summed, so that the checksum does not depend on their order in the file
  file->checksum += size > 0 ? hash_bytes(hash, data, size) : hash;
}

// Whether there is a link; when the disk fails, the file does.
static bool has_link(H5File* file, const char* name) {
  bool found = H5Lexists(file->handle, name, H5P_DEFAULT) > 0;
  return found || (h5_machine_failed() && h5_fail(file, name, "cannot be read"));
}

bool h5_has(H5File* file, const char* name) {
  if (file->failed) {
    return false;
  }
  // each group on the way must exist, or HDF5 reports an error
  char part[FILES_PATH_SIZE];
  for (size_t i = 0; name[i]; i++) {
    if (i >= sizeof part - 1) {
      return false;
    }
    if (name[i] == '/') {
      part[i] = '\0';
      if (!has_link(file, part)) {
        return false;
      }
    }
    part[i] = name[i];
  }
  return has_link(file, name);
}

// Our type of a stored one, -1: it is none of ours. False: HDF5 could not make ours.
static bool find_type(int* found, hid_t stored) {
  *found = -1;
  for (int type = H5_BOOL; *found < 0 && type <= H5_F64; type++) {
    hid_t ours = h5_file_type((H5Type)type);
    if (ours < 0) {
      return false;
    }
    *found = H5Tequal(ours, stored) > 0 ? type : -1;
    H5Tclose(ours);
  }
  return true;
}

typedef struct {
  H5File* file;
  const char* name;
  hid_t set;
  hid_t space;
  int type;        // H5Type, or -1
  int axes;
  hsize_t shape[2];
} Stored;

static void stored_close(Stored* stored) {
  if (stored->space >= 0) {
    H5Sclose(stored->space);
  }
  if (stored->set >= 0) {
    H5Dclose(stored->set);
  }
}

// Whether the file holds as much as the shape claims. A small file with a huge shape would be read,
// as zeros, for hours.
bool h5_is_held(hid_t set, hsize_t rows, hsize_t columns, size_t size) {
  hsize_t bytes = size;
  hsize_t held = H5Dget_storage_size(set);
  return !__builtin_mul_overflow(bytes, rows, &bytes) &&
         !__builtin_mul_overflow(bytes, columns, &bytes) && bytes / BEST_DEFLATE <= held &&
         (held > 0 || bytes == 0);
}

static bool stored_read(Stored* stored, H5File* file, const char* name) {
  stored->set = H5Dopen2(file->handle, name, H5P_DEFAULT);
  if (stored->set >= 0 && !h5_holds_itself(stored->set)) {
    return h5_refuse(file, name, "has its values in another file, which is never followed");
  }
  stored->space = stored->set >= 0 ? H5Dget_space(stored->set) : -1;
  stored->axes = stored->space >= 0 ? H5Sget_simple_extent_ndims(stored->space) : -1;
  hid_t type = stored->axes >= 0 ? H5Dget_type(stored->set) : -1;
  if (type < 0) {
    return h5_fail(file, name, "cannot be read");
  }
  bool told = find_type(&stored->type, type) || h5_fail(file, name, "cannot be read");
  H5Tclose(type);
  if (!told) {
    return false;
  }
  if (stored->axes < 1 || stored->axes > 2 || stored->type < 0 ||
      H5Sget_simple_extent_dims(stored->space, stored->shape, NULL) < 0) {
    return h5_refuse(file, name, "has a type or shape that this program does not know");
  }
  hsize_t columns = stored->axes == 2 ? stored->shape[1] : 1;
  return h5_is_held(stored->set, stored->shape[0], columns, h5_type_size((H5Type)stored->type)) ||
         h5_refuse(file, name, "claims more values than the file holds");
}

static bool stored_open(Stored* stored, H5File* file, const char* name) {
  *stored = (Stored){.file = file, .name = name, .set = -1, .space = -1, .type = -1};
  if (file->failed) {
    return false;
  }
  bool good = h5_has(file, name) ? stored_read(stored, file, name)
                                 : h5_refuse(file, name, "is missing");
  if (!good) {
    stored_close(stored);
  }
  return good;
}

bool h5_shape(H5File* file, const char* name, int64_t* rows, int64_t* columns) {
  Stored stored;
  *rows = *columns = 0;
  if (!stored_open(&stored, file, name)) {
    return false;
  }
  *rows = (int64_t)stored.shape[0];
  *columns = stored.axes == 2 ? (int64_t)stored.shape[1] : 0;
  stored_close(&stored);
  return true;
}

int h5_rows(H5File* file, const char* name) {
  int64_t rows, columns;
  if (h5_shape(file, name, &rows, &columns) && rows > INT_MAX) {
    h5_refuse(file, name, "has %" PRId64 " rows, expected at most %d", rows, INT_MAX);
  }
  return file->failed ? 0 : (int)rows;
}

// What differs from the expected type and shape, reported.
static bool check_shape(H5File* file, const char* name, const Stored* stored, H5Type type,
                        int64_t rows, int64_t columns) {
  static const char* const names[] = {"bool", "u8", "i8", "i32", "i64", "u64", "f32", "f64"};
  int64_t found = stored->axes == 2 ? (int64_t)stored->shape[1] : 0;
  if (stored->type != (int)type) {
    return h5_refuse(file, name, "has type %s, expected %s", names[stored->type], names[type]);
  }
  if ((int64_t)stored->shape[0] != rows || found != columns) {
    return h5_refuse(file, name,
                     "has %" PRId64 " rows of %" PRId64 ", expected %" PRId64 " of %" PRId64,
                     (int64_t)stored->shape[0], found ? found : 1, rows, columns ? columns : 1);
  }
  return true;
}

void h5_read(H5File* file, const char* name, H5Type type, int64_t rows, int64_t columns,
             void* data) {
  Stored stored;
  size_t size = (size_t)rows * (size_t)(columns > 0 ? columns : 1) * h5_type_size(type);
  if (stored_open(&stored, file, name)) {
    hid_t memory = h5_memory_type(type);
    if (check_shape(file, name, &stored, type, rows, columns) && size > 0 &&
        H5Dread(stored.set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
      h5_fail(file, name, "cannot be read");
    }
    H5Tclose(memory);
    stored_close(&stored);
  }
  if (file->failed && size > 0) {
    memset(data, 0, size);
  }
}

// Chains the bytes of rows first ... first + rows - 1.
static bool hash_rows(const Stored* stored, hid_t memory, hsize_t first, hsize_t rows,
                      size_t row_bytes, void* buffer, uint64_t* hash) {
  hsize_t offset[2] = {first, 0};
  hsize_t count[2] = {rows, stored->shape[1]};
  hid_t space = H5Screate_simple(stored->axes, count, NULL);
  bool good = space >= 0 &&
              H5Sselect_hyperslab(stored->space, H5S_SELECT_SET, offset, NULL, count, NULL) >= 0 &&
              H5Dread(stored->set, memory, space, stored->space, H5P_DEFAULT, buffer) >= 0;
  if (!good) {
    h5_fail(stored->file, stored->name, "cannot be read");
  }
  if (space >= 0) {
    H5Sclose(space);
  }
  if (good) {
    *hash = hash_bytes(*hash, buffer, rows * row_bytes);
  }
  return good;
}

bool h5_hash_stored(H5File* file, const char* name, uint64_t* hash) {
  Stored stored;
  if (!stored_open(&stored, file, name)) {
    return false;
  }
  H5Type type = (H5Type)stored.type;
  int64_t columns = stored.axes == 2 ? (int64_t)stored.shape[1] : 0;
  size_t row_bytes = (stored.axes == 2 ? stored.shape[1] : 1) * h5_type_size(type);
  // pieces of 8 rows are whole words, so that the hash of the pieces is that of the whole
  hsize_t piece = row_bytes > 0 && row_bytes < PIECE / 8 ? PIECE / row_bytes / 8 * 8 : 8;
  hsize_t rows = row_bytes > 0 ? stored.shape[0] : 0;
  Arena arena;
  arena_init(&arena);
  hsize_t largest = piece < rows ? piece : rows;
  void* buffer = arena_alloc(&arena, (size_t)largest * row_bytes);
  hid_t memory = h5_memory_type(type);
  *hash = h5_hash_start(name, type, (int64_t)stored.shape[0], columns);
  bool good = true;
  for (hsize_t first = 0; first < rows && good; first += piece) {
    hsize_t left = rows - first;
    good = hash_rows(&stored, memory, first, left < piece ? left : piece, row_bytes, buffer, hash);
  }
  H5Tclose(memory);
  arena_free(&arena);
  stored_close(&stored);
  return good;
}

typedef struct {
  H5File* file;
  H5Visitor visitor;
  void* context;
} Visit;

static herr_t visit_object(hid_t root, const char* name, const H5O_info_t* info, void* data) {
  (void)root;
  Visit* visit = data;
  if (info->type != H5O_TYPE_DATASET) {
    return 0;
  }
  Stored stored;
  if (!stored_open(&stored, visit->file, name)) {
    return -1;
  }
  H5Type type = (H5Type)stored.type;
  int64_t columns = stored.axes == 2 ? (int64_t)stored.shape[1] : 0;
  int64_t rows = (int64_t)stored.shape[0];
  stored_close(&stored);
  visit->visitor(visit->context, name, type, rows, columns);
  return visit->file->failed ? -1 : 0;
}

void h5_each_dataset(H5File* file, H5Visitor visitor, void* context) {
  Visit visit = {file, visitor, context};
  if (!file->failed &&
      H5Ovisit2(file->handle, H5_INDEX_NAME, H5_ITER_INC, visit_object, &visit, H5O_INFO_BASIC) <
          0) {
    h5_fail(file, "", "cannot be listed");
  }
}
