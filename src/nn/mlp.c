// mlp.c - forward and backward of a set of networks, as a few matrix products each.
//
// An Mlp is a shape: widths, and the offset of each layer in the flat parameters. A tape holds what
// a forward pass leaves for the backward one. A layer is one product whose epilogue (nn/gemm.h)
// adds the bias and applies the activation; backward is one product for the gradient of the weights
// and one for the layer before, whose epilogue multiplies by the slope and adds up the gradient of
// the biases.
//
// The gradient takes the place of the activation that it was multiplied with, which is in the cache
// by then and is needed no more; so mlp_backward spends its tape.
//
// Three ways lead back: all of a network at once, layer by layer (the ensemble takes Adam's step
// while the gradient is still in the cache), and to the input alone, each row through its own
// member (SAC's smaller critic), where no gradient of weights is wanted.
#include "nn/mlp.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

Mlp mlp_make_layers(int members, int in, const int* hidden, int hidden_layers, int out,
                    Activation activation) {
  CHECK(members > 0 && in > 0 && out > 0, "mlp: empty shape");
  CHECK(hidden_layers >= 0 && hidden_layers < MLP_MAX_LAYERS, "mlp: %d hidden layers",
        hidden_layers);
  Mlp mlp = {.members = members, .layers = hidden_layers + 1, .activation = activation};
  mlp.width[0] = in;
  for (int l = 0; l < mlp.layers; l++) {
    mlp.width[l + 1] = l + 1 < mlp.layers ? hidden[l] : out;
    CHECK(mlp.width[l + 1] > 0, "mlp: layer %d is empty", l);
    mlp.weights[l] = mlp.size;
    mlp.size += (size_t)members * (size_t)mlp.width[l] * (size_t)mlp.width[l + 1];
    mlp.biases[l] = mlp.size;
    mlp.size += (size_t)members * (size_t)mlp.width[l + 1];
  }
  return mlp;
}

Mlp mlp_make(int members, int in, int hidden, int hidden_layers, int out, Activation activation) {
  int widths[MLP_MAX_LAYERS];
  for (int l = 0; l < MLP_MAX_LAYERS; l++) {
    widths[l] = hidden;
  }
  return mlp_make_layers(members, in, widths, hidden_layers, out, activation);
}

size_t mlp_weights(const Mlp* mlp, int l, int e) {
  return mlp->weights[l] + (size_t)e * mlp_weights_count(mlp, l);
}

size_t mlp_biases(const Mlp* mlp, int l, int e) {
  return mlp->biases[l] + (size_t)e * (size_t)mlp->width[l + 1];
}

size_t mlp_weights_count(const Mlp* mlp, int l) {
  return (size_t)mlp->width[l] * (size_t)mlp->width[l + 1];
}

// Of the inputs, the hidden layers and the outputs.
static int widest_layer(const Mlp* mlp) {
  int widest = 0;
  for (int l = 0; l <= mlp->layers; l++) {
    widest = mlp->width[l] > widest ? mlp->width[l] : widest;
  }
  return widest;
}

static size_t most_weights(const Mlp* mlp) {
  size_t most = 0;
  for (int l = 0; l < mlp->layers; l++) {
    size_t weights = mlp_weights_count(mlp, l);
    most = weights > most ? weights : most;
  }
  return most;
}

// Without a backward pass two buffers in turn are enough; they serve hidden layers of any width.
static int buffer_width(const Mlp* mlp, bool backward, int l) {
  return backward ? mlp->width[l + 1] : widest_layer(mlp);
}

double mlp_tape_bytes(const Mlp* mlp, int max_batch, bool backward) {
  double widest = widest_layer(mlp), width = mlp->width[mlp->layers];
  int times = backward && mlp->activation == ACTIVATION_SWISH ? 2 : 1;
  for (int l = 0; l + 1 < mlp->layers && (backward || l < 2); l++) {
    width += times * buffer_width(mlp, backward, l);
  }
  double numbers = (double)mlp->members * max_batch * width;
  if (backward) {
    numbers += 2.0 * max_batch * widest + max_batch + (double)most_weights(mlp) + 2 * widest;
  }
  return numbers * sizeof(Real);
}

static void layer_gradient_init(MlpTape* tape, const Mlp* mlp, size_t widest, Arena* arena) {
  tape->d_weights = ARENA_NEW(arena, most_weights(mlp), Real);
  tape->d_biases[0] = ARENA_NEW(arena, widest, Real);
  tape->d_biases[1] = ARENA_NEW(arena, widest, Real);
}

void mlp_tape_init(MlpTape* tape, const Mlp* mlp, int max_batch, bool backward, Arena* arena) {
  *tape = (MlpTape){.max_batch = max_batch};
  size_t rows = (size_t)mlp->members * (size_t)max_batch;
  for (int l = 0; l + 1 < mlp->layers; l++) {
    size_t size = rows * (size_t)buffer_width(mlp, backward, l);
    bool reuse = !backward && l >= 2;
    tape->hidden[l] = reuse ? tape->hidden[l - 2] : ARENA_NEW(arena, size, Real);
    if (backward && mlp->activation == ACTIVATION_SWISH) {
      tape->slope[l] = ARENA_NEW(arena, size, Real);
    }
  }
  tape->out = ARENA_NEW(arena, rows * (size_t)mlp->width[mlp->layers], Real);
  if (backward) {
    size_t widest = (size_t)widest_layer(mlp);
    size_t size = (size_t)max_batch * widest;
    tape->rows[0] = ARENA_NEW(arena, size, Real);
    tape->rows[1] = ARENA_NEW(arena, size, Real);
    tape->chosen = ARENA_NEW(arena, max_batch, int32_t);
    layer_gradient_init(tape, mlp, widest, arena);
  }
}

void mlp_init_glorot(Real* params, const Mlp* mlp, Rng* rng) {
  memset(params, 0, mlp->size * sizeof *params);
  for (int l = 0; l < mlp->layers; l++) {
    double limit = sqrt(6.0 / (mlp->width[l] + mlp->width[l + 1]));
    for (size_t p = mlp->weights[l]; p < mlp->biases[l]; p++) {
      params[p] = (Real)rng_range(rng, -limit, limit);
    }
  }
}

void mlp_init_normal(Real* params, const Mlp* mlp, double sd, Rng* rng) {
  memset(params, 0, mlp->size * sizeof *params);
  for (int l = 0; l < mlp->layers; l++) {
    for (size_t p = mlp->weights[l]; p < mlp->biases[l]; p++) {
      params[p] = (Real)(sd * rng_normal(rng));
    }
  }
}

void mlp_init_truncated_normal(Real* params, const Mlp* mlp, Rng* rng) {
  memset(params, 0, mlp->size * sizeof *params);
  for (int l = 0; l < mlp->layers; l++) {
    double scale = 1 / (2 * sqrt((double)mlp->width[l]));
    for (size_t p = mlp->weights[l]; p < mlp->biases[l]; p++) {
      double normal = rng_normal(rng);
      while (fabs(normal) > 2) {
        normal = rng_normal(rng);
      }
      params[p] = (Real)(scale * normal);
    }
  }
}

static GemmFinish forward_finish(Activation activation) {
  switch (activation) {
    case ACTIVATION_RELU:
      return GEMM_RELU;
    case ACTIVATION_SWISH:
      return GEMM_SWISH;
    case ACTIVATION_TANH:
      return GEMM_TANH;
  }
  CHECK(false, "unknown activation %d", (int)activation);
}

static GemmFinish backward_finish(Activation activation) {
  switch (activation) {
    case ACTIVATION_RELU:
      return GEMM_RELU_BACKWARD;
    case ACTIVATION_SWISH:
      return GEMM_SWISH_BACKWARD;
    case ACTIVATION_TANH:
      return GEMM_TANH_BACKWARD;
  }
  CHECK(false, "unknown activation %d", (int)activation);
}

// The first and the last layer are thin, and inputs and outputs are more sensitive: there rounding
// costs more than it saves.
static GemmPrecision layer_precision(const Mlp* mlp, int l) {
  return l > 0 && l + 1 < mlp->layers ? mlp->precision : GEMM_FLOAT32;
}

// out (B, out) = layer l of member e of in (B, in).
static void layer_forward(Real* out, Real* slope, const Mlp* mlp, const Real* params, int l, int e,
                          const Real* in, int B) {
  int in_width = mlp->width[l];
  int out_width = mlp->width[l + 1];
  bool last = l + 1 == mlp->layers;
  GemmEpilogue epilogue = {.precision = layer_precision(mlp, l),
                           .finish = last ? GEMM_BIAS : forward_finish(mlp->activation),
                           .bias = params + mlp_biases(mlp, l, e),
                           .slope = slope,
                           .team = mlp->team};
  gemm_nn_then(&epilogue, out, out_width, in, in_width, params + mlp_weights(mlp, l, e), out_width,
               B, out_width, in_width);
}

// Where member e's rows start in an array (E, B, width).
static size_t member_offset(int e, int B, int width) {
  return (size_t)e * (size_t)B * (size_t)width;
}

// out (B, out) = member e of in (B, in); its activations go to the tape's slot `slot`.
static void member_forward(Real* out, MlpTape* tape, const Mlp* mlp, const Real* params, int e,
                           int slot, const Real* in, int B) {
  for (int l = 0; l < mlp->layers; l++) {
    size_t offset = member_offset(slot, B, mlp->width[l + 1]);
    bool last = l + 1 == mlp->layers;
    Real* layer_out = last ? out : tape->hidden[l] + offset;
    Real* slope = !last && tape->slope[l] ? tape->slope[l] + offset : NULL;
    layer_forward(layer_out, slope, mlp, params, l, e, in, B);
    in = layer_out;
  }
}

void mlp_forward(MlpTape* tape, const Mlp* mlp, const Real* params, const Real* in, bool in_shared,
                 int B) {
  CHECK(B > 0 && B <= tape->max_batch, "mlp_forward: batch %d of at most %d", B, tape->max_batch);
  tape->in = in;
  tape->in_shared = in_shared;
  for (int e = 0; e < mlp->members; e++) {
    const Real* member_in = in + (in_shared ? 0 : member_offset(e, B, mlp->width[0]));
    Real* out = tape->out + member_offset(e, B, mlp->width[mlp->layers]);
    member_forward(out, tape, mlp, params, e, e, member_in, B);
  }
}

void mlp_forward_one(MlpTape* tape, const Mlp* mlp, const Real* params, int e, const Real* in,
                     int B) {
  CHECK(e >= 0 && e < mlp->members, "mlp_forward_one: member %d of %d", e, mlp->members);
  CHECK(B > 0 && B <= tape->max_batch, "mlp_forward_one: batch %d of at most %d", B,
        tape->max_batch);
  tape->in = in;
  tape->in_shared = true;
  member_forward(tape->out, tape, mlp, params, e, 0, in, B);
}

void mlp_forward_member(Real* out, MlpTape* tape, const Mlp* mlp, const Real* params, int e,
                        const Real* in, int B) {
  CHECK(e >= 0 && e < mlp->members, "mlp_forward_member: member %d of %d", e, mlp->members);
  CHECK(B >= 0 && B <= tape->max_batch, "mlp_forward_member: batch %d of at most %d", B,
        tape->max_batch);
  for (int l = 0; l < mlp->layers && B > 0; l++) {
    Real* layer_out = l + 1 == mlp->layers ? out : tape->hidden[l];
    layer_forward(layer_out, NULL, mlp, params, l, e, in, B);
    in = layer_out;
  }
}

// sums (n) = column sums of x (B, n).
static void column_sums(Real* restrict sums, const Real* restrict x, int B, int n) {
  memset(sums, 0, (size_t)n * sizeof *sums);
  for (int b = 0; b < B; b++) {
    for (int i = 0; i < n; i++) {
      sums[i] += x[b * n + i];
    }
  }
}

// What layer l of the member in a slot was given, (B, width[l]).
static const Real* layer_in(const MlpTape* tape, const Mlp* mlp, int l, int slot, int B) {
  if (l == 0 && tape->in_shared) {
    return tape->in;
  }
  return (l == 0 ? tape->in : tape->hidden[l - 1]) + member_offset(slot, B, mlp->width[l]);
}

// What the derivative of the activation before layer l is made of, (B, width[l]): of a swish it is
// the slope itself, else what the activation gave.
static Real* activation_factor(const MlpTape* tape, const Mlp* mlp, int l, int slot, int B) {
  Real* factor = mlp->activation == ACTIVATION_SWISH ? tape->slope[l - 1] : tape->hidden[l - 1];
  return factor + member_offset(slot, B, mlp->width[l]);
}

// d_before (B, width[l]) = gradient with respect to layer l - 1 before its activation, of which the
// column sums are the gradient of its biases. It may take the place of the activation's factor,
// which is in the cache by then.
static void hidden_backward(Real* d_before, Real* d_biases, const Mlp* mlp, const Real* params,
                            int l, int e, const Real* factor, const Real* d_after, int B) {
  int in_width = mlp->width[l];
  int out_width = mlp->width[l + 1];
  GemmEpilogue epilogue = {.precision = layer_precision(mlp, l),
                           .finish = backward_finish(mlp->activation),
                           .factor = factor,
                           .column_sums = d_biases,
                           .team = mlp->team};
  gemm_nt_then(&epilogue, d_before, in_width, d_after, out_width, params + mlp_weights(mlp, l, e),
               out_width, B, in_width, out_width);
}

// d_weights (in, out) = gradient of layer l's weights.
static void weights_backward(Real* d_weights, const Mlp* mlp, int l, const Real* in,
                             const Real* d_after, int B) {
  int in_width = mlp->width[l];
  int out_width = mlp->width[l + 1];
  GemmEpilogue epilogue = {.precision = layer_precision(mlp, l), .team = mlp->team};
  gemm_tn_then(&epilogue, d_weights, out_width, in, in_width, d_after, out_width, in_width,
               out_width, B);
}

// Begins at the end: d_out (B, out), and the gradient of the last biases.
static void begin_backward(Real* d_biases, MlpTape* tape, const Mlp* mlp, const Real* d_out,
                           int B) {
  CHECK(tape->chosen, "mlp_backward: tape without backward buffers");
  tape->d_after = d_out;
  column_sums(d_biases, d_out, B, mlp->width[mlp->layers]);
}

// Layer l of member e, whose activations are in a slot: the gradient of its weights, and of the
// biases of the layer before.
static void layer_backward(Real* d_weights, Real* d_biases_before, MlpTape* tape, const Mlp* mlp,
                           const Real* params, int l, int e, int slot, int B) {
  weights_backward(d_weights, mlp, l, layer_in(tape, mlp, l, slot, B), tape->d_after, B);
  if (l > 0) {
    Real* factor = activation_factor(tape, mlp, l, slot, B);
    Real* d_before = mlp->width[l + 1] <= GEMM_IN_PLACE ? factor : tape->rows[l % 2];
    hidden_backward(d_before, d_biases_before, mlp, params, l, e, factor, tape->d_after, B);
    tape->d_after = d_before;
  }
}

static void member_backward(Real* d_params, MlpTape* tape, const Mlp* mlp, const Real* params,
                            int e, const Real* d_out, int B) {
  int last = mlp->layers - 1;
  begin_backward(d_params + mlp_biases(mlp, last, e), tape, mlp, d_out, B);
  for (int l = last; l >= 0; l--) {
    Real* d_biases_before = l > 0 ? d_params + mlp_biases(mlp, l - 1, e) : NULL;
    layer_backward(d_params + mlp_weights(mlp, l, e), d_biases_before, tape, mlp, params, l, e, e,
                   B);
  }
}

void mlp_backward(Real* d_params, MlpTape* tape, const Mlp* mlp, const Real* params,
                  const Real* d_out, int B) {
  for (int e = 0; e < mlp->members; e++) {
    const Real* d_member = d_out + member_offset(e, B, mlp->width[mlp->layers]);
    member_backward(d_params, tape, mlp, params, e, d_member, B);
  }
}

// rows (count, width) = the chosen ones of x.
static void gather(Real* rows, const Real* x, const int32_t* chosen, int count, int width) {
  for (int i = 0; i < count; i++) {
    memcpy(rows + (size_t)i * (size_t)width, x + (size_t)chosen[i] * (size_t)width,
           (size_t)width * sizeof *rows);
  }
}

// The chosen rows through member e; d_in gets them back at their places.
static void chosen_rows_backward(Real* d_in, int in_first, int in_count, MlpTape* tape,
                                 const Mlp* mlp, const Real* params, int e, const Real* d_out,
                                 int count, int B) {
  int last = mlp->layers - 1;
  const Real* d_after = tape->rows[(last + 1) % 2];
  gather(tape->rows[(last + 1) % 2], d_out, tape->chosen, count, mlp->width[last + 1]);
  for (int l = last; l > 0; l--) {
    Real* d_before = tape->rows[l % 2];
    gather(d_before, activation_factor(tape, mlp, l, e, B), tape->chosen, count, mlp->width[l]);
    hidden_backward(d_before, NULL, mlp, params, l, e, d_before, d_after, count);
    d_after = d_before;
  }
  int hidden = mlp->width[1];
  Real* rows = tape->rows[0];
  gemm_nt(rows, in_count, d_after, hidden,
          params + mlp_weights(mlp, 0, e) + (ptrdiff_t)in_first * hidden, hidden, count, in_count,
          hidden);
  for (int i = 0; i < count; i++) {
    memcpy(d_in + (size_t)tape->chosen[i] * (size_t)in_count, rows + (size_t)i * (size_t)in_count,
           (size_t)in_count * sizeof *d_in);
  }
}

void mlp_backward_by_row(Real* d_in, int in_first, int in_count, MlpTape* tape, const Mlp* mlp,
                         const Real* params, const int32_t* member, const Real* d_out, int B) {
  CHECK(in_first >= 0 && in_count > 0 && in_first + in_count <= mlp->width[0],
        "mlp_backward_by_row: columns %d + %d of %d", in_first, in_count, mlp->width[0]);
  CHECK(tape->chosen, "mlp_backward_by_row: tape without backward buffers");
  for (int e = 0; e < mlp->members; e++) {
    int count = 0;
    for (int b = 0; b < B; b++) {
      tape->chosen[count] = b;
      count += member[b] == e;
    }
    if (count > 0) {
      chosen_rows_backward(d_in, in_first, in_count, tape, mlp, params, e, d_out, count, B);
    }
  }
}

void mlp_backward_begin(MlpTape* tape, const Mlp* mlp, const Real* d_out, int B) {
  begin_backward(tape->d_biases[(mlp->layers - 1) % 2], tape, mlp, d_out, B);
}

MlpGradient mlp_backward_layer(MlpTape* tape, const Mlp* mlp, const Real* params, int e, int l,
                               int B) {
  layer_backward(tape->d_weights, tape->d_biases[(l + 1) % 2], tape, mlp, params, l, e, 0, B);
  return (MlpGradient){.weights = tape->d_weights, .biases = tape->d_biases[l % 2]};
}
