// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runner's and GPTQ's own memory, counted as they take it (CompiledBlocks.cpp, lib/quantize/Gptq.cpp).
#include "passes/calibrate/Estimate.h"

#include "passes/calibrate/BlockCode.h"
#include "passes/calibrate/CompiledBlocks.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;
using namespace halftone::lowbit;

/// What the program takes before there is any work: its code, LLVM's, the compiled blocks.
static constexpr uint64_t baseBytes = 150'000'000;
/// Observed activations that are gathered together; tokens and rows of GPTQ's panels.
static constexpr uint64_t batchBytes = uint64_t(64) << 20, panelTokens = 1024, panelRows = 1024;

namespace {

struct Shape {
  uint64_t rows = 1, columns = 0;
  uint64_t elements() const { return rows * columns; }
};

class Estimator {
public:
  Estimator(ModuleOp module, Chain chain, const EstimateOptions &options) : chain(std::move(chain)), options(options) {
    for (WeightOp weight : module.getOps<WeightOp>()) {
      const ArrayRef<int64_t> sizes = cast<WeightType>(weight.getType()).getShape();
      shapes[weight.getSymName()] = {sizes.size() == 2 ? uint64_t(sizes[0]) : 1, uint64_t(sizes.back())};
    }
  }

  Estimate run() {
    for (const Step &step : chain.steps)
      addStep(step);
    return result;
  }

private:
  void addStep(const Step &step) {
    llvm::StringMap<char> observed;
    for (const Observed &place : step.observed)
      for (const std::string &weight : place.weights)
        observed[weight] = 0;
    uint64_t loaded = 0, elements = 0; // f32 of what has run so far; all matrices
    for (const ChainArgument &argument : step.arguments)
      if (!argument.value) {
        const Shape shape = shapes.lookup(argument.weight);
        elements += shape.rows > 1 ? shape.elements() : 0;
        loaded += observed.contains(argument.weight) ? 0 : shape.elements() * sizeof(float);
      }
    const uint64_t running = temporariesOf(step);
    double before = 0; // operations up to the observed place
    for (const Observed &place : step.observed) {
      result.forward += before * passes();
      const auto columns = static_cast<double>(place.channels);
      if (options.hessian) {
        result.hessians += columns * columns * static_cast<double>(options.tokens);
        result.quantizing += columns * columns * columns * 2 / 3;
      }
      for (const std::string &weight : place.weights) {
        consider(step, place, weight, loaded, running);
        const Shape shape = shapes.lookup(weight);
        before += operationsOf(shape.elements());
        loaded += shape.elements() * sizeof(float);
        if (options.hessian) // the update, and two norms in f32
          result.quantizing += static_cast<double>(shape.rows) * columns * columns * 2;
      }
    }
    if (!isLast(step))
      result.forward += operationsOf(elements) * passes();
    Estimate whole; // while the step runs as a whole
    whole.weightBytes = loaded * passes();
    whole.activationBytes = storesOf(step, /*withResults=*/true);
    whole.workBytes = running;
    offer(whole, step.function);
  }

  /// Of all matrices for all tokens.
  double operationsOf(uint64_t elements) const {
    return 2.0 * static_cast<double>(elements) * static_cast<double>(options.tokens);
  }

  /// How many models run.
  unsigned passes() const { return options.drift ? 2 : 1; }
  bool isLast(const Step &step) const { return &step == &chain.steps.back(); }

  /// Values that this step or a later one reads.
  uint64_t storesOf(const Step &step, bool withResults) const {
    uint64_t bytes = 0;
    const size_t index = &step - chain.steps.data();
    for (ValueId id = chain.inputs; id < chain.values.size(); ++id) {
      const bool isMade = llvm::any_of(ArrayRef(chain.steps).take_front(index + withResults),
                                       [&](const Step &other) { return llvm::is_contained(other.results, id); });
      if (isMade && chain.values[id].lastUse >= index)
        bytes += std::min<uint64_t>(options.memory / storesInMemory,
                                    options.tokens * chain.values[id].channels * sizeof(float));
    }
    return bytes * passes();
  }

  /// What the code of a step allocates while it runs, a sequence on each thread: what its linears give, half as much
  /// again between them, and the scores of one head.
  uint64_t temporariesOf(const Step &step) const {
    uint64_t values = 0;
    for (const ChainArgument &argument : step.arguments) {
      const Shape shape = argument.value ? Shape() : shapes.lookup(argument.weight);
      values += shape.rows > 1 && !isLast(step) ? shape.rows * 3 / 2 : 0;
    }
    for (const ChainValue &value : chain.values)
      if (value.lastUse != 0) // the outputs of the model are never computed
        values = std::max<uint64_t>(values, value.channels);
    return options.threads * options.longest * (values + 2 * options.longest) * sizeof(float);
  }

  /// While `weight` is quantized, and while its inputs are gathered.
  void consider(const Step &step, const Observed &place, const std::string &weight, uint64_t loaded, uint64_t running) {
    const Shape shape = shapes.lookup(weight);
    const uint64_t columns = place.channels, panel = std::min<uint64_t>(shape.rows, panelRows) * columns;
    Estimate here;
    here.weightBytes = loaded * passes();
    here.hessianBytes = options.hessian ? columns * columns * sizeof(double) * passes() : 0;
    here.activationBytes = storesOf(step, /*withResults=*/false);
    const uint64_t quantizing = shape.elements() * (sizeof(float) + 1) + panel * (sizeof(double) + sizeof(float));
    const uint64_t storing = shape.elements() * (2 * sizeof(float) + 1); // decoded, and once more for the model
    const uint64_t batch = std::max<uint64_t>(batchBytes, options.threads * options.longest * columns * sizeof(float));
    const uint64_t gathering = batch + panelTokens * columns * sizeof(float) + running;
    here.workBytes = std::max({quantizing, storing, gathering});
    offer(here, weight);
  }

  void offer(Estimate here, const std::string &what) {
    const uint64_t bytes = baseBytes + here.weightBytes + here.hessianBytes + here.workBytes + here.activationBytes;
    if (bytes <= result.peakBytes)
      return;
    here.peakBytes = bytes;
    here.peakWeight = what;
    here.forward = result.forward;
    here.hessians = result.hessians;
    here.quantizing = result.quantizing;
    result = here;
  }

  const Chain chain;
  const EstimateOptions &options;
  llvm::StringMap<Shape> shapes;
  Estimate result;
};

} // namespace

double Estimate::seconds(double operations) const {
  return (forward + hessians) / operations + quantizing / (operations / 2);
}

Expected<Estimate> calibrate::estimateCalibration(ModuleOp module, const EstimateOptions &options) {
  Expected<Chain> chain = chainOf(module);
  if (!chain)
    return chain.error();
  return Estimator(module, std::move(*chain), options).run();
}
