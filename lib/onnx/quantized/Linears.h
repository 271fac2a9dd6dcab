// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The matrices that a graph multiplies by: constants behind the second input of MatMul and Gemm, as they are or through
// nodes that only turn or convert them. By dataflow alone, in any graph.
#pragma once

#include "lib/onnx/edit/Values.h"

namespace halftone::onnx {

/// A node that multiplies by a matrix.
struct Linear {
  const Graph *graph;
  const Node *node;
  /// The node reads the matrix as [rows, columns], a row per output; else as [columns, rows].
  bool readsRows;
};

/// A matrix [rows, columns], a row per output, and the linears that read it.
struct LinearWeight {
  const Value *value; ///< an initializer, or the output of a Constant node
  const Tensor *tensor;
  int64_t rows, columns;
  /// The tensor lies in the file as [columns, rows].
  bool isTransposed;
  /// The type that the linears compute in: the tensor's, or what it is cast to.
  ElementType type;
  std::vector<Linear> linears;

  /// "stories.onnx: weight 'w'", how errors about it begin.
  std::string describe(const Model &model) const;
};

/// A matrix of floats that no linear reads, or a tensor of higher rank, and why.
struct OtherWeight {
  const Tensor *tensor;
  std::string name;
  std::string reason;
};

struct Linears {
  std::vector<LinearWeight> weights; ///< in the order of the nodes that read them first
  std::vector<OtherWeight> others;
};

/// "read by 'embed' (Gather)".
std::string describe(const Reader &reader);

Linears findLinears(const Values &values, const Model &model);

} // namespace halftone::onnx
