/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The program of an emulated processor: maps the memory that it is told of where the test has it, and calls a function.
 */
/* usage: caller DESCRIPTOR, of the file that memory lies in */
#define _GNU_SOURCE
#include "test/kernels/Request.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef void (*Function)(const void *, void *, void *, int64_t, int64_t, void *, int64_t, int64_t, int64_t, int64_t,
                         int64_t, int64_t);

struct Member {
  pthread_t thread;
  const struct Request *request;
  pthread_barrier_t *team;
  int64_t number;
};

/* What model.h asks of the host of a model. */
void halftone_barrier(void *team, int64_t thread, int64_t threads) { pthread_barrier_wait(team); }

static void *run(void *argument) {
  const struct Member *member = argument;
  const struct Request *r = member->request;
  ((Function)r->function)((void *)r->weights, (void *)r->cache, member->team, member->number, r->threads,
                          (void *)r->arena, r->own[0], r->own[1], r->own[2], r->own[3], r->own[4], r->own[5]);
  return NULL;
}

static void runTeam(const struct Request *request) {
  struct Member members[request->threads];
  pthread_barrier_t team;
  pthread_barrier_init(&team, NULL, request->threads);
  for (int64_t i = 0; i < request->threads; ++i)
    members[i] = (struct Member){.request = request, .team = &team, .number = i};
  for (int64_t i = 1; i < request->threads; ++i)
    if (pthread_create(&members[i].thread, NULL, run, &members[i]))
      abort();
  run(&members[0]);
  for (int64_t i = 1; i < request->threads; ++i)
    pthread_join(members[i].thread, NULL);
  pthread_barrier_destroy(&team);
}

int main(int count, char **arguments) {
  const int file = atoi(arguments[1]);
  struct Request request;
  while (fread(&request, sizeof(request), 1, stdin) == 1) {
    struct Mapping *mappings = malloc((request.mappings + 1) * sizeof(*mappings));
    if (fread(mappings, sizeof(*mappings), request.mappings, stdin) != request.mappings)
      return 1;
    for (uint64_t i = 0; i < request.mappings; ++i)
      if (mmap((void *)mappings[i].address, mappings[i].bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
               mappings[i].offset) != (void *)mappings[i].address)
        return 1;
    runTeam(&request);
    for (uint64_t i = 0; i < request.mappings; ++i)
      munmap((void *)mappings[i].address, mappings[i].bytes);
    free(mappings);
    putchar('.');
    fflush(stdout);
  }
  return 0;
}
