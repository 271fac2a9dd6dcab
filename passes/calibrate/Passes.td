// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the calibrate stage: where to look, and the model as functions that can be run to look there.
#ifndef HALFTONE_CALIBRATE_PASSES
#define HALFTONE_CALIBRATE_PASSES

include "mlir/Pass/PassBase.td"

def Observe : Pass<"observe"> {
  let summary = "Mark the inputs of linears for observation";
  let description = [{
    Each value that some linear reads gets one `lowbit.observe`, right after its producer, however many linears read it.
    Activations that are contracted already cannot be observed.

    Example (gather = hessian):
      %q = lowbit.linear %n, %w : ...
    =>
      lowbit.observe %n gather ["hessian"] : tensor<?x288xf32>
      %q = lowbit.linear %n, %w : ...
  }];
  let options = [ListOption<"gather", "gather", "std::string",
                            "What to gather: hessian, magnitude, range; all of them by default">];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def DropObservations : Pass<"drop-observations"> {
  let summary = "Remove observations that have served";
  let description = [{
    Erases every `lowbit.observe`, and what weights note of their `original`. Later stages know none.

    Example:
      lowbit.observe %n gather ["hessian"] : ...
      %q = lowbit.linear %n, %w : ...
    =>
      %q = lowbit.linear %n, %w : ...
  }];
}

def Calibrate : Pass<"calibrate", "::mlir::ModuleOp"> {
  let summary = "Run the model on calibration data and gather what is observed";
  let description = [{
    Compiles the model, runs it block after block on all sequences and writes what each `lowbit.observe` asks for to a
    file (safetensors; lib/calibrate/StatisticsFile.h). The module records the file, each weight the name of its
    statistics there: the weight that first reads them. The observations stay, and so does all else.

    The sequences come from the pipeline, or from `data`, an .npz file with an array for each tensor the model's
    function takes, `arg0`, `arg1` ... (a single one may have any name): [sequences, tokens] of int64 ids, or
    [sequences, tokens, channels] of f32. An .npy file is such a single array.

    Example:
      lowbit.weight @k : ... in "stories.onnx" at 36864000
    =>
      lowbit.weight @k : ... in "stories.onnx" at 36864000 {lowbit.statistics = "q"}
  }];
  let options = [
    Option<"data", "data", "std::string", "\"\"", "The sequences, an .npz or .npy file">,
    Option<"statistics", "statistics", "std::string", "\"\"", "The file to write; <data>.statistics by default">,
    Option<"memory", "memory", "uint64_t", "1 << 30", "Most bytes of activations to keep in memory">,
  ];
}

def OutlineSegments : Pass<"outline-segments", "::mlir::ModuleOp"> {
  let summary = "Make the model's function a chain of calls";
  let description = [{
    Moves the operations on tokens that stand between calls of `forward`, or else of the only function that nobody
    calls, into private functions `forward.0`, `forward.1` ..., so that the whole model runs function by function.
    Handles stay outside and become arguments; constants go along.

    Example:
      %0 = lowbit.embedding %tokens, %table : ...            %0 = call @forward.0(%tokens, %table)
      %1 = call @block(%0, %w)                         =>    %1 = call @block(%0, %w)
      %2 = lowbit.rms_norm %1 scale %g ...                   %2 = call @forward.1(%1, %g)
  }];
}

def SplitObservations : Pass<"split-observations", "::mlir::ModuleOp"> {
  let summary = "Give each observed value a function that computes it";
  let description = [{
    For the i-th `lowbit.observe` of a function a clone `<name>.observed.<i>` returns the observed value and, when one
    linear reads it whose outputs are added to something, that; what is not needed for them goes away when the
    canonicalizer runs. No observation is left. So one function serves to
    see a value as it is once the weights before it are quantized, however far that has come.

    Example:
      func.func private @block(%x, %w) {            func.func private @block(%x, %w) { ... return %y }
        lowbit.observe %n gather [...]        =>    func.func private @block.observed.0(%x, %w) { ... return %n }
        ... return %y }
  }];
}

def LowerSequences : Pass<"lower-sequences", "::mlir::ModuleOp"> {
  let summary = "Lower functions on tokens to linalg, for whole sequences";
  let description = [{
    Each function computes a whole sequence of `length` tokens at once, from the first on: the past is 0, and attention
    reads the keys and values that the same function appends. Weights become tensors of f32, whatever their format: who
    calls decodes them. Arguments that are caches or positions go away. Contracted activations, and keys and values in
    a cache of another format than f32, become what they are worth.

    Why not the lowerings of `lower`: those make kernels for a processor, a packed layout and a cache that outlives the
    call; here products of large matrices count, and upstream's way through tensors serves.

    Example (length = 16):
      func.func @f(%x: tensor<?x8xf32>, %w: !lowbit.weight<4x8, ...>, %past: index) -> tensor<?x4xf32>
    =>
      func.func @f(%x: tensor<16x8xf32>, %w: tensor<4x8xf32>) -> tensor<16x4xf32>
  }];
  let options = [Option<"length", "length", "int64_t", "256", "Tokens of a sequence">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif
