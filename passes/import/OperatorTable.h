// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators that the import stage understands: one row each.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace halftone::importer {

struct SupportedOperator {
  llvm::StringLiteral domain; ///< "" is ONNX's own
  llvm::StringLiteral name;
  int64_t since;       ///< the first opset in which it means what we take it to mean
  int64_t inputs;      ///< how many inputs must be there
  int64_t outputs = 1; ///< how many outputs must be there
};

/// The row of an operator, or null.
const SupportedOperator *supportedOperator(llvm::StringRef domain, llvm::StringRef name);

/// The names of a domain's operators, "Abs, Add, ...", for errors; empty where there are none.
std::string supportedNames(llvm::StringRef domain);

} // namespace halftone::importer
