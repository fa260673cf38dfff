// h5_internal.h - what the files of store/h5 share.
#ifndef STORE_H5_INTERNAL_H
#define STORE_H5_INTERNAL_H

#include <hdf5.h>

#include "store/h5.h"

// Marks the file as failed: "PATH: OBJECT: what (HDF5's innermost message)". Returns false. To be
// called before anything else of HDF5, which forgets its last error with each call.
bool h5_fail(H5File* file, const char* object, const char* what);

// Whether it is the disk, or want of memory, that made the last call of HDF5 fail.
bool h5_machine_failed(void);

// Same in our own words, unless it is the machine that failed.
bool h5_refuse(H5File* file, const char* object, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// "PATH: what: MEANING" from errno.
bool h5_refuse_errno(H5File* file, const char* what);

// HDF5's own descriptor of the file; NULL if it does not tell.
int* h5_descriptor(const H5File* file);

// Ends what HDF5 has to do with the file, in a way that cannot fail.
void h5_let_go(H5File* file);

// Appends the mark of a sealed file to a file that is complete otherwise; checks that of an open
// file. False = failed, damaged or without a mark, reported.
bool h5_mark_append(H5File* file, int descriptor);
bool h5_mark_check(H5File* file, int descriptor);

#define H5_LINK_SIZE 256

// Whether a file has links that are not plain names of its own objects, or cannot be listed (link
// is then empty); the first of them. Whether a dataset holds its values itself.
bool h5_leads_out(char link[H5_LINK_SIZE], hid_t file);
bool h5_holds_itself(hid_t set);

// Whether the file can hold as many values, of `size` bytes, as a dataset claims to have.
bool h5_is_held(hid_t set, hsize_t rows, hsize_t columns, size_t size);

// Type in memory and in the file; new handles, to be closed.
hid_t h5_memory_type(H5Type type);
hid_t h5_file_type(H5Type type);

// "" as HDF5 wants it.
const char* h5_object_name(const char* object);

// Hash of a dataset's name, type, shape; its bytes are chained to it.
uint64_t h5_hash_start(const char* name, H5Type type, int64_t rows, int64_t columns);

// Hash of a stored dataset, read in pieces.
bool h5_hash_stored(H5File* file, const char* name, uint64_t* hash);

#endif  // STORE_H5_INTERNAL_H
