#include "store/h5_table.h"

#include <fcntl.h>
#include <unistd.h>

#include "h5_internal.h"

// Shape of an open dataset; false if it is no table of numbers, or has not as many as it claims.
static bool table_shape(H5Table* table, hid_t set) {
  hid_t type = H5Dget_type(set);
  H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  hid_t space = H5Dget_space(set);
  int axes = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
  hsize_t shape[2] = {0, 1};
  bool good = (class == H5T_INTEGER || class == H5T_FLOAT) && (axes == 1 || axes == 2) &&
              H5Sget_simple_extent_dims(space, shape, NULL) >= 0 &&
              h5_is_held(set, shape[0], shape[1], H5Tget_size(type));
  *table = (H5Table){.rows = (int64_t)shape[0], .columns = (int64_t)shape[1]};
  if (space >= 0) {
    H5Sclose(space);
  }
  if (type >= 0) {
    H5Tclose(type);
  }
  return good;
}

static bool read_dataset(H5Table* table, hid_t file, const char* name, Arena* arena,
                         Error* error) {
  char link[H5_LINK_SIZE];
  if (h5_leads_out(link, file)) {
    return error_set(error, "'%s' is a link to elsewhere, which is never followed", link);
  }
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) {
    return error_set(error, "there is no dataset '%s'", name);
  }
  bool good = h5_holds_itself(set) && table_shape(table, set);
  if (!good) {
    error_set(error, "dataset '%s' is not a table of numbers, of one or two axes, in this file",
              name);
  } else {
    size_t count = (size_t)table->rows * (size_t)table->columns;
    table->x = ARENA_NEW(arena, count, double);
    good = count == 0 ||
           H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->x) >= 0 ||
           error_set(error, "dataset '%s' cannot be read", name);
  }
  H5Dclose(set);
  return good;
}

bool h5_table_read(H5Table* table, const char* path, const char* name, Arena* arena, Error* error) {
  char target[FILES_PATH_SIZE];
  const char* file_path = files_target(target, path);
  int descriptor = files_open(file_path, O_RDONLY, error);
  if (descriptor < 0) {
    return false;
  }
  close(descriptor);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
  hid_t file = H5Fopen(file_path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) {
    return error_set(error, "%s: not a readable HDF5 file", path);
  }
  bool good = read_dataset(table, file, name, arena, error);
  H5Fclose(file);
  return good || error_add(error, "%s", path);
}
