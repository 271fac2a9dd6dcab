// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operations of the kernel dialect.
#ifndef HALFTONE_KERNEL_OPS
#define HALFTONE_KERNEL_OPS

include "dialects/kernel/Attributes.td"
include "dialects/lowbit/Types.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Kernel_Op<string mnemonic, list<Trait> traits = []> : Op<Kernel_Dialect, mnemonic, traits>;

//===-- Places ------------------------------------------------------------------------------------------------------===//

def Kernel_MemoryOp : Kernel_Op<"memory", [Pure]> {
  let summary = "A weight as memory: its bytes, or the elements of a plain one";
  let description = [{
    ```mlir
    %b = kernel.memory %q : !lowbit.weight<288, #lowbit.format<f32>> -> memref<?xi8, strided<[1], offset: ?>>
    ```
  }];
  let arguments = (ins Lowbit_WeightType:$handle);
  let results = (outs MemRefRankOf<[I8, F32], [1]>:$memory);
  let assemblyFormat = "$handle `:` type($handle) `->` type($memory) attr-dict";
}

def Kernel_KeysOp : Kernel_Op<"keys", [Pure]> {
  let summary = "The keys of a cache: [tiles of positions, heads, size, positions of a tile]";
  let description = [{
    A score needs one key channel of many positions at a time: positions are innermost, so that a vector of scores is a
    sum over channels without a horizontal step. Codes of 4 bits lie in pairs, half as many rows: row r has channel r in
    the low bits and channel r + size / 2 in the high ones; likewise the columns of values.
  }];
  let arguments = (ins Lowbit_CacheType:$cache);
  let results = (outs MemRefRankOf<[F32, F16, I8], [4]>:$keys);
  let assemblyFormat = "$cache `:` type($cache) `->` type($keys) attr-dict";
}

def Kernel_ValuesOp : Kernel_Op<"values", [Pure]> {
  let summary = "The values of a cache: [tiles of positions, heads, positions of a tile, size]";
  let arguments = (ins Lowbit_CacheType:$cache);
  let results = (outs MemRefRankOf<[F32, F16, I8], [4]>:$values);
  let assemblyFormat = "$cache `:` type($cache) `->` type($values) attr-dict";
}

def Kernel_KeyScalesOp : Kernel_Op<"key_scales", [Pure]> {
  let summary = "What codes of a cache's keys are worth: [tiles of positions, heads, 1, positions of a tile]";
  let arguments = (ins Lowbit_CacheType:$cache);
  let results = (outs MemRefRankOf<[F32], [4]>:$scales);
  let assemblyFormat = "$cache `:` type($cache) `->` type($scales) attr-dict";
}

def Kernel_ValueScalesOp : Kernel_Op<"value_scales", [Pure]> {
  let summary = "What codes of a cache's values are worth: [tiles of positions, heads, 1, positions of a tile]";
  let arguments = (ins Lowbit_CacheType:$cache);
  let results = (outs MemRefRankOf<[F32], [4]>:$scales);
  let assemblyFormat = "$cache `:` type($cache) `->` type($scales) attr-dict";
}

def Kernel_ActivationOp : Kernel_Op<"activation", [Pure]> {
  let summary = "Quantized activations held in three buffers";
  let description = [{
    codes [tokens, channels, each block padded to a multiple of 4], scales [tokens, blocks], sums [tokens, blocks]: the
    sum of the block's codes, which turns a zero point into one multiplication per block. Plain activations have their
    bits as codes, and neither scales nor sums: no blocks.
  }];
  let arguments = (ins MemRefRankOf<[I8, I16], [2]>:$codes, MemRefRankOf<[F32], [2]>:$scales, MemRefRankOf<[I32], [2]>:$sums);
  let results = (outs Lowbit_ActivationType:$activation);
  let assemblyFormat = [{
    $codes `,` $scales `,` $sums `:` type($codes) `,` type($scales) `,` type($sums) `->` type($activation) attr-dict
  }];
}

//===-- Arithmetic --------------------------------------------------------------------------------------------------===//

def Kernel_DecodeOp : Kernel_Op<"decode", [Pure]> {
  let summary = "Packed lines to vectors of codes";
  let description = [{
    Takes the lines of each bit plane in order (`lib/formats/Packing.h`) and gives consecutive vectors of unsigned
    codes, one byte each. Knows formats, no processor: its lowering is shifts and masks in 32-bit lanes. Codes of eight
    bits and plain elements are their lines.

    ```mlir
    %c:4 = kernel.decode %line0, %line1 {format = #lowbit.format<int4, block 32, scale f16>}
             : vector<64xi8>, vector<64xi8> -> vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>
    ```

    Constraints:
    C1. There are as many lines as the vectors of each plane need.
    C2. All lines and vectors have the same type.
  }];
  let arguments = (ins Variadic<AnyVectorOfNonZeroRank>:$lines, Lowbit_FormatAttr:$format);
  let results = (outs Variadic<AnyVectorOfNonZeroRank>:$codes);
  let assemblyFormat = "$lines attr-dict `:` type($lines) `->` type($codes)";
  let hasVerifier = 1;
}

def Kernel_DecodeZerosOp : Kernel_Op<"decode_zeros", [Pure]> {
  let summary = "Packed zero points to one integer per lane";
  let description = [{
    ```mlir
    %z = kernel.decode_zeros %bytes {format = ...} : vector<8xi8> -> vector<16xi32>
    ```

    Constraints:
    C1. The bytes hold exactly one zero point per lane.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8]>:$bytes, Lowbit_FormatAttr:$format);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$zeros);
  let assemblyFormat = "$bytes attr-dict `:` type($bytes) `->` type($zeros)";
  let hasVerifier = 1;
}

def Kernel_LookupOp : Kernel_Op<"lookup", [Pure, AllTypesMatch<["codes", "result"]>]> {
  let summary = "A table of bytes indexed by codes";
  let description = [{
    result[i] = table[codes[i]]: the levels of a codebook's codes. Knows processors: a byte shuffle where there is one.

    ```mlir
    %levels = kernel.lookup %codes in [0, 23, 44, 62] : vector<64xi8>
    ```

    Constraints:
    C1. The table has 2 to 16 entries of i8, a power of two.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8]>:$codes, DenseI8ArrayAttr:$table);
  let results = (outs VectorOfRankAndType<[1], [I8]>:$result);
  let assemblyFormat = "$codes `in` $table attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Kernel_DotInitOp : Kernel_Op<"dot_init", [Pure, AttrSizedOperandSegments]> {
  let summary = "First phase of a dot product: the accumulator of a block";
  let description = [{
    sum over k of (l - z) x = sum of l x - z * sum of x: the accumulator starts at -zero * sum. The zero is one per lane
    (a vector) or the same for all (a scalar). Without operands the accumulator starts at 0 (plain elements).

    ```mlir
    %acc = kernel.dot_init zero %zero sum %sum by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
    ```
  }];
  let arguments = (ins Optional<AnyTypeOf<[I32, VectorOfRankAndType<[1], [I32]>]>>:$zero, Optional<I32>:$sum,
                       StrAttr:$instruction);
  let results = (outs VectorOfRankAndType<[1], [I32, F32]>:$accumulator);
  let assemblyFormat = [{
    (`zero` $zero^ `sum` $sum)? `by` $instruction attr-dict `:` (`(` type($zero)^ `,` type($sum) `)` `->`)?
    type($accumulator)
  }];
}

def Kernel_DotStepOp : Kernel_Op<"dot_step", [Pure, SameVariadicOperandSize, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "Second phase of a dot product: levels times broadcast activations";
  let description = [{
    accumulator[l] += sum over j and g of levels_j[l * group + g] * x_j[g]. Levels of codes are unsigned bytes, none
    above `highest`, and their activations signed bytes. `instruction` is a row of the target's table; the record says
    what it needs.

    ```mlir
    %acc1 = kernel.dot_step %acc, [%c0, %c1], [%x0, %x1] by "vpdpbusd.512" {highest = 15 : i64}
              : vector<16xi32>, vector<64xi8>, vector<4xi8>
    ```

    Constraints:
    C1. There are as many vectors of levels as groups of activations, at least one.
    C2. A vector of levels has a group of activations for each lane of the accumulator.
    C3. All vectors of levels have one type, and all groups of activations.
    C4. `highest` is 1 to 255 where integers are added up, and 0 where floats are.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32, F32]>:$accumulator, Variadic<VectorOfRank<[1]>>:$levels,
                       Variadic<VectorOfRank<[1]>>:$activations, I64Attr:$highest, StrAttr:$instruction);
  let results = (outs VectorOfRankAndType<[1], [I32, F32]>:$result);
  let assemblyFormat = [{
    $accumulator `,` `[` $levels `]` `,` `[` $activations `]` `by` $instruction attr-dict
    `:` type($accumulator) `,` custom<Uniform>(ref($levels), type($levels)) `,` custom<Uniform>(ref($activations), type($activations))
  }];
  let hasVerifier = 1;
}

def Kernel_DotFinishOp : Kernel_Op<"dot_finish", [Pure, AllTypesMatch<["scale", "total", "result"]>,
                                                  AllShapesMatch<["accumulator", "result"]>]> {
  let summary = "Third phase of a dot product: the sum of a block as f32, scaled and added up";
  let description = [{
    result = total + f32(accumulator) * scale, where scale = weight scale * activation scale, rounded. One fused
    operation where the processor has it.

    ```mlir
    %sum = kernel.dot_finish %acc scale %s into %total by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$accumulator, VectorOfRankAndType<[1], [F32]>:$scale,
                       VectorOfRankAndType<[1], [F32]>:$total, StrAttr:$instruction);
  let results = (outs VectorOfRankAndType<[1], [F32]>:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$accumulator, "::mlir::Value":$scale, "::mlir::Value":$total,
                                 "::mlir::StringAttr":$instruction),
                            [{ build($_builder, $_state, total.getType(), accumulator, scale, total, instruction); }]>];
  let assemblyFormat = [{
    $accumulator `scale` $scale `into` $total `by` $instruction attr-dict
    `:` type($accumulator) `,` custom<SameTypes>(type($scale), type($total), type($result))
  }];
}

def Kernel_ThreadOp : Kernel_Op<"thread", [Pure]> {
  let summary = "The number of this thread in its team, from 0";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Kernel_ThreadsOp : Kernel_Op<"threads", [Pure]> {
  let summary = "How many threads the team has";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Kernel_TokensOp : Kernel_Op<"tokens", [Pure]> {
  let summary = "How many tokens this call has";
  let description = [{
    A positive multiple of the function's `halftone.token_step`, and not more than the tokens of its buffers.
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Kernel_BarrierOp : Kernel_Op<"barrier"> {
  let summary = "Waits until every thread of the team is here";
  let description = [{
    Stands between kernels: what one thread wrote before it, every thread may read after it. `site` is the number of the
    kernel that ends here.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$site);
  let assemblyFormat = "(`of` $site^)? attr-dict";
}

#endif
