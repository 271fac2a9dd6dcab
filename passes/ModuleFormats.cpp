// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asks the operations that read weights.
#include "passes/ModuleFormats.h"

using namespace mlir;

namespace halftone {

static std::string nameOf(lowbit::WeightType type) { return formats::name(type.getFormat().getValue()); }

lowbit::LinearOp findHead(ModuleOp module) {
  lowbit::LinearOp head;
  if (auto forward = module.lookupSymbol<func::FuncOp>("forward"); forward && !forward.isExternal())
    for (auto linear : forward.getBody().front().getOps<lowbit::LinearOp>())
      head = linear;
  return head;
}

ModuleFormats moduleFormats(ModuleOp module) {
  ModuleFormats result;
  lowbit::LinearOp head = findHead(module);
  if (head)
    result.head = nameOf(head.getWeight().getType());
  module.walk([&](lowbit::EmbeddingOp embedding) { result.embedding = nameOf(embedding.getTable().getType()); });
  module.walk([&](lowbit::LinearOp linear) {
    const std::string name = nameOf(linear.getWeight().getType());
    if (linear == head || name == result.linears)
      return;
    result.linears = result.linears.empty() ? name : "mixed";
  });
  return result;
}

} // namespace halftone
