// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The three handles: weight, activation, cache.
#ifndef HALFTONE_LOWBIT_TYPES
#define HALFTONE_LOWBIT_TYPES

include "dialects/lowbit/Attributes.td"

class Lowbit_Type<string name, string keyword> : TypeDef<Lowbit_Dialect, name> {
  let mnemonic = keyword;
}

def Lowbit_WeightType : Lowbit_Type<"Weight", "weight"> {
  let summary = "A handle to a trained tensor in a file";
  let description = [{
    Shape and number format of a tensor whose bytes stay in a file. A matrix is [outputs, inputs]: its blocks run along
    the inputs. An `encoding` says that the bytes are in a kernel's order instead of rows one after another.

    ```mlir
    !lowbit.weight<288x768, #lowbit.format<int4, block 32, scale f16>>
    !lowbit.weight<288x768, #lowbit.format<int4, block 32, scale f16>, #kernel.layout<lanes 16, group 4>>
    ```

    Constraints:
    C1. There are one or two dimensions.
    C2. They are known and positive.
    C3. One dimension is plain and has no encoding.
    C4. The bytes fit into memory: at most 2^46.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "FormatAttr":$format,
                        OptionalParameter<"::mlir::Attribute">:$encoding);
  let builders = [TypeBuilder<(ins "::llvm::ArrayRef<int64_t>":$shape, "FormatAttr":$format),
                              [{ return $_get($_ctxt, shape, format, ::mlir::Attribute()); }]>];
  let extraClassDeclaration = [{
    /// Rows, one of a vector, and elements of a row.
    int64_t getRows() const { return getShape().size() == 2 ? getShape()[0] : 1; }
    int64_t getColumns() const { return getShape().back(); }
    /// What the tensor takes as storage rows, one after another.
    int64_t storedBytes() const;
  }];
  let assemblyFormat = "`<` custom<Shape>($shape) `,` $format (`,` $encoding^)? `>`";
  let genVerifyDecl = 1;
}

def Lowbit_ActivationType : Lowbit_Type<"Activation", "activation"> {
  let summary = "Activations as a linear reads them: codes, scales and the sum of each block's codes; or rounded";
  let description = [{
    The activation contract. int8 means: scale = absmax / 127 of the block in f32, code = roundeven(x / scale) in
    -127..127, an all-zero block has scale 0. The last block of a row may be short. bf16 means: rounded to nearest,
    ties to even.

    ```mlir
    !lowbit.activation<?x288, #lowbit.format<int8, block 32, scale f32>>
    !lowbit.activation<?x288, #lowbit.format<bf16>>
    ```

    Constraints:
    C1. There are two dimensions, tokens and channels.
    C2. The channels are known and positive, and fit into memory: at most 2^46.
    C3. The format is one of the contract: 8 bits without a zero point, scales in f32; or bf16.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "FormatAttr":$format);
  let assemblyFormat = "`<` custom<Shape>($shape) `,` $format `>`";
  let genVerifyDecl = 1;
}

def Lowbit_CacheType : Lowbit_Type<"Cache", "cache"> {
  let summary = "A handle to the keys and values of one attention layer";
  let description = [{
    Keys and values of the positions seen so far, [positions, heads, size] each. It is memory with read and append
    effects, never a tensor: as a tensor it would be copied each call. They are stored in f32 unless a format says
    otherwise: f16, or symmetric codes of 8 or 4 bits with one f32 scale for each head of a position,
    absmax / (2^(bits-1) - 1).

    ```mlir
    !lowbit.cache<heads 6, size 48>
    !lowbit.cache<heads 6, size 48, <int8, block 48, scale f32>>
    ```

    Constraints:
    C1. There is at least one head of at least one channel.
    C2. One position fits into memory: at most 2^46 channels.
    C3. The format is f32 (which is not written), f16, or of symmetric codes of 8 or 4 bits with one f32 scale a head;
        codes of 4 bits come in pairs, so the size is even.
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$size, OptionalParameter<"FormatAttr">:$format);
  let assemblyFormat = "`<` `heads` $heads `,` `size` $size (`,` $format^)? `>`";
  let builders = [TypeBuilder<(ins "int64_t":$heads, "int64_t":$size),
                              "return $_get($_ctxt, heads, size, FormatAttr());">];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// In which keys and values are stored.
    formats::Format getStored() const;
  }];
}

#endif
