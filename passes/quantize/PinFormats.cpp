// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides the formats of weights by their names.
#include "lib/quantize/FormatPins.h"
#include "passes/Remarks.h"
#include "passes/quantize/NamedFormats.h"
#include "passes/quantize/Passes.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_PINFORMATS
#include "passes/quantize/Passes.h.inc"

namespace {

class PinFormatsPass : public impl::PinFormatsBase<PinFormatsPass> {
public:
  using PinFormatsBase::PinFormatsBase;

  void runOnOperation() override {
    Expected<std::vector<quantize::FormatPin>> pins = quantize::parsePins(formats);
    if (!pins) {
      getOperation().emitError() << "formats: " << pins.error().message;
      return signalPassFailure();
    }
    std::vector<bool> isUsed(pins->size());
    const WeightUses uses(getOperation());
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (!quantize::decodersOf(weight, uses).empty())
        if (const quantize::FormatPin *pin = quantize::findPin(*pins, weight.getSymName().str())) {
          isUsed[pin - pins->data()] = true;
          quantize::setNamedFormat(weight, FormatAttr::get(&getContext(), pin->format));
          rewrote(weight.getLoc(), getArgument())
              << remark::metric("weight", weight.getSymName()) << remark::metric("format", formats::name(pin->format));
        }
    for (const auto [pin, used] : llvm::zip(*pins, isUsed))
      if (!used) {
        getOperation().emitError() << "formats: no weight of a linear or embedding is called '" << pin.glob
                                   << "', or an earlier pin has them all";
        return signalPassFailure();
      }
  }
};

} // namespace
} // namespace halftone
