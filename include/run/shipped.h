// shipped.h - what comes with the program, and what a site adds to it, by name.
//
// Files of the shipped configurations and of the directories of AUTOMBPO_PATH. "shipped:NAME" is
// baselines/NAME.yaml where R' is asked for, and controllers/NAME/0.h5 where a controller is;
// "shipped:NAME/N" is another one of the same.
#ifndef RUN_SHIPPED_H
#define RUN_SHIPPED_H

#include "base/arena.h"
#include "base/error.h"

typedef enum {
  SHIPPED_TASKS, SHIPPED_METHODS, SHIPPED_BASELINES, SHIPPED_CONTROLLERS, SHIPPED_KINDS
} ShippedKind;

typedef struct {
  const char* name;     // as it is written: "methods/mbpo.yaml", "shipped:pendulum-small"
  const char* path;     // of the file, or of the directory of controllers
  const char* meaning;  // one line; "" = the file does not say
  const char* command;  // what made it; "" = the file does not say
} Shipped;

// "tasks", "methods", "baselines", "controllers".
const char* shipped_word(ShippedKind kind);

// All that is found, the shipped ones first, each in the order of names.
bool shipped_list(Shipped** items, int* count, ShippedKind kind, Arena* arena, Error* error);

// The file of shipped:NAME; any other name as assets_find_shipped finds it. NULL: there is none of
// this name, and the error lists those that there are.
const char* shipped_find(ShippedKind kind, const char* name, Arena* arena, Error* error);

#endif  // RUN_SHIPPED_H
