// program.h - which program this is.
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

// 16 hexadecimal digits, a hash of all sources, the compiler and its flags; not of where or when it
// was built. Made by src/run/program_id.cmake.
extern const char program_id[];

// The commit of the sources, with "-dirty" if they were changed; "unknown" outside of a repository.
extern const char program_revision[];

#endif  // RUN_PROGRAM_H
