// options_rows.h - what a row OPT(KIND, name, ...) of an option table expands to: a struct field
// (OPTION_FIELD) or an OptionRow (OPTION_ROW). Included by base/options.h.
#ifndef BASE_OPTIONS_ROWS_H
#define BASE_OPTIONS_ROWS_H

#define OPTION_FIELD(kind, name, initial, smallest, largest, unit, meaning) \
  OPTION_FIELD_##kind(name)

#define OPTION_FIELD_INT(name) int name;
#define OPTION_FIELD_LONG(name) int64_t name;
#define OPTION_FIELD_REAL(name) double name;
#define OPTION_FIELD_AUTO(name) double name;
#define OPTION_FIELD_FLAG(name) bool name;
#define OPTION_FIELD_TIME(name) double name;
#define OPTION_FIELD_SIZE(name) int64_t name;
#define OPTION_FIELD_TEXT(name) char name[OPTION_TEXT_SIZE];
#define OPTION_FIELD_CHOICE(name) char name[OPTION_CHOICE_SIZE];
#define OPTION_FIELD_LIST(name) OptionList name;

// clang-format off
#define OPTION_ROW(kind, name, initial, smallest, largest, unit, meaning) \
  {OPTION_##kind, #name, offsetof(OptionStruct, name), \
   OPTION_VALUES_##kind(initial, smallest, largest), unit, meaning},

#define OPTION_NUMBERS(initial, low, high) \
  (double)(initial), NULL, (double)(low), (double)(high), NULL
#define OPTION_VALUES_INT(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_LONG(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_REAL(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_AUTO(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_TIME(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_SIZE(initial, low, high) OPTION_NUMBERS(initial, low, high)
#define OPTION_VALUES_FLAG(initial, low, high) OPTION_NUMBERS(initial, 0, 1)
#define OPTION_VALUES_TEXT(initial, low, high) 0.0, initial, 0.0, 0.0, NULL
#define OPTION_VALUES_CHOICE(initial, choices, high) 0.0, initial, 0.0, 0.0, choices
#define OPTION_VALUES_LIST(initial, low, high) 0.0, initial, (double)(low), (double)(high), NULL
// clang-format on

#endif  // BASE_OPTIONS_ROWS_H
