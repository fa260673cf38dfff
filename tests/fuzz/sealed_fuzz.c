// libFuzzer entry: files that are well-formed HDF5 but say anything are refused, or read as what
// they say. The input edits a good trajectory, policy file or checkpoint: it drops, reshapes and
// overwrites datasets and attributes, and the stored checksum is made to fit again, so that the
// code behind it is reached. (The bytes of HDF5 itself are not touched: h5_archive_fuzz does that.)
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/reseal.h"
#include "hyper/checkpoint.h"
#include "hyper/policy_file.h"
#include "hyper/trajectory.h"
#include "scratch.h"
#include "small_experiment.h"
#include "store/h5.h"

#define MAX_OBJECTS 512
#define EDIT_SIZE 12  // uint8 object, uint8 object, uint8 kind, uint8 position, uint64 value

typedef enum { TRAJECTORY, POLICY, CHECKPOINT, KINDS } Kind;

typedef struct {
  char* bytes;
  size_t size;
  int objects;
  char names[MAX_OBJECTS][128];  // datasets and groups below the root, and "." itself
} Good;

typedef struct {
  Arena arena;
  RunSpec spec;
  HyperEpisode episode;
  Controller controller;
  Good good[KINDS];
} World;

// Editing ----------------------------------------------------------------------------------------

static uint64_t value_of(const uint8_t* edit) {
  static const uint64_t special[] = {
      0, 1, 2, 3, 7, (uint64_t)-1, INT32_MAX, (uint64_t)INT32_MIN, INT64_MAX,
      (uint64_t)INT64_MIN, 0x7ff0000000000000u, 0x7ff8000000000000u, 1u << 20, 1ull << 31,
      1ull << 40, 100};
  uint64_t value;
  memcpy(&value, edit + 4, sizeof value);
  return edit[2] & 128 ? value : special[value % (sizeof special / sizeof *special)];
}

static void overwrite(hid_t set, uint64_t value, size_t position) {
  hid_t type = H5Dget_type(set);
  hid_t space = H5Dget_space(set);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  size_t bytes = count > 0 && count < 1 << 20 ? (size_t)count * H5Tget_size(type) : 0;
  uint8_t* data = calloc(1, bytes + 8);
  if (bytes && H5Tget_class(type) != H5T_VLEN &&
      H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0) {
    memcpy(data + bytes * position / 256 / 8 * 8, &value, 8);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  }
  free(data);
  H5Sclose(space);
  H5Tclose(type);
}

// A dataset of the same name with another type or shape; its values are zeros.
static void recreate(hid_t file, const char* name, hid_t set, unsigned how, uint64_t value) {
  const hid_t types[] = {H5T_STD_I8LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_IEEE_F32LE,
                         H5T_IEEE_F64LE, H5T_STD_I16BE, H5T_C_S1, H5T_STD_U64LE};
  hid_t old = H5Dget_type(set);
  hid_t old_space = H5Dget_space(set);
  hsize_t shape[3] = {0, 1, 1};
  int axes = H5Sget_simple_extent_ndims(old_space);
  if (axes >= 1 && axes <= 2) {
    H5Sget_simple_extent_dims(old_space, shape, NULL);
  }
  if (how & 1) {
    shape[how & 2 ? 1 : 0] = value >> 44 ? value >> 20 : value;
  }
  axes = how & 4 ? (int)(value % 4) : axes;
  hid_t type = how & 8 ? types[value % 8] : old;
  hid_t space = axes == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(axes, shape, NULL);
  H5Ldelete(file, name, H5P_DEFAULT);
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(list, H5D_ALLOC_TIME_LATE);
  hid_t made = -1;
  if (space >= 0) {
    made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  }
  if (made >= 0) {
    H5Dclose(made);
  }
  H5Pclose(list);
  if (space >= 0) {
    H5Sclose(space);
  }
  H5Sclose(old_space);
  H5Tclose(old);
}

// Overwrites or drops one attribute.
static void edit_attribute(hid_t object, unsigned position, bool drop, uint64_t value) {
  H5O_info_t info;
  H5Oget_info(object, &info);
  if (info.num_attrs == 0) {
    return;
  }
  hsize_t n = position % info.num_attrs;
  if (drop) {
    H5Adelete_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, n, H5P_DEFAULT);
    return;
  }
  hid_t attribute = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, n, H5P_DEFAULT,
                                   H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  if (H5Tget_class(type) == H5T_STRING) {
    char text[9] = {0};
    const char* pointer = text;
    for (int i = 0; i < 8; i++) {
      text[i] = (char)(value >> (8 * i));
    }
    H5Awrite(attribute, type, &pointer);
  } else if (H5Sget_simple_extent_npoints(space) == 1 && H5Tget_size(type) <= 8) {
    H5Awrite(attribute, type, &value);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

static void apply(hid_t file, const Good* good, const uint8_t* edit) {
  const char* name = good->names[(edit[0] | edit[1] << 8) % good->objects];
  hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  if (object < 0) {
    return;
  }
  bool is_dataset = H5Iget_type(object) == H5I_DATASET;
  uint64_t value = value_of(edit);
  switch (edit[2] & 3) {
    case 0:
      if (is_dataset) {
        overwrite(object, value, edit[3]);
      } else {
        edit_attribute(object, edit[3], false, value);
      }
      break;
    case 1:
      if (is_dataset) {
        recreate(file, name, object, edit[3], value);
      }
      break;
    case 2:
      edit_attribute(object, edit[3], edit[2] & 4, value);
      break;
    case 3:
      if (strcmp(name, ".") != 0 && edit[3] & 1) {
        H5Ldelete(file, name, H5P_DEFAULT);
      } else {
        edit_attribute(object, edit[3] / 2, edit[2] & 4, value);
      }
      break;
  }
  H5Oclose(object);
}

// Stores the checksum of what the file holds now.
static void fit_checksum(const char* path) {
  H5File file;
  Error ignored;
  uint64_t sum = 0;
  if (!h5_open_any(&file, path, &ignored)) {
    return;
  }
  h5_verify(&file, &sum);
  h5_close(&file, &ignored);
  char text[17];
  const char* pointer = text;
  snprintf(text, sizeof text, "%016llx", (unsigned long long)sum);
  hid_t handle = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t attribute = H5Aopen(handle, "checksum", H5P_DEFAULT);
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
  if (type >= 0 && H5Tget_class(type) == H5T_STRING) {
    H5Awrite(attribute, type, &pointer);
  }
  if (type >= 0) {
    H5Tclose(type);
  }
  if (attribute >= 0) {
    H5Aclose(attribute);
  }
  H5Fclose(handle);
  reseal(path);
}

static void edit_file(const char* path, const Good* good, const uint8_t* data, size_t size) {
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  CHECK(file >= 0, "cannot edit %s", path);
  for (size_t i = 0; i + EDIT_SIZE <= size && i < 8 * EDIT_SIZE; i += EDIT_SIZE) {
    apply(file, good, data + i);
  }
  H5Fclose(file);
  reseal(path);
  fit_checksum(path);
}

// Good files -------------------------------------------------------------------------------------

static herr_t note_object(hid_t group, const char* name, const H5O_info_t* info, void* context) {
  (void)group;
  (void)info;
  Good* good = context;
  if (good->objects < MAX_OBJECTS && strlen(name) < sizeof *good->names) {
    strcpy(good->names[good->objects++], name);
  }
  return 0;
}

static void take_good(Good* good, const char* path, Arena* arena) {
  Error error;
  CHECK(files_read(&good->bytes, &good->size, path, arena, &error), "%s", error.text);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_object, good);
  H5Fclose(file);
  unlink(path);
}

static void make_controller(World* w) {
  ControllerShape shape = {.groups = "", .hidden_size = 8, .learning_rate = 3e-4, .max_batch = 8,
                           .max_stages = 3};
  Error error;
  CHECK(controller_init(&w->controller, &w->spec.hyper, &shape, 7, &w->arena, &error), "%s",
        error.text);
  w->controller.version = w->controller.stages = 2;
}

static void checkpoint_place(RunDirectory* directory, char path[RUN_PATH_SIZE], const char* root) {
  Error error;
  char parent[RUN_PATH_SIZE];
  snprintf(directory->path, sizeof directory->path, "%s", root);
  run_checkpoint_path(parent, directory, 0);
  CHECK(files_make_directory(parent, &error), "%s", error.text);
  CHECK(snprintf(path, RUN_PATH_SIZE, "%s/gen-000000.h5", parent) < RUN_PATH_SIZE, "too long");
}

static World* make_world(const char* root) {
  Arena arena;
  arena_init(&arena);
  World* w = ARENA_NEW(&arena, 1, World);
  w->arena = arena;
  w->spec = small_experiment();
  make_controller(w);
  char path[RUN_PATH_SIZE];
  RunDirectory directory;
  CheckpointCost cost;
  Error error;
  HyperEpisode whole;
  small_episode(&w->episode, &w->spec, 70, &w->arena);
  small_episode(&whole, &w->spec, 100000, &w->arena);
  snprintf(path, sizeof path, "%s/good.h5", root);
  CHECK(trajectory_write(&whole, path, &error), "%s", error.text);
  take_good(&w->good[TRAJECTORY], path, &w->arena);
  CHECK(policy_file_write(&w->controller, &w->spec, path, &error), "%s", error.text);
  take_good(&w->good[POLICY], path, &w->arena);
  checkpoint_place(&directory, path, root);
  CHECK(checkpoint_write(&cost, &w->episode, &directory, 0, &error), "%s", error.text);
  take_good(&w->good[CHECKPOINT], path, &w->arena);
  hyper_episode_free(&whole);
  return w;
}

// Reading ----------------------------------------------------------------------------------------

static void warn(const char* message) { CHECK(*message, "refused without a reason"); }

static bool read_edited(World* w, Kind kind, const char* path, const char* root, Arena* arena) {
  Error error = {0};
  bool found = true;
  Trajectory trajectory;
  RunDirectory directory;
  bool good = false;
  if (kind == TRAJECTORY) {
    good = trajectory_read(&trajectory, path, arena, &error);
  } else if (kind == POLICY) {
    good = policy_file_read(&w->controller, path, &error);
  } else {
    snprintf(directory.path, sizeof directory.path, "%s", root);
    good = checkpoint_load(&w->episode, &directory, &found, warn, arena, &error);
  }
  CHECK(good || *error.text, "refused without a reason");
  return good && found;
}

static bool try_input(World* w, const char* root, Kind kind, const uint8_t* data, size_t size) {
  char path[RUN_PATH_SIZE];
  RunDirectory directory;
  Arena arena;
  Error error;
  checkpoint_place(&directory, path, root);
  unlink(path);
  CHECK(files_write(path, w->good[kind].bytes, w->good[kind].size, &error), "%s", error.text);
  if (size > 0) {
    edit_file(path, &w->good[kind], data, size);
  }
  arena_init(&arena);
  bool good = read_edited(w, kind, path, root, &arena);
  arena_free(&arena);
  unlink(path);
  return good;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World* world = NULL;
  static char root[SCRATCH_PATH_SIZE];
  if (!world) {
    snprintf(root, sizeof root, "%s/sealed_XXXXXX", scratch_parent());
    CHECK(mkdtemp(root), "cannot make %s", root);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    world = make_world(root);
    for (int kind = 0; kind < KINDS; kind++) {
      CHECK(try_input(world, root, (Kind)kind, NULL, 0), "good file %d is refused", kind);
    }
  }
  if (size > 0) {
    // a checkpoint takes ten times as long as the others
    Kind kind = data[0] < 32 ? CHECKPOINT : data[0] < 144 ? TRAJECTORY : POLICY;
    try_input(world, root, kind, data + 1, size - 1);
  }
  return 0;
}
