// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A text as the arrays that a graph of a language model takes.
#pragma once

#include "passes/model/CalibrationArrays.h"

namespace halftone {

/// An array with memory of its own.
struct OwnedArray {
  std::string name;
  io::NpyType type;
  std::vector<uint64_t> shape;
  std::vector<std::byte> elements;
};

/// Windows of the text, each of `length` tokens, as an array for each input of `model`: token ids, and what goes with
/// them, a mask of ones, positions, types of tokens, a past of no tokens. What an input is, its name, rank and type
/// say. Fails, naming it, when one is none of these, when the text has no whole window, and as the tokenizer's file
/// does.
Expected<std::vector<OwnedArray>> textArrays(const ArrayOptions &options, const onnx::Model &model);

} // namespace halftone
