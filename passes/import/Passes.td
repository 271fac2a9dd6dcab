// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the import stage, in their order.
#ifndef HALFTONE_IMPORT_PASSES
#define HALFTONE_IMPORT_PASSES

include "mlir/Pass/PassBase.td"

def ImportModel : Pass<"import-model", "::mlir::ModuleOp"> {
  let summary = "Read an ONNX model into an empty module";
  let description = [{
    Every node of the graph becomes an `onnx.node` of func.func @graph, every trained tensor (float32, float16 or
    bfloat16, one or two dimensions, at least 16 elements) a `lowbit.weight` whose bytes stay in the file, every other
    constant an `arith.constant`. What the graph computes in half precision is computed in f32. The arguments of @graph
    carry their ONNX names and symbolic dimensions as attributes. An operator that the stage does not understand is an
    error naming file, node, operator, opset, and the operators that it does.

    Example:
      qopt --import-model="file=stories.onnx"
  }];
  let options = [
    Option<"file", "file", "std::string", "", "The model, .onnx">,
    Option<"externalDataRoot", "external-data-root", "std::string", "", "A folder where external data may lie too">,
    Option<"context", "context", "int64_t", "0", "The longest sequence; 0: what the model says">,
  ];
  let dependentDialects = ["::halftone::onnx::OnnxDialect", "::halftone::lowbit::LowbitDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}

def ExpandOperators : Pass<"expand-operators", "::mlir::ModuleOp"> {
  let summary = "Write out operators that mean several others";
  let description = [{
    A norm with the sum before it, rotary embeddings, attention with rotation, cache and mask inside: each becomes the
    simple nodes that it means, so that later passes recognise one spelling. Positions and masks are computed from what
    the operator is given. A parameter, input or output that has no such meaning is an error naming it. Nodes made here
    are called in errors as the one they stand for.

    Example:
      %y, %s = onnx.node "SkipSimplifiedLayerNormalization" (%a, %b, %g)
    =>
      %s = onnx.node "Add" (%a, %b)
      %y = onnx.node "SimplifiedLayerNormalization" (%s, %g)
  }];
  let dependentDialects = ["::halftone::onnx::OnnxDialect", "::mlir::arith::ArithDialect"];
}

def BindInputs : Pass<"bind-inputs", "::mlir::ModuleOp"> {
  let summary = "Make the graph of a decoder a function of new tokens and the length of the past";
  let description = [{
    Batch is bound to 1. The ids are the integers that name rows of the embedding table; another integer input that
    reaches the angles of a rotation holds positions (past, past + 1, ...), one that does not is a mask of ones; float
    inputs of four dimensions are past keys and values. A graph without those starts at position 0. A size of the past
    that the file only has a name for is that of the new keys or values put behind it.

    Example:
      func @graph(%ids: tensor<?x?xi64>, %mask: tensor<?x?xi64>, %k: tensor<?x6x?x48xf32>)
    =>
      func @forward(%tokens: tensor<?xi64>, %past: index, %k: tensor<1x6x?x48xf32> {halftone.past})
  }];
  let dependentDialects = ["::halftone::onnx::OnnxDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def KeepAllTokens : Pass<"keep-all-tokens", "::mlir::func::FuncOp"> {
  let summary = "Let a head that only looks at the last token look at all";
  let description = [{
    Some exporters give the logits of the last token. A Slice or Gather between the last norm and the result that
    evaluates to the last row goes away; runs before shapes are resolved, which then follow.

    Example:
      %1 = onnx.node "Slice" (%x, %minusOne, %end, %tokens)
      %2 = onnx.node "MatMul" (%1, %head)                       =>      %2 = onnx.node "MatMul" (%x, %head)
  }];
}

def ResolveShapes : Pass<"resolve-shapes", "::mlir::func::FuncOp"> {
  let summary = "Give every value its shape and replace what is constant by constants";
  let description = [{
    The function is evaluated for several numbers of tokens and lengths of the past. Dimensions that stay the same are
    static, the others dynamic; elements that stay the same become constants; shape operands of Reshape and Expand
    become constants too. Casts to the same type and other nodes without effect go away. What remains of the shape
    arithmetic feeds masks and positions. A node that gives nothing for the shapes of its inputs is an error. No upstream pass serves: shape inference there is op by op, without elements.

    Example:
      %s = onnx.node "Shape" (%x)
      %d = onnx.node "Concat" (%batch, %length, %c-1, %c48)        %d = arith.constant dense<[1, -1, 6, 48]>
      %y = onnx.node "Reshape" (%x, %d) : tensor<*xf32>      =>    %y = onnx.node "Reshape" (%x, %d) : tensor<1x?x6x48xf32>
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ConvertLinears : Pass<"convert-linears", "::mlir::ModuleOp"> {
  let summary = "Turn products with a weight into lowbit.linear";
  let description = [{
    MatMul and Gemm whose right side is a weight or its Transpose. The weight gets the type [outputs, inputs];
    `transposed` says that the file has it the other way. Activations lose their batch of 1. What Gemm adds becomes an
    Add.

    Example:
      %y = onnx.node "MatMul" (%x, %w) : (tensor<1x?x64xf32>, !lowbit.weight<64x32, ...>)
    =>
      %y = lowbit.linear %x2, %w : (tensor<?x64xf32>, !lowbit.weight<32x64, ...>) -> tensor<?x32xf32>
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def ConvertEmbedding : Pass<"convert-embedding", "::mlir::ModuleOp"> {
  let summary = "Turn the Gather of a table's rows by token ids into lowbit.embedding";
  let description = [{
    The table may be a Transpose of what the file has. Other Gathers, such as those of rows of angles by positions,
    stay.

    Example:
      %x = onnx.node "Gather" (%table, %ids) : tensor<1x?x64xf32>
    =>
      %x = lowbit.embedding %tokens, %table : tensor<?x64xf32>
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def ConvertBiases : Pass<"convert-biases", "::mlir::func::FuncOp"> {
  let summary = "Turn sums with a trained vector into lowbit.add_bias";
  let description = [{
    Add of activations and a weight of one dimension with an element for each channel.

    Example:
      %y = onnx.node "Add" (%x, %b) : (tensor<1x?x64xf32>, !lowbit.weight<64, ...>)
    =>
      %y = lowbit.add_bias %x2, %b : tensor<?x64xf32>, !lowbit.weight<64, ...>
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def ShareTiedWeights : Pass<"share-tied-weights", "::mlir::ModuleOp"> {
  let summary = "Let matrices of equal content be one weight";
  let description = [{
    Exporters write a head tied to the embedding as a second tensor, often transposed. Where all elements are equal, bit
    for bit, the second name goes away.

    Example:
      lowbit.weight @embedding : !lowbit.weight<512x64, ...> in "a.onnx" at 0
      lowbit.weight @head : !lowbit.weight<512x64, ...> in "a.onnx" at 131072 transposed      =>   uses of @head read @embedding
  }];
}

def RecogniseNorms : Pass<"recognise-norms", "::mlir::func::FuncOp"> {
  let summary = "Recognise root mean square norms";
  let description = [{
    x / sqrt(mean(x^2) + epsilon), times a scale: by Pow or Mul, with Sqrt and Div, Reciprocal or Pow, or as one operator.
    The mean runs over the last dimension; the epsilon is a constant.

    Example:
      %2 = onnx.node "Pow" (%x, %two)
      %3 = onnx.node "ReduceMean" (%2, %last)
      %4 = onnx.node "Add" (%3, %epsilon)
      %5 = onnx.node "Sqrt" (%4)
      %6 = onnx.node "Div" (%one, %5)
      %7 = onnx.node "Mul" (%x, %6)
      %8 = onnx.node "Mul" (%g, %7)         =>      %8 = lowbit.rms_norm %x scale %g epsilon 1.0e-05
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def RecogniseRope : Pass<"recognise-rope", "::mlir::ModuleOp"> {
  let summary = "Recognise rotary position embeddings";
  let description = [{
    By evaluation: a value whose every element is, as a linear form over an activation, a rotation of a pair of channels
    of one head by an angle that depends on the position only; channels after the last pair pass unchanged. So it does
    not matter whether pairs are halves or neighbours, how they are taken apart and put together, whether angles are
    computed or gathered, or where attention factors are folded in. The tables for all positions of the context go to
    the work file; tables of equal content are one.

    Example:
      %1 = onnx.node "Mul" (%x, %cosines)
      %2 = onnx.node "Concat" (%negatedHalf, %half)
      %3 = onnx.node "Mul" (%2, %sines)
      %4 = onnx.node "Add" (%1, %3)         =>      %4 = lowbit.rope %x, %cos, %sin at %past heads 6
  }];
  let options = [
    Option<"work", "work", "std::string", "", "The file that the tables are written to">,
    Option<"model", "model", "std::string", "", "The model, which the work file may not replace">,
  ];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def RecogniseAttention : Pass<"recognise-attention", "::mlir::ModuleOp"> {
  let summary = "Recognise causal attention and its cache";
  let description = [{
    From a Softmax: its argument is a product of queries and keys, scaled and masked, its result times the values. Which
    element of which activation stands where, the scale and the mask are found by evaluation. The keys and values are
    those of the past and the new ones, or the new ones alone: the graph then gets a cache. Channels that are a part of
    an activation become a tensor.extract_slice of it. A mask that is not causal is an error naming the first position
    that differs.

    Example:
      %s = onnx.node "Softmax" (...)                     lowbit.append %k, %v to %cache at %past
      %o = onnx.node "MatMul" (%s, %values)      =>      %o = lowbit.attention %q, %cache at %past heads 6 scale 0.144
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::tensor::TensorDialect"];
}

def BindOutputs : Pass<"bind-outputs", "::mlir::ModuleOp"> {
  let summary = "Let @forward give the logits of all tokens, and nothing else";
  let description = [{
    Present keys and values are in the caches; their arguments and results go away. An embedding table of fewer rows
    than there are logits is an error: a chosen token could have no row.

    Example:
      func @forward(%tokens, %past, %k, %v) -> (tensor<1x?x512xf32>, tensor<1x6x?x48xf32>, tensor<1x6x?x48xf32>)
    =>
      func @forward(%tokens, %past) -> tensor<?x512xf32>
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def CancelMovements : Pass<"cancel-movements", "::mlir::func::FuncOp"> {
  let summary = "Remove reshapes, transposes and slices that together move nothing";
  let description = [{
    A value that evaluates to the elements of an activation in their own order is that activation; one that evaluates
    to some of its channels, a tensor.extract_slice.

    Example:
      %1 = onnx.node "Transpose" (%x)
      %2 = onnx.node "Transpose" (%1)        =>      %x
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def ConvertElementwise : Pass<"convert-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Turn arithmetic on activations into arith and math";
  let description = [{
    On [tokens, channels]; scalars become tensor.splat, Sigmoid becomes 1 / (1 + exp(-x)).

    Example:
      %y = onnx.node "Add" (%a, %b) : tensor<1x?x64xf32>      =>      %y = arith.addf %a, %b : tensor<?x64xf32>
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def SplitLinears : Pass<"split-linears", "::mlir::ModuleOp"> {
  let summary = "Let each part of a linear's channels be a linear of its own";
  let description = [{
    Exporters join queries, keys and values, or gate and up, into one product. A tensor.extract_slice of channels of a
    linear, with or without a bias, becomes a linear with those rows of the weight; lowbit.slice_rows are evaluated in
    the `quantize` stage. Formats are then decided for each, and kernels join them again. A slice of anything else is
    an error.

    Example:
      %1 = lowbit.linear %x, %w : ... -> tensor<?x864xf32>        %v = lowbit.slice_rows %w from 288 : ...
      %2 = tensor.extract_slice %1[0, 288] [%n, 288] [1, 1]   =>  %2 = lowbit.linear %x, %v : ... -> tensor<?x288xf32>
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def DropUnused : Pass<"drop-unused", "::mlir::ModuleOp"> {
  let summary = "Remove weights and caches that no operation names";
  let description = [{
    Frequencies of rotations and copies of shared matrices are not read any more once others are recognised.

    Example:
      lowbit.weight @inv_freq : !lowbit.weight<24, ...> in "a.onnx" at 0      =>      (nothing, if nobody gets @inv_freq)
  }];
}

def CountParameters : Pass<"count-parameters", "::mlir::ModuleOp"> {
  let summary = "Record how many weights the model was trained with";
  let description = [{
    `halftone.parameters` counts the elements of all weights that some operation uses, but of tables of angles: a tied
    weight once, however many copies later stages make of it.

    Example:
      lowbit.weight @embedding : <512x64, <f32>> ...     =>     module attributes {halftone.parameters = 32768 : i64}
  }];
}

def VerifyImported : Pass<"verify-imported", "::mlir::ModuleOp"> {
  let summary = "Check that no onnx operation is left";
  let description = [{
    The first one left is an error naming file, node, operator and opset.

    Example:
      %y = onnx.node "Add" (%x, %matrix) named "q"
    =>
      a.onnx: node 'q' (Add, opset 18): this use of the operator is not understood
  }];
}

def OutlineBlocks : Pass<"outline-blocks", "::mlir::ModuleOp"> {
  let summary = "Make the repeated layers of @forward one function";
  let description = [{
    Finds the longest run of equal sequences of operations, each fed by the one before; weights and caches become
    arguments. Operations are brought into an order that follows from the dataflow alone first. No upstream pass serves:
    none compares sequences.

    Example:
      func @forward                              func private @block(%x, %past, %w1, %w2, %cache)
        <layer 0>                         =>     func @forward
        <layer 1>                                  %1 = call @block(%x, %past, %w1.0, %w2.0, %cache.0)
                                                   %2 = call @block(%1, %past, %w1.1, %w2.1, %cache.1)
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

#endif
