// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operations of the lowbit dialect.
#ifndef HALFTONE_LOWBIT_OPS
#define HALFTONE_LOWBIT_OPS

include "dialects/lowbit/Types.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Lowbit_Op<string mnemonic, list<Trait> traits = []> : Op<Lowbit_Dialect, mnemonic, traits>;

def Lowbit_Tokens : ConfinedType<RankedTensorOf<[F32]>, [HasAnyRankOfPred<[2]>], "[tokens, channels] of f32",
                                 "::mlir::RankedTensorType">;
def Lowbit_Ids : ConfinedType<RankedTensorOf<[I64]>, [HasAnyRankOfPred<[1]>], "[tokens] of i64",
                              "::mlir::RankedTensorType">;
def Lowbit_LinearInput : AnyTypeOf<[Lowbit_Tokens, Lowbit_ActivationType]>;

//===-- State of the module: names with a place ---------------------------------------------------------------------===//

def Lowbit_WeightOp : Lowbit_Op<"weight", [Symbol]> {
  let summary = "A named tensor and the bytes it is made of";
  let description = [{
    Names `bytes` of `file` from `offset` on, in the storage layout of `lib/formats` (rows one after another). With
    `transposed` the file holds a matrix [inputs, outputs]; the type is always [outputs, inputs].

    ```mlir
    lowbit.weight @layers.0.q : !lowbit.weight<288x288, #lowbit.format<f32>> in "stories.onnx" at 36864000 transposed
    ```

    Constraints:
    C1. The offset is not negative.
    C2. `transposed` stands only on a plain matrix: blocks run along a row.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Lowbit_WeightType>:$type, StrAttr:$file, I64Attr:$offset,
                       UnitAttr:$transposed);
  let assemblyFormat = [{
    $sym_name `:` $type `in` $file `at` $offset (`transposed` $transposed^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Lowbit_CacheOp : Lowbit_Op<"cache", [Symbol]> {
  let summary = "A named cache: the state of one attention layer";
  let description = [{
    ```mlir
    lowbit.cache @cache.0 : !lowbit.cache<heads 6, size 48>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Lowbit_CacheType>:$type);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
}

def Lowbit_GetOp : Lowbit_Op<"get", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The handle of a named weight or cache";
  let description = [{
    ```mlir
    %q = lowbit.get @layers.0.q : !lowbit.weight<288x288, #lowbit.format<f32>>
    ```

    Constraints:
    C1. The name is that of a weight or cache of the module.
    C2. The type is the named one's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs AnyType:$handle);
  let assemblyFormat = "$name `:` type($handle) attr-dict";
}

//===-- Derived weights: pure operations on handles -----------------------------------------------------------------===//

def Lowbit_ScaleColumnsOp : Lowbit_Op<"scale_columns", [Pure]> {
  let summary = "A matrix with each input channel multiplied by a factor";
  let description = [{
    W * diag(g): the weight of a linear that takes over its producer's scale. Nothing is computed here; the `quantize`
    stage evaluates it while streaming (evaluate-weights).

    ```mlir
    %w = lowbit.scale_columns %q, %g
           : (!lowbit.weight<288x288, <f32>>, !lowbit.weight<288, <f32>>) -> !lowbit.weight<288x288, <f32>>
    ```

    Constraints:
    C1. The matrix has two dimensions and the factors one.
    C2. There is one factor per column.
    C3. Both are plain: a quantized weight cannot be scaled without loss.
    C4. The result is plain and has the shape of the matrix.
  }];
  let arguments = (ins Lowbit_WeightType:$matrix, Lowbit_WeightType:$factors);
  let results = (outs Lowbit_WeightType:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$matrix, "::mlir::Value":$factors),
                            [{ build($_builder, $_state, matrix.getType(), matrix, factors); }]>];
  let assemblyFormat = "$matrix `,` $factors `:` `(` type($matrix) `,` type($factors) `)` `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Lowbit_ScaleRowsOp : Lowbit_Op<"scale_rows", [Pure]> {
  let summary = "A matrix with each row, or a vector with each element, multiplied by a factor";
  let description = [{
    diag(f) * W: the weight of a producer whose readers take over the inverse. Evaluated as lowbit.scale_columns is.

    ```mlir
    %w = lowbit.scale_rows %up, %f
           : (!lowbit.weight<768x288, <f32>>, !lowbit.weight<768, <f32>>) -> !lowbit.weight<768x288, <f32>>
    ```

    Constraints:
    C1. The factors have one dimension, as many as the weight has rows.
    C2. Both are plain.
    C3. The result is plain and has the shape of the weight.
  }];
  let arguments = (ins Lowbit_WeightType:$matrix, Lowbit_WeightType:$factors);
  let results = (outs Lowbit_WeightType:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$matrix, "::mlir::Value":$factors),
                            [{ build($_builder, $_state, matrix.getType(), matrix, factors); }]>];
  let assemblyFormat = "$matrix `,` $factors `:` `(` type($matrix) `,` type($factors) `)` `->` type($result) attr-dict";
  let hasVerifier = 1;
}

class Lowbit_RotateOp<string mnemonic> : Lowbit_Op<mnemonic, [Pure, AllTypesMatch<["matrix", "result"]>]> {
  let arguments = (ins Lowbit_WeightType:$matrix, I64Attr:$size, I64Attr:$seed);
  let results = (outs Lowbit_WeightType:$result);
  let assemblyFormat = "$matrix `size` $size `seed` $seed attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Lowbit_RotateColumnsOp : Lowbit_RotateOp<"rotate_columns"> {
  let summary = "A matrix with each row rotated, in blocks";
  let description = [{
    W * diag(Q, .., Q): the weight of a linear whose inputs are rotated, or of an embedding that gives rotated values. Q
    is orthogonal, [size, size]: a Hadamard matrix behind random signs (lib/quantize/Hadamard.h) that `size` and `seed`
    describe. Evaluated as lowbit.scale_columns is.

    ```mlir
    %w = lowbit.rotate_columns %o size 48 seed 0 : !lowbit.weight<288x288, <f32>>
    ```

    Constraints:
    C1. There are two dimensions, and the weight is plain.
    C2. The size is positive and divides the columns.
  }];
}

def Lowbit_RotateRowsOp : Lowbit_RotateOp<"rotate_rows"> {
  let summary = "A matrix with each column rotated, or a vector, in blocks";
  let description = [{
    diag(Q, .., Q)^T * W, or b * diag(Q, .., Q): the weight or bias of a linear whose results are rotated, with the Q of
    lowbit.rotate_columns. Evaluated with the whole weight in memory, in f32.

    ```mlir
    %w = lowbit.rotate_rows %v size 48 seed 0 : !lowbit.weight<288x288, <f32>>
    ```

    Constraints:
    C1. The weight is plain.
    C2. The size is positive and divides the rows, or elements.
  }];
}

def Lowbit_SliceRowsOp : Lowbit_Op<"slice_rows", [Pure]> {
  let summary = "Some rows of a matrix, or elements of a vector";
  let description = [{
    Rows `first` and those after it, as many as the result has: the weight of a linear that gives a part of what the
    whole weight gave. Evaluated as lowbit.scale_columns is.

    ```mlir
    %k = lowbit.slice_rows %qkv from 288 : !lowbit.weight<864x288, <f32>> -> !lowbit.weight<288x288, <f32>>
    ```

    Constraints:
    C1. Matrix and result are plain, of one format, and have as many dimensions and columns.
    C2. The rows lie within the matrix.
  }];
  let arguments = (ins Lowbit_WeightType:$matrix, I64Attr:$first);
  let results = (outs Lowbit_WeightType:$result);
  let assemblyFormat = "$matrix `from` $first `:` type($matrix) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def Lowbit_WidenOp : Lowbit_Op<"widen", [Pure]> {
  let summary = "A plain weight in f32";
  let description = [{
    The same values: what operations read element by element, norms' scales and biases, is f32. Evaluated as
    lowbit.scale_columns is.

    ```mlir
    %g = lowbit.widen %h : !lowbit.weight<288, <f16>> -> !lowbit.weight<288, <f32>>
    ```

    Constraints:
    C1. The weight is plain, and the result is it in f32.
  }];
  let arguments = (ins Lowbit_WeightType:$weight);
  let results = (outs Lowbit_WeightType:$result);
  let assemblyFormat = "$weight `:` type($weight) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

//===-- Operations on tokens ----------------------------------------------------------------------------------------===//

def Lowbit_EmbeddingOp : Lowbit_Op<"embedding", [Pure]> {
  let summary = "The rows of a table that token ids name";
  let description = [{
    ```mlir
    %x = lowbit.embedding %tokens, %table
           : (tensor<?xi64>, !lowbit.weight<32000x288, #lowbit.format<f32>>) -> tensor<?x288xf32>
    ```

    Constraints:
    C1. The table has two dimensions.
    C2. The result has the columns of the table.
    C3. The result has as many tokens as there are ids.
  }];
  let arguments = (ins Lowbit_Ids:$tokens, Lowbit_WeightType:$table, OptionalAttr<Lowbit_FormatAttr>:$format,
                       OptionalAttr<StrAttr>:$method);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = [{
    $tokens `,` $table attr-dict `:` `(` type($tokens) `,` type($table) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Lowbit_LinearOp : Lowbit_Op<"linear", [Pure]> {
  let summary = "Activations times the transpose of a weight";
  let description = [{
    y[t, n] = sum over k of x[t, k] * w[n, k]. With f32 activations the weight decodes to f32. Products of bf16
    activations and weights are exact; their sums are f32, the two of a pair in any order. With int8 activations
    y[t, n] = sum over blocks b, ascending, of f32(dot_b) * (step_w[n, b] * scale_x[t, b]), where dot_b is the exact
    integer sum of (level - zero) * activation code and each product and sum is rounded to f32 (the last product and the
    sum may be one fused operation). A code is its own level and the scale the step, unless the format has a codebook
    (lib/formats/Format.h).
    `format` and `method` record what assign-formats decided; the passes named by `method` (`gptq`, `awq,gptq`) act on it,
    each taking its name away.

    ```mlir
    %y = lowbit.linear %x, %w
           : (tensor<?x288xf32>, !lowbit.weight<768x288, #lowbit.format<f32>>) -> tensor<?x768xf32>
    ```

    Constraints:
    C1. The weight has two dimensions.
    C2. Weight and activation reduce over the same size.
    C3. The result has the rows of the weight as channels.
    C4. Activations with codes have the weight's blocks, plain ones its element.
    C5. Input and result have as many tokens.
  }];
  let arguments = (ins Lowbit_LinearInput:$input, Lowbit_WeightType:$weight, OptionalAttr<Lowbit_FormatAttr>:$format,
                       OptionalAttr<StrAttr>:$method);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = [{
    $input `,` $weight attr-dict `:` `(` type($input) `,` type($weight) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Lowbit_RmsNormOp : Lowbit_Op<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Root mean square normalization of each token";
  let description = [{
    y = x / sqrt(mean(x^2) + epsilon) * scale [Zhang and Sennrich 2019]; the mean runs over the channels.

    ```mlir
    %y = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x288xf32>, !lowbit.weight<288, #lowbit.format<f32>>
    %y = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x288xf32>
    ```

    Constraints:
    C1. There is one scale per channel, f32.
    C2. The epsilon is finite and not negative.
  }];
  let arguments = (ins Lowbit_Tokens:$input, Optional<Lowbit_WeightType>:$scale, F32Attr:$epsilon);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = [{
    $input (`scale` $scale^)? `epsilon` custom<Float>($epsilon) attr-dict `:` type($result) (`,` type($scale)^)?
  }];
  let hasVerifier = 1;
}

def Lowbit_AddBiasOp : Lowbit_Op<"add_bias", [Pure, Elementwise, AllTypesMatch<["input", "result"]>]> {
  let summary = "A trained vector added to each token";
  let description = [{
    y[t, n] = x[t, n] + bias[n].

    ```mlir
    %y = lowbit.add_bias %x, %b : tensor<?x288xf32>, !lowbit.weight<288, #lowbit.format<f32>>
    ```

    Constraints:
    C1. There is one element per channel, f32.
  }];
  let arguments = (ins Lowbit_Tokens:$input, Lowbit_WeightType:$bias);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = "$input `,` $bias attr-dict `:` type($result) `,` type($bias)";
  let hasVerifier = 1;
}

def Lowbit_RopeOp : Lowbit_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotary position embedding of each head";
  let description = [{
    Rotates pairs of channels of each head by the angle of the token's position [Su et al. 2021]. `cos` and `sin` are
    tables [positions, pairs]; token t stands at position `past` + t. A pair is channels (i, i + pairs) of the head, or
    (2i, 2i + 1) with `interleaved`. Channels after the last pair pass unchanged.

    ```mlir
    %r = lowbit.rope %q, %cos, %sin at %past heads 6
           : tensor<?x288xf32>, !lowbit.weight<256x24, #lowbit.format<f32>>
    ```

    Constraints:
    C1. The channels divide into the heads.
    C2. Both tables are f32, have two dimensions and the same shape.
    C3. The pairs fit into a head.
  }];
  let arguments = (ins Lowbit_Tokens:$input, Lowbit_WeightType:$cos, Lowbit_WeightType:$sin, Index:$past,
                       I64Attr:$heads, UnitAttr:$interleaved);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = [{
    $input `,` $cos `,` $sin `at` $past `heads` $heads (`interleaved` $interleaved^)? attr-dict
    `:` type($result) `,` custom<SameType>(type($cos), type($sin))
  }];
  let hasVerifier = 1;
}

def Lowbit_AppendOp : Lowbit_Op<"append"> {
  let summary = "Put the keys and values of new tokens into a cache";
  let description = [{
    Token t goes to position `past` + t.

    ```mlir
    lowbit.append %k, %v to %cache at %past : tensor<?x288xf32>, !lowbit.cache<heads 6, size 48>
    ```

    Constraints:
    C1. Keys and values have heads * size channels of the cache.
    C2. There is a value for each key.
  }];
  let arguments = (ins Lowbit_Tokens:$keys, Lowbit_Tokens:$values, Arg<Lowbit_CacheType, "", [MemWrite]>:$cache,
                       Index:$past);
  let assemblyFormat = [{
    $keys `,` $values `to` $cache `at` $past attr-dict `:` custom<SameType>(type($keys), type($values)) `,` type($cache)
  }];
  let hasVerifier = 1;
}

def Lowbit_AttentionOp : Lowbit_Op<"attention", [AllTypesMatch<["queries", "result"]>]> {
  let summary = "Causal attention of new tokens over a cache";
  let description = [{
    softmax(scale * Q K^T) V per head; token t sees positions 0 .. `past` + t. Query heads share the cache's heads in
    equal groups, in order.

    ```mlir
    %a = lowbit.attention %q, %cache at %past heads 6 scale 0.144337565
           : tensor<?x288xf32>, !lowbit.cache<heads 6, size 48>
    ```

    Constraints:
    C1. The queries have heads * size channels.
    C2. The query heads divide by the cache's.
  }];
  let arguments = (ins Lowbit_Tokens:$queries, Arg<Lowbit_CacheType, "", [MemRead]>:$cache, Index:$past,
                       I64Attr:$heads, F32Attr:$scale);
  let results = (outs Lowbit_Tokens:$result);
  let assemblyFormat = [{
    $queries `,` $cache `at` $past `heads` $heads `scale` custom<Float>($scale) attr-dict `:` type($result) `,` type($cache)
  }];
  let hasVerifier = 1;
}

def Lowbit_QuantizeActivationOp : Lowbit_Op<"quantize_activation", [Pure]> {
  let summary = "Activations as a linear reads them";
  let description = [{
    The activation contract of `!lowbit.activation` applied to each token.

    ```mlir
    %a = lowbit.quantize_activation %x
           : tensor<?x288xf32> -> !lowbit.activation<?x288, #lowbit.format<int8, block 32, scale f32>>
    ```

    Constraints:
    C1. Input and result have the same shape.
  }];
  let arguments = (ins Lowbit_Tokens:$input);
  let results = (outs Lowbit_ActivationType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

//===-- Calibration: what is looked at --------------------------------------------------------------------------------===//

def Lowbit_ObserveOp : Lowbit_Op<"observe", [MemoryEffects<[MemWrite]>]> {
  let summary = "Values that are looked at while the model runs on calibration data";
  let description = [{
    Names what is gathered about each channel of `input` over all calibration tokens: `hessian`, 2/tokens * sum x x^T;
    `magnitude`, mean |x|; `range`, smallest and largest. What was gathered goes to a file, never into the IR.

    ```mlir
    lowbit.observe %n gather ["hessian", "range"] : tensor<?x288xf32>
    ```

    Constraints:
    C1. Something is gathered, and only what has a name above, each once.
  }];
  let arguments = (ins Lowbit_Tokens:$input, StrArrayAttr:$gather);
  let assemblyFormat = "$input `gather` $gather attr-dict `:` type($input)";
  let hasVerifier = 1;
}

//===-- Kernels: what runs as one -----------------------------------------------------------------------------------===//

def Lowbit_KernelOp : Lowbit_Op<"kernel", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "A region that becomes one kernel";
  let description = [{
    Fusion only moves operations into the region; it computes nothing and forgets nothing. The region reads values
    from outside freely. Before buffers are placed the kernel gives what it yields; afterwards it writes each yielded
    value to its `outs` (an activation to three: codes, scales, sums) and gives nothing. Its effects are those of the
    region and the writes to `outs`. Canonicalization drops results that nobody reads.

    ```mlir
    %a = lowbit.kernel {
      %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<1x288xf32>
      %q = lowbit.quantize_activation %n : tensor<1x288xf32> -> !lowbit.activation<...>
      lowbit.yield %q : !lowbit.activation<...>
    } : !lowbit.activation<...>
    ```

    Constraints:
    C1. Without `outs`, results and yielded values have the same types.
    C2. With `outs`, there are no results.
    C3. With `outs`, there are three for each activation yielded, and one for each other value.
  }];
  let arguments = (ins Arg<Variadic<AnyMemRef>, "where the yielded values go", [MemWrite]>:$outs);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`outs` `(` $outs^ `:` type($outs) `)`)? attr-dict-with-keyword $body (`:` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// What the region yields.
    ::mlir::OperandRange getYielded();
  }];
  let hasCanonicalizeMethod = 1;
  let hasVerifier = 1;
}

def Lowbit_YieldOp : Lowbit_Op<"yield", [Pure, Terminator, ParentOneOf<["KernelOp"]>]> {
  let summary = "What a kernel gives";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif
