#include "nn/categorical.h"

#include <tgmath.h>

void categorical_logp(Real* logp, const Real* logits, int B, int K) {
  for (int b = 0; b < B; b++) {
    const Real* in = logits + b * K;
    Real largest = in[0];
    for (int k = 1; k < K; k++) {
      largest = in[k] > largest ? in[k] : largest;
    }
    Real sum = 0;
    for (int k = 0; k < K; k++) {
      sum += exp(in[k] - largest);
    }
    Real normaliser = largest + log(sum);
    for (int k = 0; k < K; k++) {
      logp[b * K + k] = in[k] - normaliser;
    }
  }
}

int categorical_choose(const Real* logp, int K, double uniform) {
  double cumulative = 0;
  for (int k = 0; k < K - 1; k++) {
    cumulative += exp((double)logp[k]);
    if (uniform < cumulative) {
      return k;
    }
  }
  return K - 1;
}

void categorical_logp_backward(Real* d_logits, const Real* logp, int choice, double scale, int K) {
  for (int k = 0; k < K; k++) {
    d_logits[k] += (Real)scale * ((Real)(k == choice) - exp(logp[k]));
  }
}

double categorical_entropy(const Real* logp, int K) {
  double entropy = 0;
  for (int k = 0; k < K; k++) {
    entropy -= exp((double)logp[k]) * (double)logp[k];
  }
  return entropy;
}
