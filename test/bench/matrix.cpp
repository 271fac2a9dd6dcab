// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much of the machine's product lib/matrix reaches: OpenBLAS's own sgemm and dgemm on one thread, times the
// threads, are the peak; the Hessian and the factor of its inverse are held against it. usage: matrix_bench COLUMNS
// SAMPLES THREADS
#include "lib/matrix/Gram.h"
#include "lib/matrix/InverseFactor.h"
#include "lib/matrix/Product.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace halftone::matrix;

/// Seconds, the best of some runs.
template <class Body> static double seconds(int runs, Body body) {
  double best = 1e30;
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// Operations a second of one large product a thread.
template <class T> static double peak(int threads, int64_t size) {
  std::vector<OwnedMatrix<T>> a(threads, {size, size}), b = a, c = a;
  for (int thread = 0; thread < threads; ++thread) {
    std::ranges::fill(a[thread].memory, T(1));
    std::ranges::fill(b[thread].memory, T(1));
  }
  const double time = seconds(5, [&] {
    onThreads(threads)(threads, [&](int64_t i) { setProduct(c[i].view(), a[i].constView(), b[i].constView()); });
  });
  return 2.0 * size * size * size * threads / time;
}

static void print(const char *what, double operations, double time, double peak) {
  std::printf("%-24s %8.3f s %8.1f Gflop/s %4.0f %% of the product\n", what, time, operations / time / 1e9,
              100 * operations / time / peak);
}

int main(int argc, char **argv) {
  if (argc != 4)
    return std::fprintf(stderr, "usage: matrix_bench COLUMNS SAMPLES THREADS\n"), 2;
  const int64_t columns = std::atoll(argv[1]), samples = std::atoll(argv[2]);
  const int threads = std::atoi(argv[3]);
  const ParallelFor parallelFor = onThreads(threads);
  const double n = columns, single = peak<float>(threads, 2048), twofold = peak<double>(threads, 2048);
  std::printf("sgemm %.1f, dgemm %.1f Gflop/s on %d threads\n", single / 1e9, twofold / 1e9, threads);

  const OwnedMatrix<float> x = randomMatrix(samples, columns, 1);
  OwnedMatrix<double> hessian(columns, columns);
  print("X^T X, the triangle", n * (n + 1) * samples,
        seconds(3, [&] { addGram(x.view(), hessian.view(), parallelFor); }), single);

  double norm = 0;
  const int64_t rows = std::min<int64_t>(samples, 2048);
  print("tr(W H W^T)", n * n * rows,
        seconds(3, [&] { norm = weightedNorm(x.view().block(0, 0, rows, columns), hessian.view(), parallelFor); }),
        single);

  OwnedMatrix<double> factor(columns, columns);
  for (int64_t i = 0; i < columns; ++i)
    for (int64_t j = i; j < columns; ++j)
      factor(i, j) = hessian(j, i) + (i == j ? samples : 0);
  print("factor of the inverse", 2 * n * n * n / 3, seconds(1, [&] { invertIntoFactor(factor.view(), parallelFor); }),
        twofold);
  return norm < 0;
}
