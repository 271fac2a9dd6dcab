// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qopt: mlir-opt with the dialects and passes of Halftone.
#include "passes/Register.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  halftone::registerDialects(registry);
  halftone::registerPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Halftone's optimizer driver\n", registry));
}
