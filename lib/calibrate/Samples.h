// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a model is calibrated on: sequences of tokens, from a text or from an array of token ids.
#pragma once

#include "lib/io/Result.h"
#include "lib/tokenizer/Tokenizer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::calibrate {

struct SampleOptions {
  /// Most sequences; 0 takes all.
  int64_t samples = 0;
  /// Most tokens of a sequence, the one that begins a text included; at least 2. A model's context must hold as many.
  int64_t length = 0;
  /// Decides which sequences are taken when there are more than `samples`.
  uint64_t seed = 0;
  /// What stands between the documents of a text, each of which is one sequence, cut off. Empty, or not in the text:
  /// the text is one, and is cut into windows. Arrays do not use it.
  std::string separator = {};
};

/// The sequences that were taken, in the order of their source. None is empty.
struct Samples {
  std::vector<std::vector<int64_t>> sequences;
  /// How many sequences there were to choose from.
  int64_t available = 0;

  /// Of all sequences together.
  int64_t tokens() const;
  /// SHA-256 over lengths and ids: two sets of samples calibrate alike when it is the same, wherever they came from.
  std::string fingerprint() const;
};

/// Fails when sequences would be too short to calibrate on.
Status checkLength(const SampleOptions &options);

/// Takes samples from a text as `halftone eval` cuts it (lib/evaluate/Sequences.h), so that a model is calibrated on
/// what it is measured on. Fails, with the reason alone, when the text is empty or has no token, and when it has a
/// token at or beyond `vocabulary`, the number of the model's tokens.
Expected<Samples> sampleText(std::string_view text, const SampleOptions &options, const tokenizer::Tokenizer &tokenizer,
                             int64_t vocabulary);

/// The same of the text file `path`, with which errors begin.
Expected<Samples> readTextSamples(const std::string &path, const SampleOptions &options,
                                  const tokenizer::Tokenizer &tokenizer, int64_t vocabulary);

/// Takes samples from an array of token ids, integers [sequences, tokens], each row cut off after `length`: the .npy
/// file `path`, or one of an .npz file (recognised by its content).
/// \param array the name of the array in an .npz file; may be empty when it holds one only.
Expected<Samples> readTokenSamples(const std::string &path, const std::string &array, const SampleOptions &options,
                                   int64_t vocabulary);

} // namespace halftone::calibrate
