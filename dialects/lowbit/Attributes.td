// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The format attribute: a number format is data.
#ifndef HALFTONE_LOWBIT_ATTRIBUTES
#define HALFTONE_LOWBIT_ATTRIBUTES

include "dialects/lowbit/Dialect.td"
include "mlir/IR/AttrTypeBase.td"

def Lowbit_FormatAttr : AttrDef<Lowbit_Dialect, "Format"> {
  let mnemonic = "format";
  let summary = "A number format: element code, block, type of the scale, offset";
  let description = [{
    The description in `lib/formats`, spelled out. The element is a name of its table; a plain element (f32) has nothing
    else. `block` counts the weights of a row that share one scale; `row` means all of them.

    ```mlir
    #lowbit.format<f32>
    #lowbit.format<int4, block 32, scale f16>
    #lowbit.format<int8, row, scale f32>
    #lowbit.format<int4, block 128, scale bf16, zero_point>
    ```
  }];
  let parameters = (ins "::halftone::formats::Format":$value);
  let hasCustomAssemblyFormat = 1;
}

#endif
