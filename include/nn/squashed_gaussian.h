// squashed_gaussian.h - policy head of SAC: act = tanh(u), u = mean + exp(log_std) * noise.
//
// log_std is clamped to [-20, 2] and the clamp passes no gradient. The log-density uses the stable
// form log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)). Forward and backward come as a pair:
// backward is the exact pathwise gradient of the actions that were drawn. Rows are independent.
#ifndef NN_SQUASHED_GAUSSIAN_H
#define NN_SQUASHED_GAUSSIAN_H

#include "base/real.h"

#define LOG_STD_MIN ((Real)-20.0)
#define LOG_STD_MAX ((Real)2.0)

//   act    (B, A)   out  actions, each in [-1, 1]
//   logp   (B)      out  log pi(act | obs), summed over A; NULL = not wanted
//   head   (B, 2A)       network output: [mean | log_std before clamping]
//   noise  (B, A)        standard normal draws
void squashed_gaussian_forward(Real* act, Real* logp, const Real* head, const Real* noise, int B,
                               int A);

// d_head (B, 2A) = gradient of a loss, given its gradients by act and logp. Overwrites.
void squashed_gaussian_backward(Real* d_head, const Real* d_act, const Real* d_logp,
                                const Real* act, const Real* noise, const Real* head, int B, int A);

// act (B, A) = tanh(mean).
void squashed_gaussian_mean(Real* act, const Real* head, int B, int A);

// logp (B) of given actions; actions are pulled inside +-(1 - 1e-6) before atanh.
void squashed_gaussian_logp(Real* logp, const Real* head, const Real* act, int B, int A);

#endif  // NN_SQUASHED_GAUSSIAN_H
