// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What quantization made of a model: where it came from, and each tensor with its size and what it lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::report {

/// A file by its name, without folders, and the hash of its bytes in hexadecimal.
struct File {
  std::string name, sha256;
  bool operator==(const File &) const = default;
};

/// What a tensor is for. A head that is the embedding too counts as head.
enum class Role : uint8_t { Linear, Head, Embedding, Other };

/// "linear", "head", "embedding", "other".
std::string_view name(Role role);
std::optional<Role> parseRole(std::string_view text);

/// A tensor as it is stored, without what a kernel's layout adds. What is not known is empty.
struct Tensor {
  std::string name;
  std::vector<uint64_t> shape;
  Role role = Role::Other;
  std::string format;
  uint64_t bytes = 0;
  /// |decoded - w| / |w|, and the same of the linears' outputs over the calibration data.
  std::optional<double> weightError, outputError;
  /// How much lower the model's mean KL divergence from the original would be with this tensor as it was, nats a token.
  std::optional<double> divergence;
  /// Of the Hessian of the linears' inputs: the share of the diagonal's mean that was added to it, and the condition
  /// number after that.
  std::optional<double> damp, condition;
  /// Input columns that no token had a value in, and those that fewer than one token in a hundred had.
  std::optional<uint64_t> deadColumns, rareColumns;
  /// How its products are computed; empty for what no kernel decodes.
  std::string kernel;
  /// Why that is slower than on other processors of the family; empty when it is not.
  std::string fallback;
  bool operator==(const Tensor &) const = default;
};

struct Report {
  /// Of Halftone.
  std::string version;
  /// The model's file first, then those of its external data.
  std::vector<File> files;
  std::optional<File> tokenizer;
  /// Of linears but the head ("mixed" when there are several), of the embedding and of the head.
  std::string format, embeddingFormat, headFormat;
  /// All other decisions, by name.
  std::map<std::string, std::string> options;
  /// Mean KL divergence of the model with quantized weights from the original, on calibration data, nats a token.
  std::optional<double> divergence;
  /// The linears' in the order in which the model computes with them, then the others.
  std::vector<Tensor> tensors;
  bool operator==(const Report &) const = default;
};

/// How much some tensors are together.
struct Total {
  uint64_t tensors = 0, elements = 0, bytes = 0;

  void add(const Tensor &tensor);
  /// Bits per weight; 0 without any.
  double bits() const;
};

Total totalOf(const Tensor &tensor);
/// Of the linears but the head, and of everything.
Total totalOfLinears(const Report &report);
Total totalOfAll(const Report &report);

/// Those that have lost most, the worst first: of the outputs where that is known of any, otherwise of the weights.
std::vector<const Tensor *> worst(const Report &report, size_t count);
/// By what worst() ranks.
bool isCalibrated(const Report &report);

} // namespace halftone::report
