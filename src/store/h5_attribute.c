// h5_attribute.c - attributes of groups and datasets: small facts that belong to a name.
//
// All writing goes through `set`, all reading through `get`, with HDF5's types of the file and of
// memory side by side; the public calls only choose them. Numbers are stored little-endian with 64
// bits whatever the machine, text as UTF-8 of variable length, which h5py gives back as str.
//
// A reader checks class and length before it reads: HDF5 would convert what it can, and a file that
// was damaged or made by somebody else must not put more numbers into an array than it has room
// for. After a failure the getters give zeros and empty text, so that many calls may follow before
// one look at the file's error.
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "h5_internal.h"

#define LONGEST_TEXT (16u << 20)

// Text of variable length, UTF-8: what h5py gives back as str.
static hid_t text_type(void) {
  hid_t type = H5Tcopy(H5T_C_S1);
  NEED(type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0,
       "HDF5: no type for text: out of memory?");
  return type;
}

// count < 0: a scalar.
static void set(H5File* file, const char* object, const char* name, hid_t stored, hid_t memory,
                const void* data, int count) {
  if (file->failed) {
    return;
  }
  CHECK(file->writing, "h5: %s is not being written", file->path);
  hsize_t length = (hsize_t)(count > 0 ? count : 0);
  hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &length, NULL);
  hid_t attribute = H5Acreate_by_name(file->handle, h5_object_name(object), name, stored, space,
                                      H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attribute >= 0 && (count == 0 || H5Awrite(attribute, memory, data) >= 0);
  if (!good) {
    h5_fail(file, object, "cannot write an attribute");
  }
  if (attribute >= 0) {
    H5Aclose(attribute);
  }
  H5Sclose(space);
  if (!good) {
    error_add(&file->error, "attribute '%s'", name);
  }
}

void h5_set_text(H5File* file, const char* object, const char* name, const char* value) {
  hid_t type = text_type();
  set(file, object, name, type, type, &value, -1);
  H5Tclose(type);
}

void h5_set_i64(H5File* file, const char* object, const char* name, int64_t value) {
  set(file, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, -1);
}

void h5_set_f64(H5File* file, const char* object, const char* name, double value) {
  set(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, -1);
}

void h5_set_i64s(H5File* file, const char* object, const char* name, const int64_t* values,
                 int count) {
  set(file, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, values, count);
}

bool h5_has_attribute(H5File* file, const char* object, const char* name) {
  if (file->failed) {
    return false;
  }
  bool found = H5Aexists_by_name(file->handle, h5_object_name(object), name, H5P_DEFAULT) > 0;
  return found || (h5_machine_failed() && h5_fail(file, object, "cannot be read"));
}

int h5_attribute_count(H5File* file, const char* object, const char* name) {
  if (!h5_has_attribute(file, object, name)) {
    return 0;
  }
  hid_t attribute = H5Aopen_by_name(file->handle, h5_object_name(object), name, H5P_DEFAULT,
                                    H5P_DEFAULT);
  hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
  hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
  if (count < 0) {
    h5_fail(file, object, "cannot read an attribute");
  }
  if (space >= 0) {
    H5Sclose(space);
  }
  if (attribute >= 0) {
    H5Aclose(attribute);
  }
  return count > 0 && count < INT_MAX ? (int)count : 0;
}

// Opens an attribute of the given class with `count` values (-1: a scalar), or fails.
static hid_t open_attribute(H5File* file, const char* object, const char* name, H5T_class_t class,
                            int count) {
  if (file->failed) {
    return -1;
  }
  if (!h5_has_attribute(file, object, name)) {
    h5_refuse(file, object, "attribute '%s' is missing", name);
    return -1;
  }
  hid_t attribute = H5Aopen_by_name(file->handle, h5_object_name(object), name, H5P_DEFAULT,
                                    H5P_DEFAULT);
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
  hid_t space = type >= 0 ? H5Aget_space(attribute) : -1;
  hssize_t found = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
  bool good = found == (count < 0 ? 1 : count) && H5Tget_class(type) == class &&
              (class != H5T_STRING || H5Tis_variable_str(type) > 0);
  if (found < 0) {
    h5_fail(file, object, "cannot read an attribute");
  } else if (!good) {
    h5_refuse(file, object, "attribute '%s' has another type or length than expected", name);
  }
  if (type >= 0) {
    H5Tclose(type);
  }
  if (space >= 0) {
    H5Sclose(space);
  }
  if (!good && attribute >= 0) {
    H5Aclose(attribute);
  }
  return good ? attribute : -1;
}

static void get(H5File* file, const char* object, const char* name, H5T_class_t class,
                hid_t memory, void* data, int count) {
  hid_t attribute = open_attribute(file, object, name, class, count);
  if (attribute < 0) {
    return;
  }
  if (count != 0 && H5Aread(attribute, memory, data) < 0) {
    h5_fail(file, object, "cannot read an attribute");
  }
  H5Aclose(attribute);
}

const char* h5_get_text(H5File* file, const char* object, const char* name, Arena* arena) {
  char* stored = NULL;
  hid_t type = text_type();
  get(file, object, name, H5T_STRING, type, &stored, -1);
  H5Tclose(type);
  if (file->failed || !stored) {
    return "";
  }
  bool fits = strnlen(stored, LONGEST_TEXT) < LONGEST_TEXT;
  const char* text = fits ? arena_string(arena, stored) : "";
  H5free_memory(stored);
  return text;
}

int64_t h5_get_i64(H5File* file, const char* object, const char* name) {
  int64_t value = 0;
  get(file, object, name, H5T_INTEGER, H5T_NATIVE_INT64, &value, -1);
  return file->failed ? 0 : value;
}

int h5_get_int(H5File* file, const char* object, const char* name, int low, int high) {
  int64_t value = h5_get_i64(file, object, name);
  if (!file->failed && (value < low || value > high)) {
    h5_refuse(file, object, "attribute '%s' is %" PRId64 ", expected %d to %d", name, value, low,
              high);
  }
  return file->failed ? 0 : (int)value;
}

double h5_get_f64(H5File* file, const char* object, const char* name) {
  double value = 0.0;
  get(file, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, &value, -1);
  return file->failed ? 0.0 : value;
}

void h5_get_i64s(H5File* file, const char* object, const char* name, int64_t* values, int count) {
  get(file, object, name, H5T_INTEGER, H5T_NATIVE_INT64, values, count);
  if (file->failed && count > 0) {
    memset(values, 0, (size_t)count * sizeof *values);
  }
}
