// options_check.h - the rules between options, which a single row of a table cannot hold.
//
// A rule looks at the structs, and names what is broken. All rules are looked at before a start is
// refused, so that one attempt shows all problems.
#ifndef BASE_OPTIONS_CHECK_H
#define BASE_OPTIONS_CHECK_H

#include "base/options.h"

typedef struct {
  const Options* options;
  Error* error;
  bool good;  // no rule is broken so far
} OptionsCheck;

OptionsCheck options_check(const Options* options, Error* error);

// Appends "ORIGIN: 'key=value': what must be".
__attribute__((format(printf, 3, 4))) void options_broken(OptionsCheck* check, const char* key,
                                                          const char* format, ...);

// Each item of a list must be an integer.
void options_check_integers(OptionsCheck* check, const char* key, const OptionList* list);

#endif  // BASE_OPTIONS_CHECK_H
