// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What qopt asks a plugin for: its dialects, its passes.
#include "Lab.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

#include "LabDialect.cpp.inc"
#define GET_OP_CLASSES
#include "LabOps.cpp.inc"

void lab::LabDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "LabOps.cpp.inc"
      >();
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "lab", LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) { registry->insert<lab::LabDialect>(); }};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "lab", LLVM_VERSION_STRING, [] { lab::registerKeepWide(); }};
}
