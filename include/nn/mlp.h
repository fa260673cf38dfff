// mlp.h - E fully connected networks of one shape, evaluated together.
//
// Serves the policy (E = 1), twin critics and their targets (E = 2), the dynamics ensemble (E = 7)
// and the controller's heads. All parameters are one flat array (P): per layer the weights
// (E, in, out), then the biases (E, out). Gradients, Adam moments and targets have the same layout.
// A layer computes act = f(x W + b); the last layer is linear.
#ifndef NN_MLP_H
#define NN_MLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/real.h"
#include "base/rng.h"
#include "nn/gemm.h"

#define MLP_MAX_LAYERS 8

typedef enum { ACTIVATION_RELU, ACTIVATION_SWISH, ACTIVATION_TANH } Activation;

typedef struct {
  int members;                          // E
  int layers;                           // weight matrices
  int width[MLP_MAX_LAYERS + 1];        // input, hidden ..., output
  Activation activation;                // of the hidden layers
  GemmPrecision precision;              // of the products between hidden layers; mlp_make says
                                        // GEMM_FLOAT32, which the first and last layer always have
  Team* team;                           // shares the products; mlp_make says NULL
  size_t weights[MLP_MAX_LAYERS];       // offset of layer l's weights (E, in, out)
  size_t biases[MLP_MAX_LAYERS];        // offset of layer l's biases (E, out)
  size_t size;                          // P, parameters in all
} Mlp;

// Everything a forward pass leaves for the backward pass of the same batch, which uses it up: each
// layer's gradient takes the place of what its activation's derivative was made of.
typedef struct {
  int max_batch;
  const Real* in;                       // as given to forward
  bool in_shared;
  Real* hidden[MLP_MAX_LAYERS];         // (E, B, width[l + 1]) after the activation
  Real* slope[MLP_MAX_LAYERS];          // (E, B, width[l + 1]) derivative of the activation
                                        // where it cannot be had from `hidden` (swish); else NULL
  Real* out;                            // (E, B, out)
  Real* rows[2];                        // (B, widest) chosen rows of one array, of the next one
  int32_t* chosen;                      // (B) which ones
  const Real* d_after;                  // gradient after the layer whose turn is next
  Real* d_weights;                      // (in, out) of one layer
  Real* d_biases[2];                    // (out) of one layer, of the next one
} MlpTape;

// The gradient of one layer of one member.
typedef struct {
  const Real* weights;  // (in, out)
  const Real* biases;   // (out)
} MlpGradient;

// `hidden_layers` layers of `hidden` units between in and out.
Mlp mlp_make(int members, int in, int hidden, int hidden_layers, int out, Activation activation);

// The same, with hidden layers of the given widths.
Mlp mlp_make_layers(int members, int in, const int* hidden, int hidden_layers, int out,
                    Activation activation);

// Where member e's weights (in, out) and biases (out) of layer l start in the array of parameters,
// and how many weights these are.
size_t mlp_weights(const Mlp* mlp, int l, int e);
size_t mlp_biases(const Mlp* mlp, int l, int e);
size_t mlp_weights_count(const Mlp* mlp, int l);

// Buffers for batches up to max_batch. `backward` = false leaves out what only backward needs.
void mlp_tape_init(MlpTape* tape, const Mlp* mlp, int max_batch, bool backward, Arena* arena);

// Bytes of these buffers.
double mlp_tape_bytes(const Mlp* mlp, int max_batch, bool backward);

// Uniform(+-sqrt(6 / (in + out))), biases 0 (Glorot and Bengio 2010; Keras default).
void mlp_init_glorot(Real* params, const Mlp* mlp, Rng* rng);

// Normal with the given deviation. Biases 0.
void mlp_init_normal(Real* params, const Mlp* mlp, double sd, Rng* rng);

// Normal with the deviation 1 / (2 sqrt(in)), cut at two deviations. Biases 0.
void mlp_init_truncated_normal(Real* params, const Mlp* mlp, Rng* rng);

// tape->out = networks(in).   in: (E, B, in), or (B, in) for all members if in_shared
void mlp_forward(MlpTape* tape, const Mlp* mlp, const Real* params, const Real* in, bool in_shared,
                 int B);

// Only member e, into rows of its own: out (B, out) = network e (in (B, in)). The tape is scratch.
void mlp_forward_member(Real* out, MlpTape* tape, const Mlp* mlp, const Real* params, int e,
                        const Real* in, int B);

// d_params (P) = gradient of a loss, given d_out (E, B, out), that with respect to tape->out.
void mlp_backward(Real* d_params, MlpTape* tape, const Mlp* mlp, const Real* params,
                  const Real* d_out, int B);

// The gradient with respect to the inputs where only one member's output counts in each row, as in
// the smaller of two critics: row b goes through member[b] alone. Leaves the tape as it is.
//   d_in (B, in_count)          out, overwritten: columns in_first ... in_first + in_count - 1
//   member, d_out               (B) and (B, out)
void mlp_backward_by_row(Real* d_in, int in_first, int in_count, MlpTape* tape, const Mlp* mlp,
                         const Real* params, const int32_t* member, const Real* d_out, int B);

// Member e alone, forward and then backward, before the next member's turn: the activations stay in
// the cache between the two. in (B, in); tape->out and d_out are (B, out) here. The numbers are
// those of mlp_forward and mlp_backward.
void mlp_forward_one(MlpTape* tape, const Mlp* mlp, const Real* params, int e, const Real* in,
                     int B);
void mlp_backward_begin(MlpTape* tape, const Mlp* mlp, const Real* d_out, int B);

// Then the gradient of each layer in turn, from the last one to the first. It is there until the
// next call; the layer's parameters are not needed any more, so that they can take their step while
// it is in the cache.
MlpGradient mlp_backward_layer(MlpTape* tape, const Mlp* mlp, const Real* params, int e, int l,
                               int B);

#endif  // NN_MLP_H
