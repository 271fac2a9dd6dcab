// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Norm and activation with the arithmetic around them.
#include "passes/import/Expansions.h"

using namespace mlir;
using namespace halftone::importer;

static constexpr StringLiteral inputs[] = {"input", "skip", "gamma", "bias"};
static constexpr StringLiteral outputs[] = {"output", "mean", "inv_std_var", "input_skip_bias_sum"};
static constexpr Parameter parameters[] = {{"epsilon"}};

/// sum = input + skip + bias; output = norm(sum) * gamma.
LogicalResult halftone::importer::expandSkipNorm(NodeOp node, Evaluator &) {
  if (failed(checkParameters(node, parameters)) || failed(checkInputs(node, inputs, 4)))
    return failure();
  for (size_t i : {1, 2})
    if (i < node.getNumResults() && !node.getOutputs()[i].use_empty())
      return emitNodeError(node) << "output '" << outputs[i] << "' is not supported";
  NodeWriter writer(node);
  Value sum = writer.make("Add", {inputOf(node, 0), inputOf(node, 1)});
  if (Value bias = inputOf(node, 3))
    sum = writer.make("Add", {sum, bias});
  // The operator's default differs from that of the norm alone.
  NamedAttribute epsilon = writer.parameter("epsilon", parameter(node, "epsilon", 1e-12f));
  replaceOutput(node, 0, writer.make("SimplifiedLayerNormalization", {sum, inputOf(node, 2)}, epsilon));
  replaceOutput(node, 3, sum);
  return success();
}

static constexpr Parameter quickGeluParameters[] = {{"alpha"}};

/// x * sigmoid(alpha * x).
LogicalResult halftone::importer::expandQuickGelu(NodeOp node, Evaluator &) {
  if (failed(checkParameters(node, quickGeluParameters)))
    return failure();
  NodeWriter writer(node);
  Value x = inputOf(node, 0);
  float alpha = parameter(node, "alpha", 1.702f);
  Value inner = alpha == 1 ? x : writer.make("Mul", {x, writer.number(alpha)});
  replaceOutput(node, 0, writer.make("Mul", {x, writer.make("Sigmoid", inner)}));
  return success();
}
