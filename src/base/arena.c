// arena.c - memory in blocks that are kept.
//
// An arena is a list of blocks in the order in which they were first needed, and the current one,
// from whose end memory is cut. Release goes back to an earlier block and offset, and frees
// nothing: the blocks behind are filled again in the same order, so that a loop allocates in its
// first pass only. A block that is too small for a request is not skipped: a larger one is put
// before it.
//
// Everything is aligned to 64 bytes, a cache line and a vector of AVX-512. Zeroing at each
// allocation costs little beside what is computed, and makes no result depend on what memory held.
// Out of memory ends the program here: no caller could do better, and checkpoints on disk stand.
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

#define ALIGNMENT 64
#define SMALLEST_BLOCK (1u << 18)

struct ArenaBlock {
  ArenaBlock* next;
  size_t size;  // usable bytes
  size_t used;
  unsigned char* memory;  // aligned
};

static size_t round_up(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static ArenaBlock* block_new(size_t size) {
  size_t header = round_up(sizeof(ArenaBlock));
  ArenaBlock* block = aligned_alloc(ALIGNMENT, header + size);
  NEED(block, "out of memory: %zu bytes are refused (is there a limit, ulimit -v?)", size);
  *block = (ArenaBlock){.size = size, .memory = (unsigned char*)block + header};
  return block;
}

void arena_init(Arena* arena) { *arena = (Arena){0}; }

void arena_free(Arena* arena) {
  ArenaBlock* block = arena->first;
  while (block) {
    ArenaBlock* next = block->next;
    free(block);
    block = next;
  }
  arena_init(arena);
}

// Moves on to the next block that can hold `bytes`, inserting a new one if none can.
static void next_block(Arena* arena, size_t bytes) {
  ArenaBlock* current = arena->current;
  ArenaBlock* next = current ? current->next : arena->first;
  if (next && next->size >= bytes) {
    next->used = 0;
    arena->current = next;
    return;
  }
  size_t size = bytes > SMALLEST_BLOCK ? bytes : SMALLEST_BLOCK;
  ArenaBlock* block = block_new(size);
  block->next = next;
  if (current) {
    current->next = block;
  } else {
    arena->first = block;
  }
  arena->current = block;
}

void* arena_alloc(Arena* arena, size_t bytes) {
  size_t size = round_up(bytes ? bytes : 1);
  if (!arena->current || arena->current->size - arena->current->used < size) {
    next_block(arena, size);
  }
  ArenaBlock* block = arena->current;
  void* memory = block->memory + block->used;
  block->used += size;
  memset(memory, 0, size);
  return memory;
}

char* arena_string(Arena* arena, const char* text) {
  size_t size = strlen(text) + 1;
  return memcpy(arena_alloc(arena, size), text, size);
}

ArenaMark arena_mark(const Arena* arena) {
  return (ArenaMark){arena->current, arena->current ? arena->current->used : 0};
}

void arena_release(Arena* arena, ArenaMark mark) {
  arena->current = mark.block;
  if (mark.block) {
    mark.block->used = mark.used;
  }
}

size_t arena_bytes(const Arena* arena) {
  size_t bytes = 0;
  for (const ArenaBlock* block = arena->first; block; block = block->next) {
    bytes += block->size;
  }
  return bytes;
}

void* memory_reserve(size_t bytes) {
  void* start =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  NEED(start != MAP_FAILED,
       "out of memory: %zu bytes of addresses are refused (is there a limit, ulimit -v?)", bytes);
  return start;
}

void memory_discard(void* start, size_t bytes) {
  const uintptr_t page = 4096;
  uintptr_t begin = ((uintptr_t)start + page - 1) / page * page;
  uintptr_t end = ((uintptr_t)start + bytes) / page * page;
  if (end > begin) {
    madvise((void*)begin, end - begin, MADV_DONTNEED);
  }
}

void memory_unreserve(void* start, size_t bytes) { munmap(start, bytes); }
