// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes the project's dialects and passes known to a tool.
#pragma once

namespace mlir {
class DialectRegistry;
}

namespace halftone {

/// Adds the onnx, lowbit and kernel dialects.
void registerDialects(mlir::DialectRegistry &registry);

/// Registers the passes of all stages, each under the name of its Passes.td.
void registerPasses();

} // namespace halftone
