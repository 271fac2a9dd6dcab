// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Any ONNX graph as a plain function of named tensors, compiled for the shapes of its arguments into this process.
// Includes nothing of MLIR.
#pragma once

#include "lib/onnx/Model.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace halftone {

/// A tensor that enters or leaves a function.
struct TensorType {
  std::string name;
  onnx::ElementType type = onnx::ElementType::undefined;
  std::vector<int64_t> shape;
};

class PlainFunction {
public:
  struct Implementation;

  /// Compiles `model` for inputs of these names, types and shapes, in any order. Its outputs may be any values of the
  /// graph; one without a type is of the floats that are computed. What no output needs is not computed. Fails, naming
  /// the input, when one is missing, unknown, or not of the type and fixed sizes that the model wants; and naming all
  /// nodes that are not supported.
  static Expected<PlainFunction> compile(onnx::Model model, std::span<const TensorType> inputs);

  PlainFunction(PlainFunction &&);
  PlainFunction &operator=(PlainFunction &&);
  ~PlainFunction();

  /// In the order of the model.
  const std::vector<TensorType> &inputs() const;
  const std::vector<TensorType> &outputs() const;

  /// Runs it. Memory holds the elements of inputs() and outputs(), row major, aligned for the element type; an output
  /// may not overlap anything else. Fails when an index that a node reads lies outside, naming both.
  Status run(std::span<const void *const> inputs, std::span<void *const> outputs) const;

private:
  explicit PlainFunction(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation;
};

} // namespace halftone
