// gaussian_nll.h - head of the dynamics model: a diagonal Gaussian with bounded log-variance.
//
// lv = max - softplus(max - raw), then lv = min + softplus(lv - min); max and min are learnt
// vectors shared by all members (Chua et al. 2018).
#ifndef NN_GAUSSIAN_NLL_H
#define NN_GAUSSIAN_NLL_H

#include "base/real.h"

// Mean over (B, D) of (mean - y)^2 exp(-lv) + lv, and its gradients.
//   d_head   (B, 2D)  out, overwritten
//   d_max    (D)      out, added to;   d_min (D) likewise
//   head     (B, 2D)       network output: [mean | raw log-variance]
//   target   (B, D)
double gaussian_nll(Real* d_head, Real* d_max, Real* d_min, const Real* head, const Real* target,
                    const Real* max_logvar, const Real* min_logvar, int B, int D);

// Sum over (B, D) of (mean - y)^2, in double.
double gaussian_squared_error(const Real* head, const Real* target, int B, int D);

// sample (B, D) = mean + exp(lv / 2) * noise.
void gaussian_sample(Real* sample, const Real* head, const Real* noise, const Real* max_logvar,
                     const Real* min_logvar, int B, int D);

#endif  // NN_GAUSSIAN_NLL_H
