// libFuzzer entry: any values in the arrays of a checkpoint are refused, or loaded and saved again
// unchanged. The input edits a good checkpoint, array by array, behind the file format: ring
// buffers, tables, counters, networks and environment see what no checksum kept away from them.
#include <stdio.h>
#include <stdlib.h>

#include "small_experiment.h"

// One edit: the ARRAY-th visited array gets, from its first value on, BYTES of this one.
#define EDIT_SIZE 12  // uint16 array, uint8 kind, uint8 position, uint64 value

typedef struct {
  const uint8_t* edits;
  int edit_count;
  int arrays;        // of the good checkpoint; 0 = not known yet
  int visited;       // arrays so far
  Archive source;    // the good checkpoint
} Edited;

typedef struct {
  Arena arena;
  RunSpec spec;
  HyperEpisode episode;
  ArchiveMemory good;
  int arrays;
} World;

static uint64_t value_of(const uint8_t* edit) {
  static const uint64_t special[] = {
      0, 1, 2, (uint64_t)-1, INT32_MAX, (uint64_t)INT32_MIN, INT64_MAX, (uint64_t)INT64_MIN,
      0x7ff0000000000000u, 0x7ff8000000000000u, 0x7fefffffffffffffu, 0xbff0000000000000u,
      0x7f8000007f800000u, 100, 101, 1u << 20};
  uint64_t value;
  memcpy(&value, edit + 4, sizeof value);
  return edit[2] & 1 ? value : special[value % (sizeof special / sizeof *special)];
}

static void apply(const uint8_t* edit, uint8_t* data, size_t bytes) {
  uint64_t value = value_of(edit);
  size_t from = edit[2] & 2 ? bytes * edit[3] / 256 / 8 * 8 : 0;
  size_t most = edit[2] & 4 ? bytes : 8;
  for (size_t i = from; i < bytes && i < from + most; i++) {
    data[i] = (uint8_t)(value >> (i % 8 * 8));
  }
}

static bool transfer(Archive* ar, const char* name, void* data, ArchiveType type, size_t count) {
  Edited* e = ar->backend;
  size_t bytes = count * archive_type_size(type);
  // another length than the good checkpoint has is a refusal, as in a file
  archive_array(&e->source, name, data, type, count);
  if (e->source.failed) {
    return error_set(&ar->error, "another length");
  }
  for (int i = 0; i < e->edit_count; i++) {
    const uint8_t* edit = e->edits + i * EDIT_SIZE;
    if (e->arrays && (edit[0] | edit[1] << 8) % e->arrays == e->visited) {
      apply(edit, data, bytes);
    }
  }
  e->visited++;
  return true;
}

static bool load(World* w, const uint8_t* data, size_t size) {
  Edited edited = {.edits = data, .edit_count = (int)(size / EDIT_SIZE), .arrays = w->arrays};
  w->good.position = 0;
  archive_init_memory(&edited.source, ARCHIVE_LOAD, &w->good);
  Archive ar = {.mode = ARCHIVE_LOAD, .checksum = HASH_START, .array = transfer,
                .backend = &edited};
  hyper_episode_visit(&w->episode, &ar);
  CHECK(!ar.failed || *ar.error.text, "refused without a reason");
  w->arrays = w->arrays ? w->arrays : edited.visited;
  return !ar.failed;
}

static uint64_t checksum(World* w) {
  Archive ar;
  archive_init_checksum(&ar);
  hyper_episode_visit(&w->episode, &ar);
  CHECK(!ar.failed, "what was loaded cannot be saved: %s", ar.error.text);
  return ar.checksum;
}

static World* make_world(void) {
  Arena arena;
  arena_init(&arena);
  World* w = ARENA_NEW(&arena, 1, World);
  w->arena = arena;
  w->spec = small_experiment();
  small_episode(&w->episode, &w->spec, 70, &w->arena);
  Archive ar;
  archive_init_memory(&ar, ARCHIVE_SAVE, &w->good);
  hyper_episode_visit(&w->episode, &ar);
  return w;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World* world = NULL;
  if (!world) {
    world = make_world();
    CHECK(load(world, NULL, 0), "the good checkpoint is refused");
  }
  if (load(world, data, size)) {
    uint64_t loaded = checksum(world);
    CHECK(loaded == checksum(world), "saving changes the state");
  }
  // back to the good state, which must not depend on what was refused
  CHECK(load(world, NULL, 0), "the good checkpoint is refused");
  return 0;
}
