// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of operators. Later opsets than those tested only widen types; lib/onnx bounds the opset of the model.
#include "passes/import/OperatorTable.h"

#include "llvm/ADT/STLExtras.h"

using namespace halftone::importer;

static constexpr SupportedOperator table[] = {
    {"", "Abs", 6, 1},
    {"", "Add", 7, 2},
    {"", "And", 7, 2},
    {"", "Attention", 23, 3},
    {"", "Cast", 6, 1},
    {"", "Ceil", 6, 1},
    {"", "Concat", 4, 1},
    {"", "Constant", 1, 0},
    {"", "ConstantOfShape", 9, 1},
    {"", "Cos", 7, 1},
    {"", "CumSum", 11, 2},
    {"", "Div", 7, 2},
    {"", "Dropout", 7, 1},
    {"", "Equal", 7, 2},
    {"", "Erf", 9, 1},
    {"", "Exp", 6, 1},
    {"", "Expand", 8, 2},
    {"", "Flatten", 1, 1},
    {"", "Floor", 6, 1},
    {"", "Gather", 1, 2},
    {"", "GatherND", 11, 2},
    {"", "Gemm", 7, 2},
    {"", "Greater", 7, 2},
    {"", "GreaterOrEqual", 12, 2},
    {"", "Identity", 1, 1},
    {"", "IsNaN", 9, 1},
    {"", "Less", 7, 2},
    {"", "LessOrEqual", 12, 2},
    {"", "Log", 6, 1},
    {"", "MatMul", 1, 2},
    {"", "Max", 8, 1},
    {"", "Min", 8, 1},
    {"", "Mod", 10, 2},
    {"", "Mul", 7, 2},
    {"", "Neg", 6, 1},
    {"", "Not", 1, 1},
    {"", "Or", 7, 2},
    {"", "Pow", 7, 2},
    {"", "RMSNormalization", 23, 2},
    {"", "Range", 11, 3},
    {"", "Reciprocal", 6, 1},
    {"", "ReduceMax", 1, 1},
    {"", "ReduceMean", 1, 1},
    {"", "ReduceMin", 1, 1},
    {"", "ReduceProd", 1, 1},
    {"", "ReduceSum", 1, 1},
    {"", "Reshape", 5, 2},
    {"", "RotaryEmbedding", 23, 3},
    {"", "Shape", 1, 1},
    {"", "Sigmoid", 6, 1},
    {"", "SimplifiedLayerNormalization", 1, 2}, // in no opset of the standard; exporters write it all the same
    {"", "Sin", 7, 1},
    {"", "Size", 1, 1},
    {"", "Slice", 10, 3},
    {"", "Softmax", 13, 1}, // before: over all dimensions from the axis on
    {"", "Split", 2, 1},
    {"", "Sqrt", 6, 1},
    {"", "Squeeze", 1, 1},
    {"", "Sub", 7, 2},
    {"", "Tanh", 6, 1},
    {"", "Tile", 6, 2},
    {"", "Transpose", 1, 1},
    {"", "Trilu", 14, 1},
    {"", "Unsqueeze", 1, 1},
    {"", "Where", 9, 3},
    {"", "Xor", 7, 2},
    {"com.microsoft", "GroupQueryAttention", 1, 1},
    {"com.microsoft", "QuickGelu", 1, 1},
    {"com.microsoft", "RotaryEmbedding", 1, 4},
    {"com.microsoft", "SkipSimplifiedLayerNormalization", 1, 3},
};

const SupportedOperator *halftone::importer::supportedOperator(llvm::StringRef domain, llvm::StringRef name) {
  const SupportedOperator *row =
      llvm::find_if(table, [&](const SupportedOperator &row) { return row.domain == domain && row.name == name; });
  return row == std::end(table) ? nullptr : row;
}

std::string halftone::importer::supportedNames(llvm::StringRef domain) {
  std::string names;
  for (const SupportedOperator &row : table)
    if (row.domain == domain)
      names += (names.empty() ? "" : ", ") + row.name.str();
  return names;
}
