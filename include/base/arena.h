// arena.h - the only allocator of the program.
//
// An arena hands out zeroed, 64-byte aligned memory and frees all of it at once. Scratch arenas are
// used with mark and release around a function's temporaries. A released arena keeps its blocks, so
// a loop that has run once allocates nothing more.
// A reservation is address space for one large array whose pages cost memory only once written.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct {
  ArenaBlock* first;    // blocks in order of use
  ArenaBlock* current;  // block that serves now
} Arena;

typedef struct {
  ArenaBlock* block;
  size_t used;
} ArenaMark;

void arena_init(Arena* arena);

// Gives every block back. The arena can be used again.
void arena_free(Arena* arena);

// Zeroed, aligned memory of `bytes`; never NULL (out of memory is fatal).
void* arena_alloc(Arena* arena, size_t bytes);

// Copies a string into the arena.
char* arena_string(Arena* arena, const char* text);

ArenaMark arena_mark(const Arena* arena);
void arena_release(Arena* arena, ArenaMark mark);

// Bytes held by all blocks.
size_t arena_bytes(const Arena* arena);

// Reserves `bytes` of zeroed address space; fatal if refused. memory_discard gives the pages of a
// range back (they read as zero again), memory_unreserve the whole reservation.
void* memory_reserve(size_t bytes);
void memory_discard(void* start, size_t bytes);
void memory_unreserve(void* start, size_t bytes);

#define ARENA_NEW(arena, count, type) ((type*)arena_alloc((arena), (size_t)(count) * sizeof(type)))

#endif  // BASE_ARENA_H
