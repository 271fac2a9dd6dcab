// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which formats the weights of a quantized module have, by what they are for.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace halftone {

/// Names of formats: of linears (those that are not the head; "mixed" when there are several), of the embedding, and of
/// the head, the last linear. Empty for what the module has not.
struct ModuleFormats {
  std::string linears, embedding, head;
};

/// The last linear of @forward, which the blocks that it calls come before; null when it has none.
lowbit::LinearOp findHead(mlir::ModuleOp module);

ModuleFormats moduleFormats(mlir::ModuleOp module);

} // namespace halftone
