// options.h - option tables: one table feeds the struct, YAML, key=value, help and the dump.
//
// A module lists its options once, as rows OPT(KIND, name, default, smallest, largest, unit,
// meaning), and declares `typedef struct { SAC_OPTIONS(OPTION_FIELD) } SacOptions;`. Options is a
// set of such sections, each bound to a struct that it fills. Later assignments win; every value
// knows its origin. All problems are collected, one line each, so that one run shows all of them.
//
// KIND    field               default, smallest, largest      written as
// INT     int                 numbers                         256, 5e3
// LONG    int64_t             numbers                         50000
// REAL    double              numbers                         3e-4
// AUTO    double, NAN = auto  NAN or a number, numbers        auto, 3e-4
// FLAG    bool                true or false, unused           true
// TIME    double, seconds     seconds                         90, 2s, 15m, 23h50m, 2d, 1-00:30:00
// SIZE    int64_t, bytes      bytes                           500M, 20G (powers of 1024)
// TEXT    char[256]           "text", unused                  any text
// CHOICE  char[64]            "a", "a|b|c", unused            a
// LIST    OptionList          "[1, 2]", bounds of each item   [1, 2]
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#define OPTION_TEXT_SIZE 256
#define OPTION_CHOICE_SIZE 64
#define OPTION_LIST_SIZE 16
#define OPTIONS_MAX_SECTIONS 32

typedef struct {
  int count;
  double value[OPTION_LIST_SIZE];
} OptionList;

typedef enum {
  OPTION_INT,
  OPTION_LONG,
  OPTION_REAL,
  OPTION_AUTO,
  OPTION_FLAG,
  OPTION_TIME,
  OPTION_SIZE,
  OPTION_TEXT,
  OPTION_CHOICE,
  OPTION_LIST,
} OptionKind;

// One row of a table.
typedef struct {
  OptionKind kind;
  const char* name;
  size_t offset;             // of the field in its struct
  double number;             // default of INT ... SIZE; NAN = auto
  const char* text;          // default of TEXT, CHOICE, LIST
  double smallest, largest;  // inclusive
  const char* words;         // of CHOICE: "a|b|c"
  const char* unit;
  const char* meaning;
} OptionRow;

typedef struct {
  const OptionRow* rows;
  int count;
  size_t size;               // of the struct
} OptionTable;

// Defines `static OptionTable function(void)`, the table of a struct.
#define OPTION_TABLE(function, struct_type, TABLE) \
  static OptionTable function(void) { \
    typedef struct_type OptionStruct; \
    static const OptionRow rows[] = {TABLE(OPTION_ROW)}; \
    return (OptionTable){rows, (int)(sizeof rows / sizeof *rows), sizeof(OptionStruct)}; \
  }

#include "base/options_rows.h"

typedef struct {
  const char* name;       // "sac"
  OptionTable table;
  void* values;           // the struct
  const char** origins;   // (table.count) "default", "command line" or FILE:LINE:COLUMN
  int* loads;             // (table.count) number of the file that assigned it last
} OptionSection;

typedef struct {
  Arena* arena;
  int count;
  OptionSection sections[OPTIONS_MAX_SECTIONS];
  const char* search_path;  // colon-separated directories for configuration files, or NULL
  const char* share_dir;    // directory of installed configuration files, or NULL
  int loads;                // files read
} Options;

// Fills a struct with the defaults of its table.
void options_set_defaults(OptionTable table, void* values);

// An empty set; strings and origins live in the arena.
void options_init(Options* options, Arena* arena, const char* search_path, const char* share_dir);

// Adds a section bound to `values`, which must stay where it is, and fills it with the defaults.
void options_section(Options* options, const char* name, OptionTable table, void* values);

// The functions below return false if they appended problems to error, one line each.

// Assigns "section.name" from text. `origin` is kept, and starts the message of a problem.
bool options_set(Options* options, const char* key, const char* text, const char* origin,
                 Error* error);

// Assigns from a "key=value" of the command line.
bool options_override(Options* options, const char* assignment, Error* error);

// Assigns what a YAML file says, after what its `include: [...]` say. A file is searched as given,
// beside the including file, in search_path and in share_dir.
bool options_load(Options* options, const char* path, Error* error);

// The same from a text in memory; `name` is its origin.
bool options_load_text(Options* options, const char* name, const char* text, Error* error);

// From a record that a program of any version wrote: the options in it that there are. Nothing is
// included.
bool options_load_record(Options* options, const char* name, const char* text, Error* error);

// Takes over the value of an option, and its origin, from another set with the same sections.
void options_take(Options* to, const Options* from, const char* key);

// The first readable file of this name: as given, in search_path, in share_dir. NULL = none.
const char* options_search(const Options* options, const char* path);

// Appends the resolved set as YAML that gives the same set when loaded, with origins as comments.
void options_show(const Options* options, Text* out);

// The same without origins: equal text for equal configurations. `excluded` (NULL-terminated, or
// NULL) names sections ("log"), options ("run.dir") and values ("sac.temperature=auto") to leave
// out.
void options_canonical(const Options* options, const char* const* excluded, Text* out);

// Appends "section.name: A -> B" lines where two sets of the same sections differ, but for what is
// excluded as above; returns how many.
int options_diff(const Options* a, const Options* b, const char* const* excluded, Text* out);

// Value of "section.name" as YAML, in the arena.
const char* options_text(const Options* options, const char* key);

// Finds "section.name"; NULL if there is none.
const OptionRow* options_find(const Options* options, const char* key, OptionSection** section);

// Origin of "section.name".
const char* options_origin(const Options* options, const char* key);

#endif  // BASE_OPTIONS_H
