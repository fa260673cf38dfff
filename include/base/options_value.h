// options_value.h - one option's value from and to text.
#ifndef BASE_OPTIONS_VALUE_H
#define BASE_OPTIONS_VALUE_H

#include "base/options.h"

// Parses `text` into the field, checked against the row. False: *error says what is wrong with it,
// without its name or place ("must be in [0, 1]"), and the field is unchanged.
bool option_parse(const OptionRow* row, void* field, const char* text, Error* error);

// The same for a list, from its items.
bool option_parse_list(const OptionRow* row, OptionList* field, const char* const* items, int count,
                       Error* error);

// Seconds from "23h50m", a time as sbatch takes it, or a plain number of `unit` seconds: 1 in all
// options, 60 where a time is Slurm's own.
bool option_parse_time(double* seconds, const char* text, double unit, Error* error);

// Appends the value as a YAML scalar or flow list that option_parse reads back exactly.
void option_format(const OptionRow* row, const void* field, Text* out);

// Appends the default in the same form.
void option_format_default(const OptionRow* row, Text* out);

// Appends what may be written: "integer in [1, 65536]", "a | b | c".
void option_format_range(const OptionRow* row, Text* out);

// Bytes of the field.
size_t option_size(const OptionRow* row);

// Fills the field with the default. CHECKs that the table's row is consistent.
void option_set_default(const OptionRow* row, void* field);

#endif  // BASE_OPTIONS_VALUE_H
