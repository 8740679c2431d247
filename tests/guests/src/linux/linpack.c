// Floating point: a dense system of linear equations by elimination with pivots, in double precision. A number after the name is how
// many unknowns there are, and one more how often it is solved. It prints the bits of what it finds.
#include "suite.h"
#include <math.h>

static uint64_t bits_of(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

static void fill(int n, double *a, double *b, uint32_t seed) {
  for (int i = 0; i < n; i++) b[i] = 0;
  for (int i = 0; i < n * n; i++) {
    seed = seed * 1664525 + 1013904223;
    a[i] = (double)(int32_t)seed / 2147483648.0;
    b[i / n] += a[i];
  }
}

static void eliminate(int n, double *restrict a, double *restrict b) {
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
    for (int j = k; j < n && pivot != k; j++) {
      const double kept = a[k * n + j];
      a[k * n + j] = a[pivot * n + j];
      a[pivot * n + j] = kept;
    }
    const double kept = b[k];
    b[k] = b[pivot];
    b[pivot] = kept;
    for (int i = k + 1; i < n; i++) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (int j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++) b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
}

int linpack(int argc, char **argv) {
  const int given = argc > 1 ? atoi(argv[1]) : 0, times = argc > 2 ? atoi(argv[2]) : 0;
  const int n = given > 0 ? given : 40;
  double *a = malloc(sizeof *a * n * n), *b = malloc(sizeof *b * n);
  CHECK(a && b);
  for (int time = 0; time < (times > 0 ? times : 1); time++) {
    fill(n, a, b, 1 + time);
    eliminate(n, a, b);
    // Every unknown is 1.
    double worst = 0, sum = 0;
    for (int i = 0; i < n; i++) {
      worst = fmax(worst, fabs(b[i] - 1));
      sum += b[i];
    }
    CHECK(worst < 1e-6);
    printf("linpack %d: sum %016lx, error %016lx\n", n, bits_of(sum), bits_of(worst));
  }
  free(a), free(b);
  return 0;
}
