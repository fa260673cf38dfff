// sac_floor - a SAC update without anything but its matrix products and Adam, through OpenBLAS or
// (-DONEDNN) oneDNN: what a trainer built on that library can reach at most.
//
// cc -O3 -march=native -ffast-math sac_floor.c -lopenblas -lm
// cc -O3 -march=native -ffast-math -DONEDNN sac_floor.c -ldnnl -lm
// usage: sac_floor OBS ACT HIDDEN BATCH REPEATS SECONDS; prints one line of JSON.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef ONEDNN
#include <dnnl.h>
#define LIBRARY "oneDNN"
#else
#include <cblas.h>
#define LIBRARY "OpenBLAS"
#endif

#define LAYERS 3
#define REPEATS 1000

typedef struct {
  int width[LAYERS + 1];
  float* weights[LAYERS];
  float* d_weights[LAYERS];
} Net;

static int O, A, H, B;
static Net policy, critics[2], targets[2];
static float *in, *act[3][LAYERS], *d_act[2];
static long parameters, averaged;
static float* adam[5];  // parameters, gradient, two moments, average

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float* numbers(long count) {
  float* x = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
  for (long i = 0; i < count; i++) {
    x[i] = (float)(i * 7919 % 1000) * 1e-4f - 0.05f;
  }
  return x;
}

// C (m, n) = A B, with A or B transposed as asked; row-major and dense.
static void multiply(bool ta, bool tb, int m, int n, int k, const float* x, const float* y,
                     float* z) {
#ifdef ONEDNN
  dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, x, ta ? m : k, y, tb ? k : n, 0, z, n);
#else
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
              k, 1, x, ta ? m : k, y, tb ? k : n, 0, z, n);
#endif
}

static Net net_make(int inputs, int outputs) {
  Net net = {.width = {inputs, H, H, outputs}};
  for (int l = 0; l < LAYERS; l++) {
    net.weights[l] = numbers((long)net.width[l] * net.width[l + 1]);
    net.d_weights[l] = numbers((long)net.width[l] * net.width[l + 1]);
  }
  return net;
}

static long size_of(const Net* net) {
  long size = 0;
  for (int l = 0; l < LAYERS; l++) {
    size += (long)(net->width[l] + 1) * net->width[l + 1];
  }
  return size;
}

static void forward(const Net* net, float** a) {
  for (int l = 0; l < LAYERS; l++) {
    multiply(false, false, B, net->width[l + 1], net->width[l], l ? a[l - 1] : in, net->weights[l],
             a[l]);
  }
}

// in_columns: of the input's gradient that are wanted.
static void backward(const Net* net, float** a, bool weights, int in_columns) {
  const float* d_out = a[LAYERS - 1];
  for (int l = LAYERS - 1; l >= 0; l--) {
    int columns = l > 0 ? net->width[l] : in_columns;
    if (weights) {
      multiply(true, false, net->width[l], net->width[l + 1], B, l ? a[l - 1] : in, d_out,
               net->d_weights[l]);
    }
    if (columns > 0) {
      multiply(false, true, B, columns, net->width[l + 1], d_out, net->weights[l], d_act[l % 2]);
    }
    d_out = d_act[l % 2];
  }
}

static void step(void) {
  float *restrict w = adam[0], *restrict g = adam[1], *restrict m = adam[2];
  float *restrict v = adam[3], *restrict average = adam[4];
  for (long p = 0; p < parameters; p++) {
    m[p] = 0.9f * m[p] + 0.1f * g[p];
    v[p] = 0.999f * v[p] + 0.001f * g[p] * g[p];
    w[p] -= 3e-4f * m[p] / (sqrtf(v[p]) + 1e-8f);
  }
  for (long p = parameters - averaged; p < parameters; p++) {
    average[p] += 0.005f * (w[p] - average[p]);
  }
}

static void update(void) {
  forward(&policy, act[0]);
  for (int c = 0; c < 2; c++) {
    forward(&targets[c], act[1 + c]);
  }
  for (int c = 0; c < 2; c++) {
    forward(&critics[c], act[1 + c]);
    backward(&critics[c], act[1 + c], true, 0);
  }
  forward(&policy, act[0]);
  for (int c = 0; c < 2; c++) {
    forward(&critics[c], act[1 + c]);
    backward(&critics[c], act[1 + c], false, A);
  }
  backward(&policy, act[0], true, 0);
  step();
}

static int compare(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int count, char** values) {
  if (count != 7) {
    fputs("usage: sac_floor OBS ACT HIDDEN BATCH REPEATS SECONDS\n", stderr);
    return 2;
  }
  O = atoi(values[1]), A = atoi(values[2]), H = atoi(values[3]), B = atoi(values[4]);
  int repeats = atoi(values[5]);
  double length = atof(values[6]), rate[REPEATS];
  policy = net_make(O, 2 * A);
  for (int c = 0; c < 2; c++) {
    critics[c] = net_make(O + A, 1);
    targets[c] = net_make(O + A, 1);
  }
  long widest = H > O + A ? H : O + A;
  in = numbers(B * widest);
  for (int i = 0; i < 3 * LAYERS; i++) {
    act[i / LAYERS][i % LAYERS] = numbers(B * widest);
  }
  d_act[0] = numbers(B * widest);
  d_act[1] = numbers(B * widest);
  averaged = 2 * size_of(&critics[0]);
  parameters = size_of(&policy) + averaged;
  for (int i = 0; i < 5; i++) {
    adam[i] = numbers(parameters);
  }
  for (long p = 0; p < parameters; p++) {
    adam[3][p] = fabsf(adam[3][p]);
  }
  for (int i = 0; i < 10; i++) {
    update();
  }
  repeats = repeats < REPEATS ? repeats : REPEATS;
  for (int r = 0; r < repeats; r++) {
    int calls = 0;
    double start = seconds();
    while (calls == 0 || seconds() - start < length) {
      update();
      calls++;
    }
    rate[r] = calls / (seconds() - start);
  }
  qsort(rate, (size_t)repeats, sizeof *rate, compare);
  double median = (rate[(repeats - 1) / 2] + rate[repeats / 2]) / 2;
  printf("{\"peer\": \"products and Adam alone, " LIBRARY "\", \"precision\": \"float32\", "
         "\"value\": %.6g, \"spread\": %.3g, \"repeats\": %d}\n",
         median, (rate[repeats - 1] - rate[0]) / median, repeats);
  return 0;
}
