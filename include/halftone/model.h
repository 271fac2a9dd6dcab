/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * What code generation makes of a model: its phases as functions and its facts as data. The runtime uses nothing else.
 */
#ifndef HALFTONE_MODEL_H
#define HALFTONE_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HALFTONE_MODEL_ABI 3

/* Facts of the model in this object file. Offsets count from the first byte of the weight segment. */
struct halftone_facts {
  int64_t abi;             /* HALFTONE_MODEL_ABI */
  int64_t vocabulary;      /* logits per token */
  int64_t context;         /* most tokens a sequence may have: prompt and continuation together */
  int64_t chunk;           /* most tokens of one call of prefill or score */
  int64_t token_step;      /* their number is a multiple of this, which divides chunk: pad with token 0 */
  int64_t arena_bytes;     /* scratch memory of a call, 64-byte aligned, shared by the threads of a team */
  int64_t cache_positions; /* the cache grows in steps of this many positions ... */
  int64_t
      cache_bytes; /* ... of this many bytes each, 64-byte aligned; allocate at least context + token_step positions */
  int64_t parameters;         /* weights of the source model, tied ones counted once */
  int64_t weight_bytes;       /* packed weights: what a model of this format occupies */
  int64_t decode_bytes;       /* weight bytes that one call of decode reads */
  int64_t prefill_operations; /* multiplications and additions with weights for one token of prefill */
  int64_t segment_bytes;      /* the whole weight segment: weights, tokenizer, info */
  int64_t tokenizer_offset;   /* the tokenizer's file, as it was given; tokenizer_bytes is 0 when the model has none */
  int64_t tokenizer_bytes;
  int64_t info_offset; /* UTF-8 JSON: what the model was compiled from and how */
  int64_t info_bytes;
};

extern const struct halftone_facts halftone_facts;

/* One thread's share of a call. All threads of a team call the same function with the same arguments but `thread`
 * (0 <= thread < threads); the function waits for the others through halftone_barrier. Results do not depend on
 * `threads`. weights  the weight segment, 64-byte aligned     arena, cache  memory of the sizes in halftone_facts
 *   tokens   `count` token ids, each in [0, vocabulary)
 *   count    1 (decode) or a multiple of token_step up to chunk (prefill, score)
 *   logits   decode: [vocabulary], score: [count, vocabulary] f32, written; prefill: not touched
 *   past     positions already in the cache; this call appends its tokens after them
 *   team     handed through to halftone_barrier */
typedef void halftone_phase(const void *weights, void *arena, void *cache, const int64_t *tokens, int64_t count,
                            float *logits, int64_t past, void *team, int64_t thread, int64_t threads);

/* Measures an instruction that the phases multiply with: the limit of their arithmetic. A null name ends a list. */
struct halftone_probe {
  const char *instruction;
  int64_t operations; /* multiplications and additions of an iteration */
  /* One thread's share: `memory` is HALFTONE_PROBE_BYTES of zeros of its own, 64-byte aligned. */
  void (*run)(void *memory, int64_t iterations);
};

#define HALFTONE_PROBE_BYTES 16384

/* The phases as compiled for one kind of processor. All kinds compute the same and share weights, arena and cache. */
struct halftone_variant {
  const char *features;    /* what the processor must have, by LLVM's names: "+avx2,+fma"; null ends the table */
  halftone_phase *decode;  /* one token, its logits */
  halftone_phase *prefill; /* up to a chunk of tokens into the cache, no logits */
  halftone_phase *score;   /* up to a chunk of tokens, the logits of each */
  const struct halftone_probe *probes;
};

/* One entry for each target, best first: the first whose features are there is to be used. */
extern const struct halftone_variant halftone_variants[];

/* The whole of a model, for a program that has several: what --emit=lib and --emit=obj name (halftone/session.h). */
struct halftone_model {
  const struct halftone_facts *facts;
  const struct halftone_variant *variants;
  const void *weights; /* the weight segment */
};

/* Given by whoever runs the model: returns once all `threads` threads of `team` have called it. `site` is the number of
 * the kernel that ends here, an index of the info's "kernels"; -1: none. */
void halftone_barrier(void *team, int64_t threads, int64_t site);

#ifdef __cplusplus
}
#endif
#endif
