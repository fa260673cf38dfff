// count_allocations.h - counts the heap allocations of a test program; include it in one file only.
//
// The test's own malloc family replaces libc's and counts. Under AddressSanitizer, which replaces
// it as well, nothing is counted (COUNTS_ALLOCATIONS is 0).
#ifndef TESTS_COUNT_ALLOCATIONS_H
#define TESTS_COUNT_ALLOCATIONS_H

#include <errno.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#define COUNTS_ALLOCATIONS 0
static long allocations = 0;
#else
#define COUNTS_ALLOCATIONS 1
static long allocations = 0;

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  allocations++;
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  allocations++;
  return __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  allocations++;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  allocations++;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
#endif

#endif  // TESTS_COUNT_ALLOCATIONS_H
