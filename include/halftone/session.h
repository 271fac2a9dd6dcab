/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Running a model that was compiled into a library or object file (halftone compile --emit=lib, --emit=obj). Sessions share nothing:
 * different sessions may be used from different threads at once, one session from one thread at a time. */
#ifndef HALFTONE_SESSION_H
#define HALFTONE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled model: constant, the whole of it. Its header declares it. */
struct halftone_model;

/* One sequence of tokens on its way through a model: cache, scratch memory, threads. */
struct halftone_session;

/* What a call says: 0, or why it did nothing. The session stays as it was before the call. */
enum halftone_status {
  HALFTONE_OK = 0,
  HALFTONE_UNSUPPORTED = 1,  /* the processor lacks what the kernels need, or the model is of another version */
  HALFTONE_NO_RESOURCES = 2, /* memory or a thread cannot be had */
  HALFTONE_BAD_ARGUMENT = 3, /* a token that the model does not know, a number that is out of range */
  HALFTONE_FULL = 4          /* the sequence would be longer than the session's context */
};

/* The reason in words, both values in it: "token 50000 is not one of the model's 32000". Null where it is not wanted. */
struct halftone_error {
  char message[240];
};

struct halftone_options {
  int64_t context; /* most tokens of the sequence; 0: all that the model can take */
  int64_t threads; /* that share each call, the caller's among them; 0: one per processor. Results do not depend on it. */
};

struct halftone_properties {
  int64_t vocabulary;   /* logits per token; tokens are 0 .. vocabulary - 1 */
  int64_t context;      /* most tokens of a sequence */
  int64_t parameters;   /* weights of the source model */
  int64_t weight_bytes; /* what they occupy as compiled */
  const char *info;     /* UTF-8 JSON, not terminated: what the model was compiled from and how */
  int64_t info_bytes;
  const void *tokenizer; /* the tokenizer's file as it was built in; null without one */
  int64_t tokenizer_bytes;
};

/* What `model` is. */
int halftone_describe(const struct halftone_model *model, struct halftone_properties *properties,
                      struct halftone_error *error);

/* Makes an empty sequence. `options` may be null. On success *session is to be freed with halftone_free. */
int halftone_create(const struct halftone_model *model, const struct halftone_options *options,
                    struct halftone_session **session, struct halftone_error *error);

/* Appends `count` tokens. */
int halftone_prefill(struct halftone_session *session, const int64_t *tokens, int64_t count,
                     struct halftone_error *error);

/* Appends one token and writes the logits of what comes next: f32 [vocabulary]. */
int halftone_decode(struct halftone_session *session, int64_t token, float *logits, struct halftone_error *error);

/* Appends `count` tokens and writes the logits behind each: f32 [count, vocabulary]. */
int halftone_run(struct halftone_session *session, const int64_t *tokens, int64_t count, float *logits,
                 struct halftone_error *error);

/* How many tokens the sequence has. */
int64_t halftone_length(const struct halftone_session *session);

/* Forgets all tokens but the first `length`. */
int halftone_rewind(struct halftone_session *session, int64_t length, struct halftone_error *error);

/* Ends the session and its threads. Null is nothing. */
void halftone_free(struct halftone_session *session);

#ifdef __cplusplus
}
#endif
#endif
