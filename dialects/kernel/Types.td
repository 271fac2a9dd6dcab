// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The handle of a packed tensor.
#ifndef HALFTONE_KERNEL_TYPES
#define HALFTONE_KERNEL_TYPES

include "dialects/kernel/Attributes.td"
include "dialects/lowbit/Attributes.td"

def Kernel_PackedType : TypeDef<Kernel_Dialect, "Packed"> {
  let mnemonic = "packed";
  let summary = "A handle to a tensor in the weight segment";
  let description = [{
    Shape, format and layout of a tensor as the binary holds it.

    ```mlir
    !kernel.packed<288x768, #lowbit.format<int4, block 32, scale f16>, #kernel.layout<lanes 16, group 4>>
    !kernel.packed<288, #lowbit.format<f32>>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::halftone::lowbit::FormatAttr":$format,
                        OptionalParameter<"LayoutAttr">:$layout);
  let assemblyFormat = "`<` custom<Shape>($shape) `,` $format (`,` $layout^)? `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of the tensor in the weight segment.
    int64_t getBytes() const;
  }];
}

#endif
