// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A dialect of one operation, for the sample plugin.
#ifndef LAB
#define LAB

include "mlir/IR/OpBase.td"

def Lab_Dialect : Dialect {
  let name = "lab";
  let cppNamespace = "::lab";
  let summary = "Notes of an experiment";
}

def Lab_NoteOp : Op<Lab_Dialect, "note"> {
  let summary = "What a pass decided, kept in the module";
  let arguments = (ins StrAttr:$text);
  let assemblyFormat = "$text attr-dict";
}

#endif
