#include "nn/categorical.h"

#include <math.h>

// out (K) = log softmax(in (K)); in may be out.
static void normalise(Real* out, const Real* in, int K) {
  Real largest = in[0];
  for (int k = 1; k < K; k++) {
    largest = in[k] > largest ? in[k] : largest;
  }
  double sum = 0;
  for (int k = 0; k < K; k++) {
    sum += exp((double)(in[k] - largest));
  }
  Real normaliser = largest + (Real)log(sum);
  for (int k = 0; k < K; k++) {
    out[k] = in[k] - normaliser;
  }
}

void categorical_logp(Real* logp, const Real* logits, int B, int K) {
  for (int b = 0; b < B; b++) {
    normalise(logp + b * K, logits + b * K, K);
  }
}

void categorical_restrict(Real* logp, unsigned allowed, int K) {
  if (allowed == (1u << K) - 1) {
    return;  // to the bit
  }
  for (int k = 0; k < K; k++) {
    logp[k] = allowed >> k & 1 ? logp[k] : (Real)-INFINITY;
  }
  normalise(logp, logp, K);
}

int categorical_choose(const Real* logp, int K, double uniform) {
  double cumulative = 0;
  int possible = 0;  // rounding may leave `uniform` above the sum: then the last that can be
  for (int k = 0; k < K; k++) {
    double probability = exp((double)logp[k]);
    cumulative += probability;
    if (uniform < cumulative) {
      return k;
    }
    possible = probability > 0 ? k : possible;
  }
  return possible;
}

void categorical_logp_backward(Real* d_logits, const Real* logp, int choice, double scale, int K) {
  for (int k = 0; k < K; k++) {
    d_logits[k] += (Real)(scale * ((double)(k == choice) - exp((double)logp[k])));
  }
}

double categorical_entropy(const Real* logp, int K) {
  double entropy = 0;
  for (int k = 0; k < K; k++) {
    double probability = exp((double)logp[k]);
    entropy -= probability > 0 ? probability * (double)logp[k] : 0;
  }
  return entropy;
}
