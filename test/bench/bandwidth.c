/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The yardstick of performance.py, beside the probe in emitted binaries: how fast this machine reads `bytes` of memory again and again with some threads, each its share.
 * usage: bandwidth BYTES THREADS      prints bytes per second, the median of 9 runs of at least 0.1 s */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { runs = 9, most = 64 };
static const uint64_t *memory;
static size_t words, threads, rounds;
static pthread_barrier_t start, end;
static volatile uint64_t sink;

static void *reader(void *argument) {
  const size_t thread = (size_t)argument, first = words * thread / threads / 8 * 8, last = words * (thread + 1) / threads / 8 * 8;
  for (int run = 0; run < runs; ++run) {
    pthread_barrier_wait(&start);
    uint64_t sum[8] = {0};
    for (size_t round = 0; round < rounds; ++round)
      for (size_t i = first; i < last; i += 8) {
        __builtin_prefetch(memory + i + 512); /* 4 KiB ahead, as the kernels do */
        for (int j = 0; j < 8; ++j)
          sum[j] += memory[i + j];
      }
    for (int j = 0; j < 8; ++j)
      sink += sum[j];
    pthread_barrier_wait(&end);
  }
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

int main(int argc, char **argv) {
  if (argc != 3)
    return fprintf(stderr, "usage: bandwidth BYTES THREADS\n"), 1;
  const size_t bytes = strtoull(argv[1], NULL, 10);
  threads = strtoull(argv[2], NULL, 10);
  if (bytes < 4096 || threads < 1 || threads > most)
    return fprintf(stderr, "bandwidth: needs at least 4096 bytes and 1 to %d threads\n", most), 1;
  uint64_t *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
  words = bytes / sizeof *block;
  for (size_t i = 0; i < words; ++i)
    block[i] = i;
  memory = block;
  rounds = (size_t)(1.5e9 * threads / bytes) + 1;
  pthread_barrier_init(&start, NULL, threads + 1);
  pthread_barrier_init(&end, NULL, threads + 1);
  pthread_t team[most];
  for (size_t i = 0; i < threads; ++i)
    pthread_create(&team[i], NULL, reader, (void *)i);
  double rate[runs];
  for (int run = 0; run < runs; ++run) {
    pthread_barrier_wait(&start);
    const double begin = now();
    pthread_barrier_wait(&end);
    rate[run] = (double)bytes * rounds / (now() - begin);
  }
  for (size_t i = 0; i < threads; ++i)
    pthread_join(team[i], NULL);
  qsort(rate, runs, sizeof *rate, compare);
  printf("%.0f\n", rate[runs / 2]);
  return 0;
}
