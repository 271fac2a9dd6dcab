// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the user gave, read and checked before any work begins.
#pragma once

#include "lib/formats/Format.h"
#include "lib/io/MappedFile.h"
#include "lib/onnx/Model.h"
#include "lib/quantize/Method.h"
#include "lib/tokenizer/Tokenizer.h"
#include "passes/PipelineOptions.h"

#include <memory>
#include <optional>

namespace halftone {

/// The formats of all weights.
struct Formats {
  /// Of linears; with a budget the first candidate.
  formats::Format weights;
  formats::Format embedding, head;
  /// Names of formats to choose from under a budget, empty without.
  std::vector<std::string> candidates;
};

/// Parses the names, with the defaults of PipelineOptions. Errors start with the option.
Expected<Formats> readFormats(const PipelineOptions &options);

/// A tokenizer and the bytes of its file.
struct TokenizerFile {
  io::MappedFile file;
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;

  static Expected<TokenizerFile> open(const std::string &path);
  /// A tokenizer may name fewer tokens than the model has logits (padding), never more.
  Status checkAgainst(int64_t vocabulary) const;
};

struct Inputs {
  Formats formats;
  /// In the order in which they act; the last one quantizes.
  std::vector<const quantize::Method *> methods;
  onnx::Model model;
  std::optional<TokenizerFile> tokenizer;

  /// Reads all of them, and makes sure that the output is none of them and can be written.
  static Expected<Inputs> open(const PipelineOptions &options);
};

} // namespace halftone
