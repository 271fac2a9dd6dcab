// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A cache's format is in its type, so it is set wherever that stands.
#include "lib/formats/Table.h"
#include "passes/quantize/Passes.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_QUANTIZECACHE
#include "passes/quantize/Passes.h.inc"

namespace {

class QuantizeCachePass : public impl::QuantizeCacheBase<QuantizeCachePass> {
public:
  using QuantizeCacheBase::QuantizeCacheBase;

  void runOnOperation() override {
    const formats::Element *element = formats::findElement(std::string_view(format));
    if (!element) {
      getOperation().emitError("no element of formats is called '") << format << "'";
      return signalPassFailure();
    }
    bool isRefused = false;
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](CacheType type) {
      const CacheType stored = storedAs(type, element->code);
      isRefused |= !stored;
      return stored ? stored : type;
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    if (isRefused)
      signalPassFailure();
  }

private:
  /// Null, and an error, when a cache cannot be stored so.
  CacheType storedAs(CacheType type, const formats::Code &code) {
    formats::Format wanted{code};
    if (!wanted.isPlain())
      wanted = {code, type.getSize(), formats::Scalar::F32};
    const bool isDefault = wanted == formats::Format::plain(formats::Scalar::F32);
    return CacheType::getChecked([&] { return getOperation().emitError(); }, &getContext(), type.getHeads(),
                                 type.getSize(), isDefault ? FormatAttr() : FormatAttr::get(&getContext(), wanted));
  }
};

} // namespace
} // namespace halftone
