// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layout, schedule and target: decisions of the lower stage, written down.
#ifndef HALFTONE_KERNEL_ATTRIBUTES
#define HALFTONE_KERNEL_ATTRIBUTES

include "dialects/kernel/Dialect.td"
include "mlir/IR/AttrTypeBase.td"

class Kernel_Attr<string name, string keyword> : AttrDef<Kernel_Dialect, name> {
  let mnemonic = keyword;
}

def Kernel_LayoutAttr : Kernel_Attr<"Layout", "layout"> {
  let summary = "The order of a packed matrix's bytes";
  let description = [{
    `lanes` rows of the matrix form a tile, one row per lane; `group` consecutive columns of a row sit side by side in a
    lane. Blocks follow each other along the columns; `lib/formats/Packing.h` gives every offset. A packed tensor
    without a layout keeps its rows one after another. Levels above 127 are stored `less` than they are for instructions
    that multiply signed bytes.

    ```mlir
    #kernel.layout<lanes 16, group 4>
    #kernel.layout<lanes 8, group 4, less 128>
    ```

    Constraints:
    C1. Lanes and group are 1 to 4096.
    C2. `less` is 0 or 128.
  }];
  let parameters = (ins "int64_t":$lanes, "int64_t":$group, DefaultValuedParameter<"int64_t", "0">:$less);
  let extraClassDeclaration = [{
    /// The layout of `lib/formats` that the attribute names.
    ::halftone::formats::KernelLayout get() const { return {getLanes(), getGroup(), getLess()}; }
  }];
  let assemblyFormat = "`<` `lanes` $lanes `,` `group` $group (`,` `less` $less^)? `>`";
  let genVerifyDecl = 1;
}

def Kernel_UnpackedAttr : Kernel_Attr<"Unpacked", "unpacked"> {
  let summary = "A matrix as plain arrays: codes, scales, zeros";
  let description = [{
    The order that the reference lowering reads: nothing is packed, `lib/formats/Unpacked.h` gives the offsets.

    ```mlir
    #kernel.unpacked
    ```
  }];
}

def Kernel_ScheduleAttr : Kernel_Attr<"Schedule", "schedule"> {
  let summary = "How a kernel's loops run";
  let description = [{
    Recorded by choose-kernels on a `lowbit.kernel`, read by the lowerings: `lanes` elements per vector; `tiles` of
    the weight times `tokens` rows of activations, whose sums are in registers at once; and the `dot` instruction of the
    target's table.

    ```mlir
    #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">
    ```

    Constraints:
    C1. Lanes, tiles and tokens are 1 to 4096.
  }];
  let parameters = (ins "int64_t":$lanes, "int64_t":$tiles, "int64_t":$tokens, "::mlir::StringAttr":$dot);
  let assemblyFormat = "`<` `lanes` $lanes `,` `tiles` $tiles `,` `tokens` $tokens `,` `dot` $dot `>`";
  let genVerifyDecl = 1;
}

def Kernel_TargetAttr : Kernel_Attr<"Target", "target"> {
  let summary = "The processor that a module is compiled for";
  let description = [{
    Attached to a module as `halftone.target`, or several as `halftone.targets`, best first; then each function gets its
    own. `features` are LLVM's names in LLVM's order; `vector` is the width in
    bits of the vectors that kernels use.

    ```mlir
    #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "+avx512vnni", vector 512>
    ```

    Constraints:
    C1. The vector is 128, 256 or 512 bits wide.
  }];
  let parameters = (ins StringRefParameter<>:$triple, StringRefParameter<>:$cpu, StringRefParameter<>:$features,
                        "int64_t":$vector);
  let assemblyFormat = "`<` $triple `,` `cpu` $cpu `,` `features` $features `,` `vector` $vector `>`";
  let genVerifyDecl = 1;
}

#endif
