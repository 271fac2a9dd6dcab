// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matches the linear forms of a value with those of a rotation.
#include "passes/import/Rotation.h"

#include "passes/import/Rows.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// The terms of an element: itself and its partner in the pair.
struct Terms {
  const Term *self = nullptr, *partner = nullptr;
};

class Matcher {
public:
  Matcher(const Tensor &value, HeadLayout layout, Evaluator &evaluator)
      : value(value), layout(layout), evaluator(evaluator) {}
  std::optional<Rotation> match();

private:
  bool findActivation();
  bool findTerms();
  bool findPairs();
  bool sameInAllHeads() const;
  bool turnAlike(int64_t first, int64_t second) const;
  bool findAngles();
  std::optional<AngleEntry> entry(int64_t channel, const Term *Terms::*which, bool negated);
  int64_t channel(const Term &term) const { return (term.index - layout.first) % layout.size; }

  const Tensor &value;
  HeadLayout layout;
  Evaluator &evaluator;
  std::vector<Terms> terms;
  Rotation rotation;
};

} // namespace

/// The activation is [tokens, channels], with or without a batch; the first head begins at a multiple of its size.
bool Matcher::findActivation() {
  if (value.forms.empty() || value.forms[0].size() != 2)
    return false;
  const Term &term = value.forms[0][0];
  rotation.activation = term.root;
  auto shape = dimensions(term.root);
  if (!shape || (shape->size() != 2 && !isBatchedRows(term.root)) || ShapedType::isDynamic(shape->back()))
    return false;
  layout.channels = shape->back();
  layout.first = term.index / layout.size * layout.size;
  return layout.first + layout.heads * layout.size <= layout.channels;
}

/// Every element is one term of the activation's element that belongs there, alone or with one more of the same head.
bool Matcher::findTerms() {
  for (auto [position, form] : llvm::enumerate(value.forms)) {
    Terms found;
    if (form.empty() || form.size() > 2)
      return false;
    for (const Term &term : form) {
      if (term.root != rotation.activation)
        return false;
      (term.index == layout.source(position) ? found.self : found.partner) = &term;
    }
    if (!found.self || (form.size() == 2) != static_cast<bool>(found.partner))
      return false;
    if (found.partner &&
        (found.partner->index - layout.first) / layout.size != (found.self->index - layout.first) / layout.size)
      return false;
    terms.push_back(found);
  }
  return true;
}

/// Pairs are (i, i + pairs) or (2i, 2i + 1), the same in each head; channels after them pass as they are.
bool Matcher::findPairs() {
  int64_t rotated = 0;
  while (rotated < layout.size && terms[rotated].partner)
    ++rotated;
  if (rotated == 0 || rotated % 2 != 0)
    return false;
  rotation.pairs = rotated / 2;
  rotation.interleaved = rotated > 2 && channel(*terms[0].partner) == 1;
  for (auto [position, found] : llvm::enumerate(terms)) {
    int64_t i = position % layout.size;
    if (i >= rotated) {
      if (found.partner || found.self->coefficient != 1 || found.self->factor)
        return false;
      continue;
    }
    int64_t partner = rotation.interleaved ? i ^ 1 : (i + rotation.pairs) % rotated;
    if (!found.partner || channel(*found.partner) != partner)
      return false;
  }
  return true;
}

/// The first of a pair is x cos - y sin, the second y cos + x sin, and the angle is that of token and pair, whatever
/// the head.
bool Matcher::sameInAllHeads() const {
  for (auto [position, found] : llvm::enumerate(terms)) {
    int64_t head0 = layout.position(0, layout.tokenOf(position), position % layout.size);
    if (found.partner && (found.self->coefficient != terms[head0].self->coefficient ||
                          found.partner->coefficient != terms[head0].partner->coefficient))
      return false;
  }
  return true;
}

std::optional<AngleEntry> Matcher::entry(int64_t channel, const Term *Terms::*which, bool negated) {
  SmallVector<const Term *> tokens;
  for (int64_t t = 0; t < layout.tokens; ++t) {
    const Term *term = terms[layout.position(0, t, channel)].*which;
    if (!term->factor || term->manyFactors)
      return std::nullopt;
    tokens.push_back(term);
  }
  return angleEntry(tokens, evaluator, negated);
}

/// Whether two channels have the angles of one pair.
bool Matcher::turnAlike(int64_t first, int64_t second) const {
  for (int64_t t = 0; t < layout.tokens; ++t) {
    const Terms &a = terms[layout.position(0, t, first)], &b = terms[layout.position(0, t, second)];
    if (a.self->coefficient != b.self->coefficient || a.partner->coefficient != -b.partner->coefficient)
      return false;
  }
  return true;
}

bool Matcher::findAngles() {
  for (int64_t pair = 0; pair < rotation.pairs; ++pair) {
    int64_t first = rotation.interleaved ? 2 * pair : pair,
            second = rotation.interleaved ? first + 1 : first + rotation.pairs;
    auto cosine = entry(first, &Terms::self, false), cosine2 = entry(second, &Terms::self, false);
    auto sine = entry(first, &Terms::partner, true), sine2 = entry(second, &Terms::partner, false);
    if (!cosine || !cosine2 || !sine || !sine2 || !turnAlike(first, second))
      return false;
    rotation.cosines.pairs.push_back({*cosine, *cosine2});
    rotation.sines.pairs.push_back({*sine, *sine2});
  }
  return true;
}

std::optional<Rotation> Matcher::match() {
  if (!findActivation() || !findTerms() || !findPairs() || !sameInAllHeads() || !findAngles())
    return std::nullopt;
  rotation.layout = layout;
  return rotation;
}

/// The layout that the type of \p value allows: tokens are dynamic, heads are not.
static std::optional<HeadLayout> layoutOf(Value value, int64_t tokens) {
  auto shape = dimensions(value);
  if (!shape || shape->size() != 4 || (*shape)[0] != 1 || ShapedType::isDynamic((*shape)[3]))
    return std::nullopt;
  bool headsFirst = ShapedType::isDynamic((*shape)[2]);
  int64_t heads = (*shape)[headsFirst ? 1 : 2];
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic((*shape)[1]) == headsFirst)
    return std::nullopt;
  return HeadLayout{heads, tokens, (*shape)[3], headsFirst};
}

std::optional<Rotation> halftone::importer::findRotation(Value value, Binding binding, Evaluator &evaluator) {
  auto layout = layoutOf(value, binding.tokens);
  if (!layout)
    return std::nullopt;
  const Tensor &tensor = evaluator.evaluate(value);
  if (tensor.content != Tensor::Content::Forms)
    return std::nullopt;
  return Matcher(tensor, *layout, evaluator).match();
}
