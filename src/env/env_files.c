// The files that a task is made of, each with a hash: a run that goes on with another model of the
// robot would mix two tasks, and nothing in the numbers would show it.
#include "env/env_files.h"

#include <stdio.h>
#include <string.h>

static bool hash_file(uint64_t* hash, const char* path, Error* error) {
  unsigned char bytes[4096];
  size_t size;
  FILE* file = fopen(path, "rb");
  if (!file) {
    return error_errno(error, path);
  }
  while ((size = fread(bytes, 1, sizeof bytes, file)) > 0) {
    *hash = hash_bytes(*hash, bytes, size);
  }
  bool good = !ferror(file) || error_errno(error, path);
  fclose(file);
  return good;
}

bool env_note_file(EnvSpec* spec, const char* path, Error* error) {
  int n = 0;
  while (n < ENV_MAX_FILES - 1 && spec->files[n].name[0]) {
    n++;
  }
  EnvFile* file = &spec->files[n];
  const char* slash = strrchr(path, '/');
  bool more = file->name[0] != '\0';
  file->hash = more ? file->hash : HASH_START;
  snprintf(file->name, ENV_FILE_SIZE, "%s", more ? "and more" : slash ? slash + 1 : path);
  return hash_file(&file->hash, path, error);
}

const char* env_changed_file(const EnvSpec* spec, const EnvFile expected[ENV_MAX_FILES]) {
  for (int i = 0; i < ENV_MAX_FILES; i++) {
    const EnvFile* file = &spec->files[i];
    if (file->hash != expected[i].hash) {
      return file->name[0] ? file->name : expected[i].name;
    }
  }
  return NULL;
}
