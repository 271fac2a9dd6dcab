// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A table of what inputs may be.
#include "passes/model/CalibrationText.h"

#include "lib/calibrate/Samples.h"
#include "passes/Inputs.h"

#include "llvm/Support/GlobPattern.h"

#include <algorithm>
#include <cstring>

namespace halftone {

/// What an input holds.
enum class Fill : uint8_t { Tokens, Ones, Positions, Zeros };

namespace {
struct Role {
  /// A glob; and the input's dimensions.
  const char *name;
  size_t rank;
  Fill fill;
  /// Whether it is as long as the sequence; else sizes that the model leaves open are 0.
  bool isSequence;
};
} // namespace

static constexpr Role roles[] = {
    {"*input_ids", 2, Fill::Tokens, true},
    {"*attention_mask", 2, Fill::Ones, true},
    {"*position_ids", 2, Fill::Positions, true},
    {"*token_type_ids", 2, Fill::Zeros, true},
    {"past*", 4, Fill::Zeros, false},
    {"*use_cache*", 1, Fill::Zeros, false},
};

static bool isInteger(onnx::ElementType type) {
  return type == onnx::ElementType::int64 || type == onnx::ElementType::int32;
}

static bool matches(const Role &role, const onnx::ValueInfo &input) {
  llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(role.name);
  if (!glob) {
    llvm::consumeError(glob.takeError());
    return false;
  }
  return input.shape && input.shape->size() == role.rank && glob->match(input.name) &&
         (!role.isSequence || isInteger(input.type));
}

/// The role of an input; of the only integers of two dimensions, whatever they are called, that of tokens.
static const Role *roleOf(const onnx::ValueInfo &input, const onnx::Model &model) {
  const auto *found = std::ranges::find_if(roles, [&](const Role &role) { return matches(role, input); });
  if (found != std::end(roles))
    return found;
  const auto isMatrix = [](const onnx::ValueInfo &other) {
    return isInteger(other.type) && other.shape && other.shape->size() == 2;
  };
  return isMatrix(input) && std::ranges::count_if(model.graph.inputs, isMatrix) == 1 ? &roles[0] : nullptr;
}

/// The size of a dimension that the model fixes.
static std::optional<int64_t> fixedSize(const onnx::ValueInfo &input, size_t dimension) {
  const auto *size = std::get_if<int64_t>(&(*input.shape)[dimension]);
  return size && *size >= 0 ? std::optional(*size) : std::nullopt;
}

static void store(int64_t number, onnx::ElementType type, std::byte *to) {
  if (type == onnx::ElementType::int64) {
    std::memcpy(to, &number, sizeof number);
    return;
  }
  const auto narrow = static_cast<int32_t>(number);
  std::memcpy(to, &narrow, sizeof narrow);
}

static OwnedArray fill(const onnx::ValueInfo &input, const Role &role, io::NpyType type,
                       const std::vector<std::vector<int64_t>> &windows) {
  const auto length = static_cast<int64_t>(windows.front().size());
  OwnedArray array{input.name, type, {windows.size()}, {}};
  uint64_t elements = windows.size();
  for (size_t dimension = 1; dimension < role.rank; ++dimension) {
    const int64_t size = role.isSequence ? length : fixedSize(input, dimension).value_or(0);
    array.shape.push_back(static_cast<uint64_t>(size));
    elements *= static_cast<uint64_t>(size);
  }
  const size_t bytes = onnx::byteSize(input.type, std::array{int64_t(1)}).value_or(0);
  array.elements.resize(elements * bytes);
  for (size_t i = 0; i < elements && role.fill != Fill::Zeros; ++i) {
    const size_t place = i % windows.front().size();
    const int64_t number = role.fill == Fill::Tokens ? windows[i / windows.front().size()][place]
                           : role.fill == Fill::Ones ? 1
                                                     : static_cast<int64_t>(place);
    store(number, input.type, array.elements.data() + i * bytes);
  }
  return array;
}

/// The length of windows: what the user asked for, or a model wants, or 256.
static Expected<int64_t> lengthOf(const ArrayOptions &options, const onnx::Model &model) {
  std::optional<int64_t> fixed;
  for (const onnx::ValueInfo &input : model.graph.inputs)
    if (const Role *role = roleOf(input, model); role && role->fill == Fill::Tokens)
      fixed = fixedSize(input, 1);
  if (fixed && options.length != 0 && *fixed != options.length)
    return Error{"--length: the model takes sequences of " + std::to_string(*fixed) + " tokens, not of " +
                 std::to_string(options.length)};
  return options.length != 0 ? options.length : fixed.value_or(256);
}

static Expected<std::vector<std::vector<int64_t>>> windowsOf(const ArrayOptions &options, int64_t length) {
  const Expected<TokenizerFile> tokenizer = TokenizerFile::open(options.tokenizer);
  if (!tokenizer)
    return tokenizer.error();
  const calibrate::SampleOptions wanted{.length = length};
  Expected<calibrate::Samples> samples =
      calibrate::readTextSamples(options.path, wanted, *tokenizer->tokenizer, INT64_MAX);
  if (!samples)
    return samples.error();
  std::vector<std::vector<int64_t>> windows = std::move(samples->sequences);
  std::erase_if(windows, [&](const auto &window) { return static_cast<int64_t>(window.size()) != length; });
  if (windows.empty())
    return Error{options.path + ": has no window of " + std::to_string(length) +
                 " tokens; --length=N takes shorter ones"};
  return windows;
}

Expected<std::vector<OwnedArray>> textArrays(const ArrayOptions &options, const onnx::Model &model) {
  const Expected<int64_t> length = lengthOf(options, model);
  if (!length)
    return length.error();
  const Expected<std::vector<std::vector<int64_t>>> windows = windowsOf(options, *length);
  if (!windows)
    return windows.error();
  std::vector<OwnedArray> arrays;
  for (const onnx::ValueInfo &input : model.graph.inputs) {
    const Role *role = roleOf(input, model);
    const std::optional<io::NpyType> type = arrayTypeOf(input.type);
    if (!role || !type)
      return Error{model.path + ": input '" + input.name +
                   "' is none that goes with a text (token ids, a mask, "
                   "positions, types of tokens, a past); --calibrate=FILE.npz takes arrays for all inputs"};
    arrays.push_back(fill(input, *role, *type, *windows));
  }
  return arrays;
}

} // namespace halftone
