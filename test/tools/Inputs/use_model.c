/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * A program with two models in it: what test_library.py compiles outside of the project and runs.
 * usage: use_model THREADS TOKEN... > LOGITS     all logits of `first`, f32, as run, as prefill + decode, and as decode alone give
 * them; then those of run of `second`. Says what it checks and finds wrong on stderr, with status 1. */
#include "first.h"
#include "second.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "line %d: %s; %s\n", __LINE__, #condition, why.message); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static struct halftone_error why;
static int64_t tokens[256], count, vocabulary;
static struct halftone_options options;

static struct halftone_session *start(const struct halftone_model *model) {
  struct halftone_session *session = NULL;
  CHECK(halftone_create(model, &options, &session, &why) == HALFTONE_OK);
  CHECK(session && halftone_length(session) == 0);
  return session;
}

/* Each call that must fail says why, with both values, and leaves the sequence as it was. */
static void checkErrors(const struct halftone_model *model) {
  struct halftone_session *session = NULL;
  struct halftone_options bad = options;
  int64_t most, token = vocabulary;
  struct halftone_properties properties;
  float *logits = malloc(sizeof(float) * vocabulary);
  CHECK(halftone_describe(model, &properties, NULL) == HALFTONE_OK);
  most = properties.context;
  CHECK(properties.info_bytes > 0 && properties.info[0] == '{' && properties.weight_bytes > 0);
  bad.context = most + 1;
  CHECK(halftone_create(model, &bad, &session, &why) == HALFTONE_BAD_ARGUMENT && !session);
  CHECK(strstr(why.message, "context") && strchr(why.message, '1'));
  bad.context = 0, bad.threads = -3;
  CHECK(halftone_create(model, &bad, &session, &why) == HALFTONE_BAD_ARGUMENT && strstr(why.message, "-3 threads"));
  bad.threads = 1, bad.context = 2;
  CHECK(halftone_create(model, &bad, &session, &why) == HALFTONE_OK);
  CHECK(halftone_decode(session, token, logits, &why) == HALFTONE_BAD_ARGUMENT && strstr(why.message, "token "));
  token = -1;
  CHECK(halftone_decode(session, token, logits, NULL) == HALFTONE_BAD_ARGUMENT);
  CHECK(halftone_prefill(session, tokens, -1, &why) == HALFTONE_BAD_ARGUMENT);
  CHECK(halftone_prefill(session, tokens, 3, &why) == HALFTONE_FULL && strstr(why.message, "context of 2"));
  CHECK(halftone_length(session) == 0);
  CHECK(halftone_prefill(session, tokens, 2, &why) == HALFTONE_OK && halftone_length(session) == 2);
  CHECK(halftone_decode(session, 0, logits, &why) == HALFTONE_FULL);
  CHECK(halftone_rewind(session, 3, &why) == HALFTONE_BAD_ARGUMENT && halftone_length(session) == 2);
  CHECK(halftone_rewind(session, 1, &why) == HALFTONE_OK && halftone_length(session) == 1);
  halftone_free(session);
  halftone_free(NULL);
  free(logits);
}

struct Run {
  const struct halftone_model *model;
  float *logits;
};

static void *runAll(void *argument) {
  struct Run *run = argument;
  struct halftone_session *session = start(run->model);
  CHECK(halftone_run(session, tokens, count, run->logits, &why) == HALFTONE_OK && halftone_length(session) == count);
  halftone_free(session);
  return NULL;
}

int main(int argc, char **argv) {
  struct halftone_properties properties;
  options.threads = atoi(argv[1]);
  for (count = 0; count < argc - 2; ++count)
    tokens[count] = atoi(argv[2 + count]);
  CHECK(halftone_describe(&first, &properties, &why) == HALFTONE_OK);
  vocabulary = properties.vocabulary;
  checkErrors(&first);

  const size_t all = count * vocabulary;
  float *logits = calloc(4 * all, sizeof(float));
  struct halftone_session *session = start(&first);
  CHECK(halftone_prefill(session, tokens, count - 1, &why) == HALFTONE_OK);
  CHECK(halftone_decode(session, tokens[count - 1], logits + 2 * all - vocabulary, &why) == HALFTONE_OK);
  CHECK(halftone_rewind(session, 0, &why) == HALFTONE_OK);
  for (int64_t i = 0; i < count; ++i)
    CHECK(halftone_decode(session, tokens[i], logits + 2 * all + i * vocabulary, &why) == HALFTONE_OK);
  halftone_free(session);

  /* Two models at once, on threads of their own. */
  struct Run runs[2] = {{&first, logits}, {&second, logits + 3 * all}};
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    CHECK(pthread_create(&threads[i], NULL, runAll, &runs[i]) == 0);
  for (int i = 0; i < 2; ++i)
    CHECK(pthread_join(threads[i], NULL) == 0);
  fwrite(logits, sizeof(float), 4 * all, stdout);
  free(logits);
  return 0;
}
