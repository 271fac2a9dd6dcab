// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which formats the weights of a quantized module have, by what they are for.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace halftone {

/// Names of formats: of linears (those that are not the head; "mixed" when there are several), of the embedding, and of
/// the head, the last linear. Empty for what the module has not.
struct ModuleFormats {
  std::string linears, embedding, head;
};

ModuleFormats moduleFormats(mlir::ModuleOp module);

} // namespace halftone
