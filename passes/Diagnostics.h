// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What passes report, as one error for the user.
#pragma once

#include "lib/io/Result.h"

#include "mlir/IR/Diagnostics.h"

#include <functional>
#include <string>

namespace halftone {

/// While alive, keeps the first error that any pass reports, with its notes, and hands warnings on. Remarks and later
/// errors, which follow from the first, are dropped.
class DiagnosticCollector {
public:
  /// \param source the model's file, which stands before the node of a location.
  DiagnosticCollector(mlir::MLIRContext &context, std::string source, std::function<void(const std::string &)> warn);

  /// The first error; or, which no pass should make necessary, that `what` failed without one.
  Error error(llvm::StringRef what) const;

private:
  void collect(mlir::Diagnostic &diagnostic);
  std::string textOf(const mlir::Diagnostic &diagnostic) const;

  std::string source;
  std::function<void(const std::string &)> warn;
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace halftone
