// state_file.c - a hyper-episode's whole state, written by its visitor into one HDF5 file.
//
// The root says whose state it is: configuration, physics, hyper-episode. On reading that is
// compared before anything else, and there are three verdicts. GOOD is loaded. BAD means unreadable
// or damaged: another generation may be better. FOREIGN means whole, but of another run, program or
// physics: it must not be continued here, and an older generation would be of the same kind.
//
// The content is checked twice: the file's checksum says that the bytes are those that were
// written, and the archive's that the visitor read what it wrote. A whole file whose second check
// fails was made by a program with other state, hence FOREIGN.
#include "hyper/state_file.h"

#include <string.h>

#include "store/h5_archive.h"

bool state_file_write(HyperEpisode* h, const char* path, Arena* scratch, Error* error) {
  H5File file;
  if (!h5_create(&file, path, STATE_FORMAT, STATE_VERSION, error)) {
    return false;
  }
  file.plain = true;
  h5_set_text(&file, "", "config_hash", h->spec->config_hash);
  h5_set_text(&file, "", "env_engine", h->mbpo.env.spec.engine);
  h5_set_i64(&file, "", "hyper_episode", h->index);
  h5_set_i64(&file, "", "env_step", h->mbpo.env_step);
  Archive ar;
  h5_archive_init(&ar, ARCHIVE_SAVE, &file, scratch);
  hyper_episode_visit(h, &ar);
  if (!h5_archive_end(&ar, error)) {
    Error ignored;
    h5_close(&file, &ignored);
    return false;
  }
  return h5_seal(&file, error);
}

// A whole file of ours that this run cannot use, and that an older one would not mend.
static StateVerdict check_owner(H5File* file, const HyperEpisode* h, int64_t index,
                                Arena* scratch, Error* error) {
  const char* format = h5_get_text(file, "", "format", scratch);
  int64_t version = h5_get_i64(file, "", "format_version");
  const char* hash = h5_get_text(file, "", "config_hash", scratch);
  const char* engine = h5_get_text(file, "", "env_engine", scratch);
  int64_t found = h5_get_i64(file, "", "hyper_episode");
  if (file->failed && file->error.transient) {
    *error = file->error;
    return STATE_BAD;
  }
  if (file->failed || strcmp(format, STATE_FORMAT) != 0 || found != index) {
    error_set(error, "%s: is not the state of hyper-episode %lld", file->path, (long long)index);
    return STATE_BAD;
  }
  if (version != STATE_VERSION) {
    error_set(error,
              "%s: format version %lld, this program reads %d; resume with the program that "
              "wrote it, or remove it to repeat the hyper-episode",
              file->path, (long long)version, STATE_VERSION);
    return STATE_FOREIGN;
  }
  if (strcmp(hash, h->spec->config_hash) != 0) {
    error_set(error,
              "%s: made by a run of another configuration (%.32s, expected %s); remove it "
              "to repeat the hyper-episode",
              file->path, hash, h->spec->config_hash);
    return STATE_FOREIGN;
  }
  if (strcmp(engine, h->mbpo.env.spec.engine) != 0) {
    error_set(error,
              "%s: made with %.64s, this program has %s; resume with the same physics, or "
              "remove it to repeat the hyper-episode",
              file->path, engine, h->mbpo.env.spec.engine);
    return STATE_FOREIGN;
  }
  return STATE_GOOD;
}

static StateVerdict load(HyperEpisode* h, H5File* file, Arena* scratch, Error* error) {
  Error ignored;
  Archive ar;
  h5_archive_init(&ar, ARCHIVE_LOAD, file, scratch);
  hyper_episode_visit(h, &ar);
  bool good = h5_archive_end(&ar, error);
  good = h5_close(file, good ? error : &ignored) && good;
  if (good) {
    return STATE_GOOD;
  }
  if (!error->transient) {
    error_line(error,
               "The file is whole, but was written by another version of the program; resume with "
               "that one, or remove %s to repeat the hyper-episode",
               file->path);
  }
  return STATE_FOREIGN;
}

StateVerdict state_file_read(HyperEpisode* h, const char* path, int64_t index, Arena* scratch,
                             Error* error) {
  H5File file;
  Error ignored;
  if (!h5_open_any(&file, path, error)) {
    return STATE_BAD;
  }
  StateVerdict verdict = check_owner(&file, h, index, scratch, error);
  if (verdict == STATE_GOOD && !h5_verify(&file, NULL)) {
    h5_close(&file, error);
    return STATE_BAD;
  }
  if (verdict != STATE_GOOD) {
    h5_close(&file, &ignored);
    return verdict;
  }
  return load(h, &file, scratch, error);
}
