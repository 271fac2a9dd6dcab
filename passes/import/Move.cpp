// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Carries out moves of elements, whatever the elements are.
#include "passes/import/Move.h"

using namespace mlir;
using namespace halftone::importer;

template <class T>
static bool collect(ArrayRef<Source> sources, ArrayRef<const Tensor *> inputs, std::vector<T> Tensor::*elements,
                    Tensor::Content content, std::vector<T> &result) {
  result.reserve(sources.size());
  for (Source source : sources) {
    if (source == zero) {
      result.push_back(T());
      continue;
    }
    const Tensor &from = *inputs[source >> inputShift];
    size_t index = source & ((int64_t(1) << inputShift) - 1);
    if (from.content != content || index >= (from.*elements).size())
      return false;
    result.push_back((from.*elements)[index]);
  }
  return true;
}

Tensor halftone::importer::carryOut(const Move &move, const Call &call, size_t firstData) {
  Tensor result = Tensor::ofShape(call.input(firstData).elementType, move.shape);
  Tensor::Content content = Tensor::Content::Unknown;
  for (const Tensor *input : ArrayRef(call.inputs).drop_front(firstData))
    if (input && (input->isKnown() || input->content == Tensor::Content::Forms)) {
      bool takes = content == Tensor::Content::Unknown || input->content == Tensor::Content::Forms;
      if (input->isFloat() == result.isFloat() && takes)
        content = input->content;
    }
  if (!move.sources || content == Tensor::Content::Unknown || result.elements() > mostElements)
    return result;
  std::vector<Source> sources = move.sources();
  bool complete = true;
  auto tryAll = [&](auto member, Tensor::Content kind) {
    if (content == kind)
      complete = collect(ArrayRef(sources), call.inputs, member, kind, result.*member);
  };
  tryAll(&Tensor::integers, Tensor::Content::Integers);
  tryAll(&Tensor::floats, Tensor::Content::Floats);
  tryAll(&Tensor::forms, Tensor::Content::Forms);
  if (complete) {
    result.content = content;
    return result;
  }
  // Where and Concat may take all elements from the known inputs although forms are among them.
  result.forms.clear();
  if (collect(ArrayRef(sources), call.inputs, &Tensor::floats, Tensor::Content::Floats, result.floats))
    result.content = Tensor::Content::Floats;
  else
    result.floats.clear();
  return result;
}
