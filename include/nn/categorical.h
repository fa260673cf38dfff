// categorical.h - head of the hyper-controller: a softmax over a few choices.
#ifndef NN_CATEGORICAL_H
#define NN_CATEGORICAL_H

#include "base/real.h"

#define CATEGORICAL_MAX 8

// logp (B, K) = log softmax(logits (B, K)).
void categorical_logp(Real* logp, const Real* logits, int B, int K);

// logp (K) := the same distribution, given that the choice is one of `allowed` (bit k: choice k;
// at least one). The others get -inf.
void categorical_restrict(Real* logp, unsigned allowed, int K);

// The choice that `uniform` in [0, 1) selects from exp(logp (K)).
int categorical_choose(const Real* logp, int K, double uniform);

// d_logits (K) += scale * gradient of logp[choice].
void categorical_logp_backward(Real* d_logits, const Real* logp, int choice, double scale, int K);

// Entropy of exp(logp (K)).
double categorical_entropy(const Real* logp, int K);

#endif  // NN_CATEGORICAL_H
