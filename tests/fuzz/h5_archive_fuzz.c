// libFuzzer entry: any bytes as a checkpoint are refused, or load what their checksum says. Inputs
// without the mark of a sealed file are left out: HDF5 itself is not hardened against them.
//   clang -g -O1 -fsanitize=fuzzer,address -Iinclude $(pkg-config --cflags hdf5-serial)
//     tests/fuzz/h5_archive_fuzz.c src/base/{arena,error,archive}.c
//     src/store/{h5,h5_[adm]*,files}.c
//     $(pkg-config --libs hdf5-serial) -o h5_archive_fuzz

#include "scratch.h"
#include "store/h5_archive.h"

static void visit(Archive* archive, double* weights, int32_t* step) {
  archive_enter(archive, "module");
  archive_f64(archive, "weights", weights, 8);
  archive_i32(archive, "step", step, 1);
  archive_leave(archive);
}

static void load(const char* path) {
  H5File file;
  Archive archive;
  Arena arena;
  Error error = {0};
  double weights[8] = {0};
  int32_t step = 0;
  if (!h5_open(&file, path, "fuzz.checkpoint", 1, &error)) {
    return;
  }
  arena_init(&arena);
  h5_archive_init(&archive, ARCHIVE_LOAD, &file, &arena);
  visit(&archive, weights, &step);
  h5_archive_end(&archive, &error);
  h5_verify(&file, NULL);
  h5_close(&file, &error);
  arena_free(&arena);
}

// Writes the seed of a corpus: h5_archive_fuzz is run on the directory that holds it.
int LLVMFuzzerInitialize(int* argc, char*** argv);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  (void)argc;
  (void)argv;
  H5File file;
  Archive archive;
  Arena arena;
  Error error = {0};
  double weights[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int32_t step = 9;
  const char* seed = getenv("H5_ARCHIVE_FUZZ_SEED");
  if (!seed) {
    return 0;
  }
  arena_init(&arena);
  CHECK(h5_create(&file, seed, "fuzz.checkpoint", 1, &error), "%s", error.text);
  h5_archive_init(&archive, ARCHIVE_SAVE, &file, &arena);
  visit(&archive, weights, &step);
  CHECK(h5_archive_end(&archive, &error) && h5_seal(&file, &error), "%s", error.text);
  arena_free(&arena);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const char word[] = "\nautombpo-sealed ";
  if (size < 34 || memcmp(data + size - 34, word, sizeof word - 1) != 0) {
    return -1;
  }
  load(scratch_file(data, size));
  return 0;
}
