// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the quantize stage: decide formats, act on the decisions, contract activations, check.
#ifndef HALFTONE_QUANTIZE_PASSES
#define HALFTONE_QUANTIZE_PASSES

include "mlir/Pass/PassBase.td"

def PinFormats : Pass<"pin-formats", "::mlir::ModuleOp"> {
  let summary = "Decide the formats of weights by name";
  let description = [{
    Gives weights that linears or embeddings decode a `wanted` format, which assign-formats puts before what it would
    decide itself. The first glob that a name matches counts; one that matches nothing is an error.

    Example (formats = *.down_proj.weight=int4-g32):
      lowbit.weight @model.layers.0.mlp.down_proj.weight : ...
    =>
      lowbit.weight @model.layers.0.mlp.down_proj.weight : ... {wanted = #lowbit.format<int4, block 32, scale f16>}
  }];
  let options = [Option<"formats", "formats", "std::string", "\"\"", "GLOB=FORMAT,GLOB=FORMAT">];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def AllocateFormats : Pass<"allocate-formats", "::mlir::ModuleOp"> {
  let summary = "Decide the formats of linears under a budget";
  let description = [{
    Chooses one of `candidates` for each weight that linears alone read, heads excepted, so that all together fit and the
    model loses least. What a weight costs in a format is measured: rounded alone, on scales searched with the size of
    its inputs, it changes the outputs of the model on some of the calibration data by a mean KL divergence. The sum of
    these is made least under the budget (lib/quantize/Budget.h). Weights with a `wanted` format keep it and count.
    The budget is `bits` per weight of those linears, or `size` in bytes of all weights, embedding, head and norms
    included. The module records as `lowbit.allocation` the options that would give the same formats.

    Example (candidates = int3-g32,int4-g32 bits = 4):
      lowbit.weight @q : ...                    lowbit.weight @q : ... {wanted = #lowbit.format<int3, block 32, scale f16>}
      lowbit.weight @down : ...           =>    lowbit.weight @down : ... {wanted = #lowbit.format<int4, block 32, scale f16>}
  }];
  let options = [
    ListOption<"candidates", "candidates", "std::string", "Names of formats">,
    Option<"bits", "bits", "double", "0", "Mean bits per weight of linears; 0: `size` is the budget">,
    Option<"size", "size", "int64_t", "0", "Bytes of all weights">,
    Option<"embeddingFormat", "embedding-format", "std::string", "\"\"", "Name of the embeddings' format">,
    Option<"headFormat", "head-format", "std::string", "\"\"", "Name of the head's format">,
    Option<"tokens", "tokens", "int64_t", "1024", "On about how many tokens outputs are compared">,
    Option<"data", "data", "std::string", "\"\"", "The sequences, an .npz or .npy file">,
  ];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def AssignFormats : Pass<"assign-formats", "::mlir::ModuleOp"> {
  let summary = "Decide the number format of every linear and embedding";
  let description = [{
    Records on each linear and embedding the `format` its weight shall have and, on linears with codes, how their
    `activations` are represented. Other passes act. With the option `method` it also records the pass that takes the
    weight there, or several, one after the other (`awq,gptq`): those for weights of codes that only linears read, rtn
    for the others, none when the weight has its format already. Without it the first quantizing pass that comes along
    acts.
    Embedding and head take formats of their own: 8-bit codes by default beside codes, the common format beside plain
    values. The head is the linear whose result alone makes a result of the function `forward`, through calls and
    elementwise operations; a function that also serves elsewhere is cloned for it.
    A weight with a `wanted` format (pin-formats, allocate-formats) gets that one; a function whose calls bring weights
    that are wanted differently is cloned.
    A weight has one format. When two readers want different ones, as tied embeddings and heads can, that is an error
    naming both, or with `untie` the weight gets a second name. Blocks so long that the integer sum of their products
    could pass 32 bits are refused, naming weight, format and columns.

    Example (format = int4-g32, method = rtn):
      %y = lowbit.linear %x, %w : ...
    =>
      %y = lowbit.linear %x, %w {activations = "int8", format = #lowbit.format<int4, block 32, scale f16>,
                                 method = "rtn"} : ...
  }];
  let options = [
    Option<"format", "format", "std::string", "\"\"", "Name of the format of linears">,
    Option<"embeddingFormat", "embedding-format", "std::string", "\"\"", "Name of the embeddings' format">,
    Option<"headFormat", "head-format", "std::string", "\"\"", "Name of the head's format">,
    Option<"untie", "untie", "bool", "false", "Give a weight wanted in several formats a name for each">,
    Option<"activations", "activations", "std::string", "\"int8\"", "Element of contracted activations, or f32">,
    Option<"method", "method", "std::string", "\"\"",
           "The passes that quantize weights which only linears read; by default whichever comes first">,
  ];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def EvaluateWeights : Pass<"evaluate-weights", "::mlir::ModuleOp"> {
  let summary = "Compute derived weights";
  let description = [{
    Evaluates operations that derive weights from others (`lowbit.scale_columns`, `lowbit.rotate_rows` ..) into a work
    file: row by row; a matrix whose rows are rotated has to be in memory. Inside a function that is called with weights
    the operation first moves to its callers, so that each call computes it of its own weights and passes the result in
    the place of the matrix. Equal derivations are computed once. What is derived has the `wanted`
    format of what it is `derived_from`.

    Example:
      %w = lowbit.get @q                                     lowbit.weight @q.scaled : ... in "work" at 0
      %g = lowbit.get @norm                             =>
      %s = lowbit.scale_columns %w, %g : ...                 %s = lowbit.get @q.scaled
  }];
  let options = [Option<"work", "work", "std::string", "\"\"", "The file to write">];
}

def SmoothQuant : Pass<"smooth-quant", "::mlir::ModuleOp"> {
  let summary = "Move outliers of activations into weights";
  let description = [{
    SmoothQuant [Xiao et al. 2022]: the columns of the weights of linears that read the same value are multiplied by
    max|x| ^ alpha / max|w| ^ (1 - alpha), and what produces the value is divided by it, so that activations have the
    smaller spread. Acts where awq does, and leaves the same behind. Needs ranges.
  }];
  let options = [
    Option<"work", "work", "std::string", "\"\"", "The file to write">,
    Option<"alpha", "alpha", "double", "0.5", "How much of the activations' spread goes to the weights, 0 to 1">,
  ];
}

def Awq : Pass<"awq", "::mlir::ModuleOp"> {
  let summary = "Scale columns with large inputs up before they are quantized";
  let description = [{
    AWQ [Lin et al. 2023]: columns of weights whose inputs are large are multiplied by a factor, so that rounding hurts
    them less, and what produces the inputs is divided by it: a norm's scale; the rows of a linear, through a bias, a
    product with something else, or attention that shares no heads. The factors are mean|x| ^ alpha; of `steps` values of
    alpha from 0 on the one wins with which rounding to nearest changes the outputs of the enclosing function least.
    Acts on linears whose `method` begins with awq, or is open, and takes that name away: the weights are still to be
    evaluated, then quantized. A weight that something else reads too is left alone; a remark says so.
    The outputs are those on the pipeline's calibration data or, without a pipeline, on `data`, as calibrate takes it.

    Example:
      %n = lowbit.rms_norm %x scale %g ...                 %i = lowbit.get @q.inverses
      %q = lowbit.linear %n, %w                            %h = lowbit.scale_rows %g, %i
                                                     =>    %n = lowbit.rms_norm %x scale %h ...
                                                           %f = lowbit.get @q.factors
                                                           %v = lowbit.scale_columns %w, %f
                                                           %q = lowbit.linear %n, %v
  }];
  let options = [
    Option<"work", "work", "std::string", "\"\"", "The file to write">,
    Option<"steps", "steps", "int", "20", "How many powers are tried, evenly spaced from 0 to below 1">,
    Option<"data", "data", "std::string", "\"\"", "The sequences, an .npz or .npy file">,
  ];
}

def Rtn : Pass<"rtn", "::mlir::ModuleOp"> {
  let summary = "Round weights to the nearest values of their formats";
  let description = [{
    Acts on linears and embeddings whose weight is not yet in the format decided for it, unless another `method` is: writes the weight's storage rows in the decided format to a
    work file, 64-byte aligned, and names them in its place. Rows are streamed; threads of the context take turns, and
    the bytes do not depend on how many there are. Types of handles, arguments and functions follow; a function called
    with different types is cloned for each. The weight records its `error`, ||decoded - w|| / ||w||; a warning names
    a weight whose error is above 0.5, or with blocks that are not zero but whose scale underflows to 0.

    Example:
      lowbit.weight @q : <288x288, <f32>> in "stories.onnx" at 36864000 transposed
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {error = 0.0876}
  }];
  let options = [Option<"work", "work", "std::string", "\"\"", "The file to write">];
}

def Gptq : Pass<"gptq", "::mlir::ModuleOp"> {
  let summary = "Quantize weights so that a linear's outputs change least on calibration data";
  let description = [{
    GPTQ [Frantar et al. 2022]: rounds a matrix column by column and lets the columns not yet rounded make up for the
    error, as the Hessian of the linear's inputs says. Acts on weights that linears alone read, not yet in the format decided for
    them, whose method is gptq or open; the others are left to the next pass. They are taken in the order in which the model computes with
    them. The Hessians come from the runner that the pipeline gives, which sees what earlier weights have
    become, or from the statistics that the pass calibrate recorded. The weight records its `error`, ||decoded - w|| / ||w||, and
    `output_error`, the same of the linear's outputs over the calibration data.
    With `asymmetric-calibration` [Li et al. 2025, GPTAQ] the weights are first moved to those that, of inputs that have
    moved, make what the original weights made of the original inputs, what they are added to included.

    Example:
      lowbit.weight @q : <288x288, <f32>> in "stories.onnx" at 36864000 transposed
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {error = 0.0931, output_error = 0.0412}
  }];
  let options = [
    Option<"work", "work", "std::string", "\"gptq.work\"", "The file to write">,
    Option<"damp", "damp", "double", "0.01",
           "Added to the Hessian's diagonal, as a share of its mean; raised until the factorization holds">,
    Option<"actOrder", "act-order", "bool", "false", "Round the columns with the largest inputs first">,
    Option<"blockOrder", "block-order", "bool", "false",
           "Round the blocks with the largest inputs first, and in each its columns so">,
    Option<"staticGroups", "static-groups", "bool", "false",
           "Fix all blocks' scales on the weights as they came; act-order always does">,
    Option<"gridSearch", "grid-search", "bool", "false", "Search each block's scale instead of taking it from the extremes">,
    Option<"asymmetricCalibration", "asymmetric-calibration", "bool", "false",
           "Aim at what the unquantized model computes, not at what the weights make of inputs that have moved">,
  ];
}

def Hqq : Pass<"hqq", "::mlir::ModuleOp"> {
  let summary = "Round weights to the nearest values of scales fitted without data";
  let description = [{
    HQQ [Badri and Shaji 2023]: rounds each weight by itself, as rtn does, on a scale (and zero) for each block that is
    fitted to the bulk of its weights: the errors of outliers are set aside, the scale is fitted to the rest, and so on
    while the sum of |error|^0.7 falls. Needs no data. Acts on the same weights as gptq.

    Example:
      lowbit.weight @q : <288x288, <f32>> in "stories.onnx" at 36864000 transposed
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {error = 0.0874}
  }];
  let options = [Option<"work", "work", "std::string", "\"\"", "The file to write">];
}

def Imatrix : Pass<"imatrix", "::mlir::ModuleOp"> {
  let summary = "Round weights to the nearest values of scales searched with the size of their inputs";
  let description = [{
    Rounds each weight by itself, as rtn does, but searches each block's scale (and zero): among those for shrunk
    extremes, each refitted to the codes that it led to, the one with the least sum of importance * error^2. The
    importance of a column is the mean square of its inputs, as in llama.cpp's importance matrix. Acts on the same
    weights as gptq, in the same order, and records the same; `output_error` counts each column for itself.

    Example:
      lowbit.weight @q : <288x288, <f32>> in "stories.onnx" at 36864000 transposed
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {error = 0.0881, output_error = 0.0612}
  }];
  let options = [
    Option<"work", "work", "std::string", "\"\"", "The file to write">,
    Option<"sizes", "sizes", "int", "6", "How many sizes of the extremes are tried">,
    Option<"smallest", "smallest", "double", "0.5", "The smallest of them; the largest is 1">,
    Option<"refits", "refits", "int", "2", "How often each is refitted to its codes">,
  ];
}

def AttributeDivergence : Pass<"attribute-divergence", "::mlir::ModuleOp"> {
  let summary = "Measure what each quantized weight does to the model's outputs";
  let description = [{
    Runs the model with its weights as they are, and as they were before they were quantized, on some of the calibration
    data: the mean of KL(original || model) over the tokens, in nats, is the module's `lowbit.divergence`. Then each
    weight that linears read is put back to what it was, alone: how much the divergence falls is its own `divergence`,
    which may be negative. Activations stay f32. For reports; changes nothing else.

    Example:
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {error = 0.0931, original = {...}}
    =>
      lowbit.weight @q : <288x288, <int4, block 32, scale f16>> in "work" at 4096 {divergence = 0.0007, error = 0.0931,
                                                                                   original = {...}}
  }];
  let options = [
    Option<"data", "data", "std::string", "\"\"", "The sequences, an .npz or .npy file">,
    Option<"tokens", "tokens", "int64_t", "512", "On about how many tokens">,
  ];
}

def CheckWeights : Pass<"check-weights", "::mlir::ModuleOp"> {
  let summary = "Refuse weights that are no numbers";
  let description = [{
    Reads every plain weight that some function uses. A NaN or an infinity is an error naming file, weight, row, column
    and value. Weights with codes need no check: encoding refuses both.
  }];
}

def ContractActivations : Pass<"contract-activations"> {
  let summary = "Quantize the activations that linears with codes read";
  let description = [{
    Acts on linears with the attribute `activations`: they read their input through `lowbit.quantize_activation`, with
    that element, f32 scales and the blocks of the weight. It stands right after the input's producer, one for all
    linears that read the same input with the same blocks.

    Example:
      %y = lowbit.linear %x, %w {activations = "int8"} : (tensor<?x288xf32>, !lowbit.weight<288x288, <int4, block 32>>)
    =>
      %a = lowbit.quantize_activation %x : tensor<?x288xf32> -> !lowbit.activation<?x288, <int8, block 32, scale f32>>
      %y = lowbit.linear %a, %w : ...
  }];
}

def QuantizeCache : Pass<"quantize-cache", "::mlir::ModuleOp"> {
  let summary = "Decide in which format caches keep keys and values";
  let description = [{
    Gives every cache the format of `format`: f32, f16, or symmetric codes, int8 or int4, with one f32 scale for each
    head of a position. Attention reads as many bytes for each position seen, which is what decoding costs when the
    context is long; the kernels decode what they read, so nothing else of the model changes.

    Example (format = int8):
      lowbit.cache @cache.0 : !lowbit.cache<heads 6, size 48>
    =>
      lowbit.cache @cache.0 : !lowbit.cache<heads 6, size 48, <int8, block 48, scale f32>>
  }];
  let options = [Option<"format", "format", "std::string", "\"f16\"", "Name of an element of formats">];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def VerifyQuantized : Pass<"verify-quantized", "::mlir::ModuleOp"> {
  let summary = "Check that the quantize stage acted on every decision";
  let description = [{
    Every linear and embedding has a format, and its weight is in it; no `method` or `activations` waits for a pass; no
    weight is still to be derived.
  }];
}

#endif
