// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generic node.
#ifndef HALFTONE_ONNX_OPS
#define HALFTONE_ONNX_OPS

include "dialects/onnx/Dialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Onnx_NodeOp : Op<Onnx_Dialect, "node", [Pure]> {
  let summary = "One node of an ONNX graph";
  let description = [{
    Operator, domain, opset and parameters (ONNX calls them attributes) as the file has them. An absent optional input is an operand of type `none`
    (`onnx.absent`); a large initializer is a `lowbit.get`, a small one an `arith.constant`. Trailing absent inputs
    are left out.

    ```mlir
    %y = onnx.node "Softmax" opset 18 (%x) {axis = -1 : si64} named "/layers.0/Softmax" : (tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
    ```
  }];
  let arguments = (ins StrAttr:$op_type, DefaultValuedStrAttr<StrAttr, "">:$domain, I64Attr:$opset, StrAttr:$name,
                       DictionaryAttr:$parameters, Variadic<AnyType>:$inputs);
  let results = (outs Variadic<AnyType>:$outputs);
  let assemblyFormat = [{
    (`domain` $domain^)? $op_type `opset` $opset `(` $inputs `)` $parameters `named` $name attr-dict `:` functional-type($inputs, $outputs)
  }];
}

def Onnx_AbsentOp : Op<Onnx_Dialect, "absent", [Pure]> {
  let summary = "An optional input that is not given";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
}

#endif
