// program.h - which program this is.
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

// 16 hexadecimal digits, a hash of all sources, the compiler and its flags; not of where or when it
// was built. Made by src/cli/program_id.cmake.
extern const char program_id[];

#endif  // CLI_PROGRAM_H
