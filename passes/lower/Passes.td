// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the lower stage.
#ifndef HALFTONE_LOWER_PASSES
#define HALFTONE_LOWER_PASSES

include "mlir/Pass/PassBase.td"

def NumberKernels : Pass<"number-kernels", "::mlir::ModuleOp"> {
  let summary = "Number kernels, and write down what each does and costs";
  let description = [{
    Each `lowbit.kernel` gets its `site`, which the barrier behind it hands to the runtime: that is how an executable
    tells how long its kernels take. The module's `halftone.sites` says of each number which function it stands in, what
    it does, the bytes of weights that a call reads, the operations on each token, and the bytes of the cache that it
    reads for each position.

    Example:
      lowbit.kernel { %y = lowbit.linear %a, %w : (...) -> tensor<1x288xf32> ... }
    =>
      lowbit.kernel attributes {site = 4 : i64} { ... }
      halftone.sites = [..., {bytes = 46656 : i64, does = "linear 288x288 int4-g32", function = "block_1",
                              operations = 165888 : i64, position_bytes = 0 : i64}, ...]

    The module also gets `halftone.prefill_operations`, the operations on a token of the phase `prefill`; choose-kernels
    adds to each site the instructions that it multiplies by, one for each target: `dots = ["vpdpbusd.512"]`.
  }];
}

def SplitTargets : Pass<"split-targets", "::mlir::ModuleOp"> {
  let summary = "Copy the functions for each of several targets";
  let description = [{
    Where the module has `halftone.targets`, every function is copied per target, and each copy gets its
    `halftone.target`; those of target n > 0 have `.n` behind their names. What stands for all of them, weights and caches, stays one: a program
    for several processors packs its weights once.

    Example:
      module attributes {halftone.targets = [#a, #b]} { func.func @decode() }
    =>
      module attributes {halftone.targets = [#a, #b]} {
        func.func @decode() attributes {halftone.target = #a}
        func.func @decode.1() attributes {halftone.target = #b}
      }
  }];
  let dependentDialects = ["::halftone::kernel::KernelDialect"];
}

def ChooseKernels : Pass<"choose-kernels", "::mlir::ModuleOp"> {
  let summary = "Decide each kernel's schedule and each weight's layout";
  let description = [{
    Records a `#kernel.schedule` on every `lowbit.kernel` and, on the weight of every matrix product and table of
    embeddings, the `#kernel.layout` that the target's dot instruction for the weight's format wants. The schedule's
    tiles and tokens are the register tile that loads least for each product. Nothing changes but attributes; pack-weights and the lowerings act on them. The `halftone.target` of the function or module decides;
    with several, the widest vectors give the lanes of all, because they share the weights: narrower instructions take
    a vector in pieces.

    Example:
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 0
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 0 {layout = #kernel.layout<lanes 16, group 4>}
  }];
  let options = [Option<"reference", "reference", "bool", "false",
                        "For lower-reference: every such weight gets #kernel.unpacked, kernels get no schedule">];
  let dependentDialects = ["::halftone::kernel::KernelDialect"];
}

def PackWeights : Pass<"pack-weights", "::mlir::ModuleOp"> {
  let summary = "Write the weight segment: every weight in its kernel's order";
  let description = [{
    A lossless copy, tile by tile, from where a weight is to `output`. Each weight used gets a place there, 64-byte
    aligned, in the order of the module, and its layout becomes the encoding of its type everywhere: tiles for
    `#kernel.layout`, plain arrays for `#kernel.unpacked`, else rows one after another. Weights that no function uses
    are dropped. The module records what was written, `halftone.weight_bytes`, and the bytes that a decode call reads,
    `halftone.decode_bytes`.

    Example:
      lowbit.weight @q : <288x288, <int4, ...>> in "work" at 0 {layout = #kernel.layout<lanes 16, group 4>}
    =>
      lowbit.weight @q : <288x288, <int4, ...>, #kernel.layout<lanes 16, group 4>> in "segment" at 4096
  }];
  let options = [Option<"work", "work", "std::string", "\"\"", "The file to write">];
}

def PlaceBuffers : Pass<"place-buffers", "::mlir::ModuleOp"> {
  let summary = "Give each value that passes between kernels a buffer";
  let description = [{
    A kernel's results become its `outs`; a tensor is one buffer, an activation three (codes, scales, sums). Functions
    take their tensors as buffers and write their results to arguments. Within a kernel, values from outside are read
    through `bufferization.to_tensor` and `kernel.activation`.
    One-shot bufferization does not serve here: it decides what can share memory inside destination-passing code, while
    these values are written once by kernels that have no loops yet; plan-memory lets them share memory afterwards.

    Example:
      %a = lowbit.kernel { ... lowbit.yield %v : tensor<1x288xf32> } : tensor<1x288xf32>
    =>
      %m = memref.alloc() : memref<1x288xf32>
      lowbit.kernel outs(%m : memref<1x288xf32>) { ... lowbit.yield %v : tensor<1x288xf32> }
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect",
                           "::halftone::kernel::KernelDialect"];
}

class LowerKernels<string name, string what> : Pass<name, "::mlir::func::FuncOp"> {
  let summary = "Lower kernels of " # what # " to loops over vectors";
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
                           "::halftone::kernel::KernelDialect"];
}

def LowerLinear : LowerKernels<"lower-linear", "linears"> {
  let description = [{
    With few tokens, one parallel loop over the tiles of rows of the weight; within it a loop over groups of tokens, and
    one over the blocks along the columns: decode the block once, one dot per token, scale.
    With many, one parallel loop over panels of several tiles. Of a panel, as many columns as fit into the first cache
    are decoded into the thread's memory; then for each group of tokens the sums of all tiles are in registers while
    the blocks go by.
    Elementwise operations of the kernel work on the sums before they are stored; linears that feed the same operation
    share the loop.

    Example, for each panel of 3 tiles and 4 tokens at a time:
      scf.forall (%panel) in (6) {
        scf.for %b ... { kernel.decode; vector.store %levels }                  // 512 columns
        scf.for %t = 0 to 256 step 4 { scf.for %b ... { 96 x kernel.dot_step; 12 x kernel.dot_finish } }
        scf.for %t = 0 to 256 { elementwise operations; vector.store }
      }
  }];
}

def LowerRows : LowerKernels<"lower-rows", "norms, elementwise operations and activation quantization"> {
  let description = [{
    One parallel loop over the tokens. Norms and quantizations run over the channels of their row in vectors, and so
    does each value that leaves the kernel; elementwise values stay in registers and are computed again in each such
    loop.
  }];
}

def LowerRope : LowerKernels<"lower-rope", "rotary embeddings and cache appends"> {
  let description = [{
    One parallel loop over tokens and heads per operation.
  }];
}

def LowerAttention : LowerKernels<"lower-attention", "attention"> {
  let description = [{
    One parallel loop over heads and groups of four tokens. Scores of a group are computed for some vectors of positions
    at a time from the transposed keys, the softmax subtracts the maximum, and the values are summed position by
    position: one order, whatever the threads and whichever tokens come together.
  }];
}

def LowerEmbedding : LowerKernels<"lower-embedding", "embeddings"> {
  let description = [{
    One parallel loop over the tokens: decodes the tile that holds the token's row and takes the row's lane out of it.
  }];
}

def LowerReference : Pass<"lower-reference", "::mlir::func::FuncOp"> {
  let summary = "Lower every kernel to plain scalar loops: the oracle";
  let description = [{
    Takes the place of lower-linear, lower-rows, lower-rope, lower-attention and lower-embedding. Each operation becomes
    the loops that its description states, one element at a time, in the order it states and without fused
    multiply-adds: slow, short and obviously right. Weights are unpacked (`#kernel.unpacked`); an integer dot is exact,
    its scaling two roundings. Numeric tests compare the other lowerings with this one. linalg has no operation for a
    blocked integer dot with zero points, so the loops are written out in `scf`.

    Example (int8 activations, blocks of 32):
      %y = lowbit.linear %a, %w
    =>
      scf.forall (%n) in (288) { scf.for %t ... {
        %sum = scf.for %b = ... iter_args(%total = 0.0) {
          %dot = scf.for %i = ... iter_args(%acc = 0) { (code - zero) * activation }
          total + f32(dot) * (weight scale * activation scale) } } }
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::halftone::kernel::KernelDialect"];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every buffer a place in one arena";
  let description = [{
    Buffers of a function that are never alive together share memory; a called function's buffers lie after its
    caller's. Each `memref.alloc` becomes a view of the function's new first argument, the arena from the function's
    frame on; the module records the size of the whole, `halftone.arena_bytes`. No upstream pass serves: buffer
    deallocation and hoisting keep allocations dynamic.

    Example:
      %m = memref.alloc() : memref<1x288xf32>
    =>
      %m = memref.view %arena[%c128][] : memref<65536xi8> to memref<1x288xf32>
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def SplitThreads : Pass<"split-threads", "::mlir::func::FuncOp"> {
  let summary = "Turn parallel loops into each thread's share";
  let description = [{
    Of n iterations thread i of t runs those from n * i / t to n * (i + 1) / t. No iteration depends on another and no
    sum crosses iterations, so results do not depend on t.

    Example:
      scf.forall (%i) in (18) { ... }
    =>
      scf.for %i = %first to %last step %c1 { ... }
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::halftone::kernel::KernelDialect"];
}

def BindMemory : Pass<"bind-memory", "::mlir::ModuleOp"> {
  let summary = "Resolve weights, caches and threads to addresses and arguments";
  let description = [{
    Every function gets the context of a call as its first arguments: weight segment, cache, team, thread, threads.
    Handles become offsets: a weight's in the segment, a cache's in a step of the cache. The cache grows by steps of
    16 positions that hold the keys and values of all layers, so its capacity is the caller's choice. Records
    `halftone.cache_positions` and `halftone.cache_bytes`. No `lowbit` operation is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def RollCalls : Pass<"roll-calls", "::mlir::ModuleOp"> {
  let summary = "Turn calls in a row that differ in numbers into a loop";
  let description = [{
    Three calls or more of one function with nothing but pure operations between them, whose operands are the same but
    for constants and for where views begin, become one call in a loop; the numbers go to a constant table, a row for
    each call. The code of a model does not grow with its layers. Upstream's affine and scf passes roll no code.

    Example:
      func.call @block(%weights, %c64, %x)
      func.call @block(%weights, %c128, %x)
      func.call @block(%weights, %c192, %x)
    =>
      memref.global "private" constant @decode.calls : memref<3x1xi64> = dense<[[64], [128], [192]]>
      scf.for %i = %c0 to %c3 step %c1 {
        %w = memref.load %table[%i, %c0]
        func.call @block(%weights, %w, %x)
      }
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect"];
}

def VerifyLowered : Pass<"verify-lowered", "::mlir::ModuleOp"> {
  let summary = "Check that the lower stage left nothing behind";
  let description = [{
    No operation or type of `lowbit` is left, no tensor, no parallel loop, no allocation and no handle; and every dot
    instruction is one that the target has.
  }];
}

#endif
