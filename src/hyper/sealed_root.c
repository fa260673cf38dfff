#include "hyper/sealed_root.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void add_list(Text* text, const char* name, const double* values, int count) {
  text_add(text, "\"%s\": [", name);
  for (int i = 0; i < count; i++) {
    char number[TEXT_NUMBER_SIZE];
    text_number(number, values[i]);
    text_add(text, i ? ", %s" : "%s", number);
  }
  text_add(text, "]");
}

static void write_env_spec(H5File* file, const EnvSpec* spec, int horizon) {
  Arena arena;
  arena_init(&arena);
  Text text;
  text_init(&text, &arena);
  text_add(&text, "{\"observations\": %d, \"actions\": %d, ", spec->obs_size, spec->act_size);
  add_list(&text, "action_low", spec->act_low, spec->act_size);
  text_add(&text, ", ");
  add_list(&text, "action_high", spec->act_high, spec->act_size);
  text_add(&text, ", \"horizon\": %d}", horizon);
  h5_set_text(file, "", "env_spec", text.bytes);
  arena_free(&arena);
}

void sealed_root_write(H5File* file, const RunSpec* x, const EnvSpec* spec, int horizon) {
  h5_set_text(file, "", "env", x->env);
  h5_set_text(file, "", "env_engine", spec->engine);
  write_env_spec(file, spec, horizon);
  h5_set_text(file, "", "method", x->method);
  h5_set_i64(file, "", "seed", (int64_t)x->seed);
  h5_set_text(file, "", "seed_set", x->seed_set);
  h5_set_text(file, "", "config", x->config);
  h5_set_text(file, "", "config_hash", x->config_hash);
}

void sealed_column(H5File* file, const char* group, const char* name, H5Type type, int64_t rows,
                   int64_t columns, const char* unit, const char* long_name, const void* data) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", group, name);
  H5Column column = {path, type, rows, columns, unit, long_name};
  h5_write(file, &column, data);
}

void* sealed_read(H5File* file, const char* name, H5Type type, int64_t rows, int64_t columns,
                  Arena* arena) {
  size_t count = (size_t)rows * (size_t)(columns ? columns : 1);
  void* data = arena_alloc(arena, count * h5_type_size(type));
  h5_read(file, name, type, rows, columns, data);
  return data;
}

static void append(char* out, size_t size, const char* name, bool first) {
  size_t used = strlen(out);
  snprintf(out + used, size - used, first ? "%s" : ",%s", name);
}

void sealed_head_names(char* out, size_t size) {
  out[0] = '\0';
  for (int h = 0; h < HEAD_COUNT; h++) {
    append(out, size, head_name((HyperHead)h), h == 0);
  }
}

void sealed_feature_names(char* out, size_t size, const int* chosen, int count) {
  out[0] = '\0';
  for (int f = 0; f < count; f++) {
    append(out, size, feature_name((HyperFeature)(chosen ? chosen[f] : f)), f == 0);
  }
}

void sealed_network(H5File* file, const char* name, const Mlp* net, const Real* params) {
  static const char* const activations[] = {
      [ACTIVATION_RELU] = "relu", [ACTIVATION_SWISH] = "swish", [ACTIVATION_TANH] = "tanh"};
  int64_t widths[MLP_MAX_LAYERS + 1];
  for (int l = 0; l <= net->layers; l++) {
    widths[l] = net->width[l];
  }
  h5_group(file, name);
  h5_set_i64s(file, name, "widths", widths, net->layers + 1);
  h5_set_text(file, name, "activation", activations[net->activation]);
  sealed_column(file, name, "parameters", sizeof(Real) == 4 ? H5_F32 : H5_F64, (int64_t)net->size,
                0, "1", "per layer the weights (in, out), then the biases (out)", params);
}
