// h5.c - life and death of an HDF5 file: created, sealed, opened, verified, closed.
//
// The file's checksum grows with every dataset that is written. To seal is to store it, flush,
// append the mark (h5_mark.c), sync, open the file again and compare, and only then to give it its
// name. What was written is therefore known to be readable before anything relies on it.
//
// HDF5 1.10 crashes, later and elsewhere, when its last write or its close fails on a full disk. So
// nothing that may fail is left to its close: after the flush the file is finished through a
// descriptor of our own, and HDF5 is let go of it (h5_failure.c).
#include "store/h5.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "h5_internal.h"
#include "store/pack.h"

static void start(H5File* file, const char* path, bool writing) {
  *file = (H5File){.handle = -1, .writing = writing};
  snprintf(file->path, sizeof file->path, "%s", path);
  H5dont_atexit();  // every file is closed here; at exit it is too late to report anything
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5Eclear2(H5E_DEFAULT);  // of another file
  H5PLset_loading_state(0);  // no plug-ins: a data file must not have code loaded
}

// Access without file locks: they fail on shared file systems, and sealed files need none.
static hid_t access_list(void) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  NEED(list >= 0 && H5Pset_file_locking(list, 0, 1) >= 0 &&
           H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) >= 0,
       "HDF5: no file access list: out of memory?");
  return list;
}

static bool report(H5File* file, Error* error) {
  if (file->failed) {
    *error = file->error;
  }
  return !file->failed;
}

// Creates the file under a temporary name that nobody uses.
static bool create_temporary(H5File* file, hid_t creation, hid_t list) {
  for (int attempt = 0; file->handle < 0; attempt++) {
    if (!files_check(file->path, &file->error) ||
        !files_temporary(file->temporary, file->path, attempt, &file->error)) {
      file->failed = true;
      return false;
    }
    if (files_stands(file->temporary)) {
      continue;
    }
    file->handle = H5Fcreate(file->temporary, H5F_ACC_EXCL, creation, list);
    if (file->handle < 0) {
      // on a full disk the file is there, and empty
      unlink(file->temporary);
      return h5_fail(file, "", "cannot be created");
    }
  }
  return true;
}

void h5_library(char* text, size_t size) {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, size, "HDF5 %u.%u.%u", major, minor, release);
}

bool h5_create(H5File* file, const char* path, const char* format, int version, Error* error) {
  start(file, path, true);
  hid_t list = access_list();
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  NEED(creation >= 0 && H5Pset_obj_track_times(creation, 0) >= 0,
       "HDF5: no creation list: out of memory?");
  create_temporary(file, creation, list);
  H5Pclose(creation);
  H5Pclose(list);
  h5_set_text(file, "", "format", format);
  h5_set_i64(file, "", "format_version", version);
  return file->failed ? h5_close(file, error) : true;
}

// A file in memory, where the one in a pack was copied to.
static bool open_copy(H5File* file, int descriptor) {
  off_t size = lseek(descriptor, 0, SEEK_END);
  void* image = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (image == MAP_FAILED) {
    return h5_refuse_errno(file, "cannot be read");
  }
  hid_t list = access_list();
  bool set = H5Pset_fapl_core(list, 65536, false) >= 0 &&
             H5Pset_file_image(list, image, (size_t)size) >= 0;
  file->handle = set ? H5Fopen(file->path, H5F_ACC_RDONLY, list) : -1;
  bool opened = file->handle >= 0 || h5_fail(file, "", "not a readable HDF5 file");
  H5Pclose(list);
  munmap(image, (size_t)size);
  return opened;
}

static bool open_checked(H5File* file, const char* name) {
  bool copied;
  int descriptor = pack_open(name, &copied, &file->error);
  if (descriptor < 0) {
    file->failed = true;
    return false;
  }
  bool good = h5_mark_check(file, descriptor) && (!copied || open_copy(file, descriptor));
  close(descriptor);
  if (!good || copied) {
    return good;
  }
  hid_t list = access_list();
  file->handle = H5Fopen(name, H5F_ACC_RDONLY, list);
  bool gone = file->handle < 0 && !files_exists(name);  // into a pack, just now
  bool opened = file->handle >= 0 || gone || h5_fail(file, "", "not a readable HDF5 file");
  H5Pclose(list);
  return gone ? open_checked(file, name) : opened;
}

static bool open_for_reading(H5File* file, const char* name) {
  if (!open_checked(file, name)) {
    return false;
  }
  char link[H5_LINK_SIZE];
  if (h5_leads_out(link, file->handle)) {
    return *link ? h5_refuse(file, link, "is a link to elsewhere, which is never followed")
                 : h5_fail(file, "", "cannot be listed");
  }
  if (!h5_has_attribute(file, "", "complete")) {
    return h5_refuse(file, "", "is not complete");
  }
  return true;
}

bool h5_open_any(H5File* file, const char* path, Error* error) {
  start(file, path, false);
  if (!open_for_reading(file, path)) {
    return h5_close(file, error);
  }
  return true;
}

bool h5_open(H5File* file, const char* path, const char* format, int version, Error* error) {
  if (!h5_open_any(file, path, error)) {
    return false;
  }
  Arena arena;
  arena_init(&arena);
  const char* found = h5_get_text(file, "", "format", &arena);
  int64_t found_version = h5_get_i64(file, "", "format_version");
  if (!file->failed && strcmp(found, format) != 0) {
    h5_refuse(file, "", "format '%.64s', expected '%s'", found, format);
  }
  if (!file->failed && found_version != version) {
    h5_refuse(file, "", "format version %" PRId64 ", this program reads %d", found_version,
              version);
  }
  arena_free(&arena);
  return file->failed ? h5_close(file, error) : true;
}

static void sum_hash(void* context, const char* name, H5Type type, int64_t rows, int64_t columns) {
  (void)type;
  (void)rows;
  (void)columns;
  H5File* file = context;
  uint64_t hash = 0;
  h5_hash_stored(file, name, &hash);
  file->checksum += hash;
}

bool h5_verify(H5File* file, uint64_t* checksum) {
  CHECK(!file->writing, "h5_verify: %s is being written", file->path);
  Arena arena;
  arena_init(&arena);
  file->checksum = 0;
  h5_each_dataset(file, sum_hash, file);
  const char* stored = h5_get_text(file, "", "checksum", &arena);
  char found[17];
  snprintf(found, sizeof found, "%016" PRIx64, file->checksum);
  if (!file->failed && strcmp(found, stored) != 0) {
    h5_refuse(file, "", "content has checksum %s, but %.32s is stored: the file is damaged", found,
              stored);
  }
  if (checksum) {
    *checksum = file->checksum;
  }
  arena_free(&arena);
  return !file->failed;
}

bool h5_close(H5File* file, Error* error) {
  if (file->handle >= 0) {
    h5_let_go(file);
  }
  if (file->writing && *file->temporary) {
    unlink(file->temporary);
  }
  return report(file, error);
}

// What HDF5 does when it closes a flushed file: the superblock (versions 0 and 1; byte 8) says in
// its "file consistency flags" (bytes 20 to 23 of the format) that nobody writes any more.
static bool clear_consistency_flags(int descriptor) {
  static const unsigned char clear[4] = {0};
  unsigned char version;
  return pread(descriptor, &version, 1, 8) == 1 &&
         (version > 1 || pwrite(descriptor, clear, sizeof clear, 20) == sizeof clear);
}

// Completes a flushed file on disk, and closes it.
static void finish(H5File* file) {
  int* theirs = h5_descriptor(file);
  int own = theirs ? fcntl(*theirs, F_DUPFD_CLOEXEC, 0) : -1;
  if (own < 0 || !clear_consistency_flags(own)) {
    h5_refuse_errno(file, "cannot be written");
  } else if (h5_mark_append(file, own) && fsync(own) != 0) {
    h5_refuse_errno(file, "cannot be synced");
  }
  h5_let_go(file);
  if (own >= 0 && close(own) != 0) {
    h5_refuse_errno(file, "cannot be closed");
  }
}

// Opens what was just written, and compares.
static bool verify_written(H5File* file, Error* error) {
  H5File again;
  start(&again, file->path, false);
  if (open_for_reading(&again, file->temporary)) {
    h5_verify(&again, NULL);
  }
  if (!again.failed && again.checksum != file->checksum) {
    h5_refuse(&again, "", "reads back differently from what was written");
  }
  bool good = h5_close(&again, error);
  if (!good) {
    error->transient = true;  // it was good when it was written
  }
  return good;
}

bool h5_seal(H5File* file, Error* error) {
  CHECK(file->writing, "h5_seal: %s is not being written", file->path);
  char checksum[17];
  snprintf(checksum, sizeof checksum, "%016" PRIx64, file->checksum);
  h5_set_text(file, "", "checksum", checksum);
  h5_set_i64(file, "", "complete", 1);
  if (!file->failed && H5Fflush(file->handle, H5F_SCOPE_GLOBAL) < 0) {
    h5_fail(file, "", "cannot be written");
  }
  fault_point("mid-write");
  if (!file->failed) {
    finish(file);
  }
  if (file->failed || !verify_written(file, error)) {
    bool swept = files_was_swept(file->temporary, file->path) || pack_holds(file->path);
    unlink(file->temporary);
    return swept ? files_sync_parent(file->path, error) : (report(file, error), false);
  }
  // who took this process for dead has sealed it, and packed it by now
  return files_publish(file->temporary, file->path, false, error) || pack_holds(file->path);
}
