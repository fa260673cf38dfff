// machine.c - what bits depend on besides the configuration, and whether two starts agree in it.
//
// That is the program, the physics, the files of the task, and with bfloat16 the kernel, which is
// of the CPU. The first start notes it in the run directory's file `machine`; each later one
// compares, one kind of part at a time, because for each kind another way out is right.
#include "run/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/notice.h"
#include "env/env.h"
#include "nn/gemm.h"
#include "run/program.h"
#include "store/files.h"

// The description is parts with "; " between them: "program ID", the physics, "bfloat16 by KERNEL",
// and "task FILE HASH" for each file of the task. All but the last may differ if an option allows
// it.
typedef enum { PART_PROGRAM, PART_PHYSICS, PART_KERNEL, PART_TASK, PART_KINDS } PartKind;

static const char* const marks[PART_KINDS] = {[PART_PROGRAM] = "program ",
                                              [PART_PHYSICS] = "",
                                              [PART_KERNEL] = "bfloat16 by ",
                                              [PART_TASK] = "task "};

bool machine_describe(char machine[MACHINE_SIZE], const RunConfig* c, Error* error) {
  Arena arena;
  Env env;
  arena_init(&arena);
  bool good = env_open(&env, c->spec.task, c->spec.assets, &arena, error);
  if (good) {
    int used = snprintf(machine, MACHINE_SIZE, "%s%s; %.31s", marks[PART_PROGRAM], program_id,
                        env.spec.engine);
    if (c->spec.sac.precision == GEMM_BFLOAT16 || c->spec.model.precision == GEMM_BFLOAT16) {
      used += snprintf(machine + used, MACHINE_SIZE - (size_t)used, "; %s%.90s",
                       marks[PART_KERNEL], gemm_description());
    }
    for (int i = 0; i < ENV_MAX_FILES && env.spec.files[i].name[0]; i++) {
      used += snprintf(machine + used, MACHINE_SIZE - (size_t)used, "; %s%s %016" PRIx64,
                       marks[PART_TASK], env.spec.files[i].name, env.spec.files[i].hash);
    }
    env_close(&env);
  }
  arena_free(&arena);
  return good;
}

static bool starts_with(const char* text, const char* mark) {
  return strncmp(text, mark, strlen(mark)) == 0;
}

static PartKind kind_of(const char* part) {
  return starts_with(part, marks[PART_PROGRAM])  ? PART_PROGRAM
         : starts_with(part, marks[PART_KERNEL]) ? PART_KERNEL
         : starts_with(part, marks[PART_TASK])   ? PART_TASK
                                                 : PART_PHYSICS;
}

// The parts of a kind in a description; without those that `other` has, if there is one.
static const char* parts(Arena* arena, const char* text, PartKind kind, const char* other) {
  Text found;
  text_init(&found, arena);
  char* rest = arena_string(arena, text);
  while (rest) {
    char* part = rest;
    rest = strstr(part, "; ");
    if (rest) {
      *rest = '\0';
      rest += 2;
    }
    if (kind_of(part) == kind && !(other && strstr(other, part))) {
      text_add(&found, "%s%s", found.size > 0 ? "; " : "", part);
    }
  }
  return found.bytes;
}

typedef struct {
  const char* who;
  const char* first;
  const char* here;
  Arena arena;
  Error* error;
} Comparison;

static bool compare_parts(Comparison* c, PartKind kind, bool allowed, const char* way_out) {
  const char* first = parts(&c->arena, c->first, kind, NULL);
  const char* here = parts(&c->arena, c->here, kind, NULL);
  bool unknown = kind == PART_TASK && !*first;  // of an earlier program
  if (unknown || strcmp(first, here) == 0) {
    return true;
  }
  first = parts(&c->arena, c->first, kind, here);
  here = parts(&c->arena, c->here, kind, parts(&c->arena, c->first, kind, NULL));
  if (allowed) {
    notice("warning: %s '%s', this is '%s': results may differ", c->who, first, here);
    return true;
  }
  return error_set(c->error, "%s '%s', but this is '%s': %s", c->who, first, here, way_out);
}

bool machines_compare(const RunConfig* config, const char* who, const char* first,
                      const char* here, Error* error) {
  Comparison c = {.who = who, .first = first, .here = here, .error = error};
  arena_init(&c.arena);
  bool same =
      compare_parts(&c, PART_TASK, false,
                    "results would be of two tasks. Put the file back, or begin another run") &&
      compare_parts(&c, PART_PROGRAM, config->run.allow_other_program,
                    "results would be of two programs. Use the one that was built from the same "
                    "sources, or allow it with run.allow_other_program=true") &&
      compare_parts(&c, PART_PHYSICS, config->run.allow_other_program,
                    "results would be of two kinds of physics. Use the same version, or allow it "
                    "with run.allow_other_program=true") &&
      compare_parts(&c, PART_KERNEL, config->run.allow_mixed_cpu,
                    "products of bfloat16 depend on the CPU. Use one type of machine, or "
                    "float32, or allow it with run.allow_mixed_cpu=true");
  arena_free(&c.arena);
  return same;
}

bool machine_check(const RunConfig* c, const char* machine, Error* error) {
  char path[RUN_PATH_SIZE];
  char* first;
  size_t size;
  Arena arena;
  arena_init(&arena);
  bool there;
  run_file(path, &c->directory, "machine");
  bool good = files_look(&there, path, error) &&
              (there || files_write_first(path, machine, strlen(machine), error)) &&
              files_read(&first, &size, path, &arena, error);
  const char* who = text_format(&arena, "%s: the run began with", path);
  good = good && machines_compare(c, who, first, machine, error);
  arena_free(&arena);
  return good;
}
