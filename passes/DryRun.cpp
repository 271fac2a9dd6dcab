// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats are decided as they will be; sizes follow from them, and costs from shapes.
#include "passes/DryRun.h"

#include "dialects/lowbit/StoredWeights.h"
#include "lib/matrix/Product.h"
#include "passes/Compilation.h"
#include "passes/calibrate/Estimate.h"
#include "passes/quantize/Decision.h"
#include "passes/quantize/NamedFormats.h"
#include "passes/quantize/Passes.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
namespace {

/// Weights as they will be stored.
struct Sizes {
  uint64_t bytes = 0, elements = 0, linearBytes = 0, linearElements = 0, largest = 0;
};

std::string bytesText(uint64_t bytes) {
  const double value = static_cast<double>(bytes);
  return value >= 1e9 ? llvm::formatv("{0:f2} GB", value / 1e9).str() : llvm::formatv("{0:f1} MB", value / 1e6).str();
}

std::string timeText(double seconds) {
  if (seconds < 120)
    return llvm::formatv("{0:f0} s", seconds).str();
  return seconds < 7200 ? llvm::formatv("{0:f0} min", seconds / 60).str()
                        : llvm::formatv("{0:f1} h", seconds / 3600).str();
}

/// In every format that its readers want.
Sizes sizesOf(ModuleOp module) {
  Sizes sizes;
  const WeightUses uses(module);
  for (WeightOp weight : module.getOps<WeightOp>()) {
    const auto type = cast<WeightType>(weight.getType());
    const uint64_t elements = storedRows(weight) * storedColumns(weight);
    llvm::SmallSetVector<std::pair<FormatAttr, int>, 2> formats; // of the weight itself, and of what is derived from it
    bool isLinear = false;
    for (OpOperand *use : quantize::decodersOf(weight, uses)) {
      formats.insert({quantize::decisionOf(*use).format, llvm::is_contained(uses.of(weight), use)});
      isLinear |= isa<LinearOp>(use->getOwner());
    }
    const bool isFactor = llvm::all_of(uses.of(weight), [](OpOperand *use) {
      return isDerivation(use->getOwner()) || isa<func::CallOp>(use->getOwner());
    });
    if (formats.empty() && !isFactor) // which is gone once the others are derived
      formats.insert({type.getFormat(), true});
    for (auto [format, isDirect] : formats) {
      const uint64_t bytes = storedBytes(weight, format.getValue());
      sizes.bytes += bytes;
      sizes.elements += elements;
      sizes.linearBytes += isLinear ? bytes : 0;
      sizes.linearElements += isLinear ? elements : 0;
      sizes.largest = std::max(sizes.largest, bytes);
    }
  }
  return sizes;
}

double bits(uint64_t bytes, uint64_t elements) {
  return elements == 0 ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements);
}

/// Operations a second of f32 products on all threads, of a size that fits the caches as the blocks' do.
double productRate(MLIRContext *context) {
  constexpr int64_t size = 768, runs = 6;
  const size_t threads = std::max<size_t>(1, context->getNumThreads());
  std::vector<std::vector<float>> memory(threads, std::vector<float>(3 * size * size, 1));
  double best = 0;
  for (int64_t run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    parallelFor(context, 0, threads, [&](size_t thread) {
      const auto part = [&](int64_t i) {
        return matrix::MatrixView<float>(memory[thread].data() + i * size * size, size, size);
      };
      matrix::setProduct(part(2), matrix::MatrixView<const float>(part(0)), matrix::MatrixView<const float>(part(1)));
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2.0 * size * size * size * static_cast<double>(threads) / seconds.count());
  }
  return best;
}

} // namespace

static Expected<calibrate::Estimate> estimate(Compilation &model) {
  calibrate::EstimateOptions options;
  options.sequences = static_cast<int64_t>(model.samples->sequences.size());
  options.tokens = model.samples->tokens();
  for (const std::vector<int64_t> &sequence : model.samples->sequences)
    options.longest = std::max(options.longest, static_cast<int64_t>(sequence.size()));
  options.threads = std::max<unsigned>(1, (*model.module).getContext()->getNumThreads());
  options.memory = model.options.calibration.memory;
  options.hessian = calibrate::has(quantize::gatheredFor(model.inputs.methods), calibrate::Gather::hessian);
  options.drift = model.options.calibration.asymmetric;
  return calibrate::estimateCalibration(*model.module, options);
}

/// The share of a large product's speed that running a model, gathering and quantizing reach together.
static constexpr double efficiency = 0.75;

Expected<std::string> describeDryRun(Compilation &model) {
  const Sizes sizes = sizesOf(*model.module);
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "weights      " << bytesText(sizes.bytes) << ", " << llvm::formatv("{0:f3}", bits(sizes.bytes, sizes.elements))
      << " bits per weight; of linears " << bytesText(sizes.linearBytes) << ", "
      << llvm::formatv("{0:f3}", bits(sizes.linearBytes, sizes.linearElements)) << "\n";
  if (!model.samples) {
    out << "calibration  none\n";
    return text;
  }
  const Expected<calibrate::Estimate> cost = estimate(model);
  if (!cost)
    return cost.error();
  const double rate = productRate((*model.module).getContext());
  out << "calibration  " << model.samples->sequences.size() << " sequences, " << model.samples->tokens() << " tokens\n"
      << "peak memory  " << bytesText(cost->peakBytes) << " at " << cost->peakWeight << ": weights of its block "
      << bytesText(cost->weightBytes) << ", Hessian " << bytesText(cost->hessianBytes) << ", work "
      << bytesText(cost->workBytes) << ", activations " << bytesText(cost->activationBytes) << "\n"
      << "time         " << timeText(cost->seconds(efficiency * rate)) << ": "
      << llvm::formatv("{0:f1} + {1:f1} + {2:f1}", cost->forward / 1e12, cost->hessians / 1e12, cost->quantizing / 1e12)
      << " Tflop for the model, Hessians and the method, at " << llvm::formatv("{0:f0}", rate / 1e9)
      << " Gflop/s here\n";
  return text;
}

} // namespace halftone
