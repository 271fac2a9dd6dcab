// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an ONNX model to onnx.node, one to one.
#pragma once

#include "lib/onnx/Model.h"

#include "mlir/IR/BuiltinOps.h"

namespace halftone::importer {

/// What a graph is imported for.
enum class GraphUse {
  Decoder, ///< operators that the import stage understands; trained matrices become lowbit.weight
  Function ///< any operator; large tensors become arguments behind the inputs, which say where their bytes lie
};

/// The attributes of an argument whose bytes lie in a file: number of the file in onnx::Model::files, and offset.
inline constexpr llvm::StringLiteral fileAttribute = "halftone.file", offsetAttribute = "halftone.offset";

/// The domain of the nodes that importGraph adds to a function: Unpack, whose input is the bytes of a tensor of
/// elements under 8 bits, with its shape, the bits of an element and whether they are signed.
inline constexpr llvm::StringLiteral ownDomain = "halftone";

/// Fills `module` with func.func @graph: an onnx.node for every node, a lowbit.weight for every trained tensor (its
/// bytes stay in the file), an arith.constant for everything else. Sets halftone.source, and halftone.context where
/// `context` is given or the model or the configuration beside it says one. Errors name file and node or tensor.
llvm::LogicalResult importGraph(mlir::ModuleOp module, const onnx::Model &model, int64_t context,
                                GraphUse use = GraphUse::Decoder);

} // namespace halftone::importer
