// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All attributes as they were, in one.
#include "dialects/lowbit/OriginalWeight.h"

using namespace mlir;
using namespace halftone::lowbit;

static constexpr llvm::StringLiteral attrName = "original";

void halftone::lowbit::noteOriginal(WeightOp weight) { weight->setAttr(attrName, weight->getAttrDictionary()); }

bool halftone::lowbit::restoreOriginal(WeightOp weight) {
  auto original = weight->getAttrOfType<DictionaryAttr>(attrName);
  if (original)
    weight->setAttrs(original);
  return static_cast<bool>(original);
}

void halftone::lowbit::forgetOriginal(WeightOp weight) { weight->removeAttr(attrName); }
