// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The methods of lib/quantize, by name.
#include "passes/model/WeightMethod.h"

#include "lib/quantize/Hqq.h"
#include "lib/quantize/Imatrix.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace halftone {

Expected<quantize::HessianFactor> WeightMethod::makeFactor(const WeightToCode &task) {
  quantize::HessianOptions wanted = options.hessian;
  wanted.block = task.format.block;
  const int64_t columns = task.weight->columns;
  Expected<quantize::HessianFactor> made =
      quantize::HessianFactor::compute({statistics.hessian.data(), columns, columns}, wanted, parallelFor);
  if (!made)
    return Error{task.weight->describe(model) + ": " + made.error().message};
  if (const double damp = made->report().damp; damp > wanted.damp) {
    std::string text = task.weight->describe(model);
    llvm::raw_string_ostream(text) << llvm::format(": the Hessian of its inputs was damped by %.2f of its diagonal's "
                                                   "mean, not %.2f: there may be too few samples",
                                                   damp, wanted.damp);
    progress.warn(text);
  }
  return made;
}

Expected<Coding> WeightMethod::of(const WeightToCode &task) {
  const std::string_view method = options.methods.back()->name;
  const formats::Format format = task.format;
  if (method == "gptq") {
    if (!factor || factorBlock != format.block) {
      Expected<quantize::HessianFactor> made = makeFactor(task);
      if (!made)
        return made.error();
      factor.emplace(std::move(*made));
      factorBlock = format.block;
    }
    return Coding{
        [this, format](auto rows) { return quantize::gptq(format, rows, *factor, options.gptq, parallelFor); },
        factor->report().damp};
  }
  if (method == "imatrix")
    return Coding{
        [this, format](auto rows) { return quantize::imatrix(format, rows, statistics.meanSquare, {}, parallelFor); }};
  if (method == "hqq")
    return Coding{[this, format](auto rows) { return quantize::hqq(format, rows, {}, parallelFor); }};
  return Coding{[this, format](auto rows) {
    const formats::GridCodec codec(format);
    return quantize::roundOnGrids(
        codec, rows, {}, [&](std::span<const float> block, int64_t) { return codec.extremeGrid(block); }, parallelFor);
  }};
}

} // namespace halftone
