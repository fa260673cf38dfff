// normal.h - tails and quantiles of the standard normal distribution.
//
// Everything is stated in the upper tail Q(z) = P(Z > z), because the bound asks for
// Phi^-1(1 - q) with q as small as exp(-1e4): 1 - q would round to 1. Accuracy: a few units in
// the last place of z, over the whole range of q and of log q.
#ifndef THEORY_NORMAL_H
#define THEORY_NORMAL_H

// log Q(z), for any finite z.
double normal_log_upper_tail(double z);

// The z with Q(z) = q, for q in [0, 1]: +inf at 0, -inf at 1.
double normal_upper_quantile(double q);

// The z with log Q(z) = log_q, for log_q <= 0.
double normal_upper_quantile_log(double log_q);

// Phi^-1(p), for p in [0, 1]. For p near 1 prefer normal_upper_quantile(1 - p computed exactly).
double normal_quantile(double p);

#endif  // THEORY_NORMAL_H
