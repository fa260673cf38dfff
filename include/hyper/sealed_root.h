// sealed_root.h - the root attributes that both kinds of sealed files share (docs/formats.md
// section 2), and the columns of a table.
#ifndef HYPER_SEALED_ROOT_H
#define HYPER_SEALED_ROOT_H

#include "hyper/run_spec.h"
#include "store/h5.h"

#define SEALED_VERSION 1
#define EPISODE_FORMAT "autombpo.episode"
#define POLICY_FORMAT "autombpo.policy"

// horizon: steps until an episode is cut.
void sealed_root_write(H5File* file, const RunSpec* x, const EnvSpec* spec,
                       int horizon);

// Writes GROUP/NAME: one column of a table.
void sealed_column(H5File* file, const char* group, const char* name, H5Type type, int64_t rows,
                   int64_t columns, const char* unit, const char* long_name, const void* data);

// Reads GROUP/NAME whole, into the arena; it must have exactly this type and shape.
void* sealed_read(H5File* file, const char* name, H5Type type, int64_t rows, int64_t columns,
                  Arena* arena);

// "train_model,real_ratio,..." and "progress,model_loss,...".
void sealed_head_names(char* out, size_t size);
void sealed_feature_names(char* out, size_t size, const int* features, int count);

// A network: group NAME with its parameters, widths and activation.
void sealed_network(H5File* file, const char* name, const Mlp* net, const Real* params);

#endif  // HYPER_SEALED_ROOT_H
