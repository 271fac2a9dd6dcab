// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Step by step as SentencePiece's normalizer.cc does it: each step rewrites one symbol, rule match or character.
#include "lib/tokenizer/Normalizer.h"

#include "lib/tokenizer/Utf8.h"

namespace halftone::tokenizer {

Expected<Normalizer> Normalizer::create(const NormalizerSpec &spec, const Trie &userDefined) {
  Expected<Charsmap> charsmap = Charsmap::read(spec.charsmap);
  if (!charsmap)
    return charsmap.error();
  return Normalizer(spec, userDefined, *charsmap);
}

Normalizer::Step Normalizer::nextStep(std::string_view text) const {
  if (size_t length = userDefined->longestPrefix(text))
    return {text.substr(0, length), length};
  if (const auto rule = charsmap.longestRule(text))
    return {rule->replacement, rule->length};
  if (size_t length = validCharacter(text))
    return {text.substr(0, length), length};
  return {replacementCharacter, 1};
}

void Normalizer::appendEscaped(std::string_view text, std::string &output) const {
  for (char byte : text)
    if (byte == ' ')
      output.append(space());
    else
      output.push_back(byte);
}

static void dropLeading(std::string_view &text, char byte) {
  while (text.starts_with(byte))
    text.remove_prefix(1);
}

std::string Normalizer::normalize(std::string_view text) const {
  std::string output;
  if (spec.removeExtraWhitespaces)
    while (!text.empty()) {
      const Step step = nextStep(text);
      if (step.output != " ")
        break;
      text.remove_prefix(step.consumed);
    }
  if (text.empty())
    return output;

  output.reserve(text.size() + text.size() / 2 + 8);
  if (spec.addDummyPrefix && !spec.whitespaceAsSuffix)
    output.append(space());
  bool afterSpace = spec.removeExtraWhitespaces;
  while (!text.empty()) {
    Step step = nextStep(text);
    if (afterSpace)
      dropLeading(step.output, ' ');
    appendEscaped(step.output, output);
    // A step that gave nothing leaves the memory of the space before it.
    if (!step.output.empty())
      afterSpace = spec.removeExtraWhitespaces && step.output.ends_with(' ');
    text.remove_prefix(step.consumed);
  }
  if (spec.removeExtraWhitespaces)
    while (output.ends_with(space()))
      output.resize(output.size() - space().size());
  if (spec.addDummyPrefix && spec.whitespaceAsSuffix)
    output.append(space());
  return output;
}

} // namespace halftone::tokenizer
