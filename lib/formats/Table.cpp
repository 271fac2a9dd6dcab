// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows. A new element code is a row here, a new codebook its levels and a row.
#include "lib/formats/Table.h"

#include <algorithm>

namespace halftone::formats {

/// The quantiles of a normal distribution, 0 among them [Dettmers et al. 2023, appendix E], in steps of 1/127 of the
/// largest weight: off by at most .004, a twentieth of the distance between the closest two.
static constexpr int8_t nf4Levels[] = {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127};
static constexpr Codebook nf4 = {"nf4", nf4Levels, 1.0f / 127};

/// FP4 [OCP Microscaling 1.0, table 5]: sign, two bits of exponent, one of fraction; in halves.
static constexpr int8_t e2m1Levels[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
static constexpr Codebook e2m1 = {"e2m1", e2m1Levels, 0.5f};

/// Levels that follow the density of weights, finer near 0, which is not among them [ggml, type IQ4_NL], and the fewer
/// bits of the kind [ik_llama.cpp, types IQ3_K and IQ2_K]. The largest level is about 1, so that scales are as large as
/// weights and lie among the normal numbers of f16; units are powers of two, and levels times units exact.
static constexpr int8_t iq4nlLevels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static constexpr Codebook iq4nl = {"iq4nl", iq4nlLevels, 1.0f / 128};
static constexpr int8_t iq3nlLevels[] = {-63, -40, -23, -10, 1, 13, 28, 47};
static constexpr Codebook iq3nl = {"iq3nl", iq3nlLevels, 1.0f / 64};
static constexpr int8_t iq2nlLevels[] = {-31, -13, 1, 17};
static constexpr Codebook iq2nl = {"iq2nl", iq2nlLevels, 1.0f / 32};

static constexpr Element table[] = {
    {Code::floating(Scalar::F32)},
    {Code::floating(Scalar::F16)},
    {Code::floating(Scalar::BF16), false, /*activations=*/Scalar::BF16},
    {Code::integer(8), /*mayHaveZeroPoint=*/true},
    {Code::integer(4), /*mayHaveZeroPoint=*/true},
    {Code::integer(3), /*mayHaveZeroPoint=*/true},
    {Code::integer(2), /*mayHaveZeroPoint=*/true},
    {Code::levelsOf(nf4)},
    {Code::levelsOf(e2m1)},
    {Code::levelsOf(iq4nl)},
    {Code::levelsOf(iq3nl)},
    {Code::levelsOf(iq2nl)},
};

std::span<const Element> elements() { return table; }

const Element *findElement(const Code &code) {
  const auto *row = std::ranges::find(table, code, &Element::code);
  return row == std::end(table) ? nullptr : row;
}

const Element *findElement(std::string_view text) {
  const auto *row = std::ranges::find_if(table, [&](const Element &element) { return name(element.code) == text; });
  return row == std::end(table) ? nullptr : row;
}

/// The names of the rows that `wanted` selects: `a, b, c`.
template <class Predicate> static std::string list(Predicate wanted) {
  std::string names;
  for (const Element &element : table)
    if (wanted(element))
      names += (names.empty() ? "" : ", ") + name(element.code);
  return names;
}

std::string allowedNames() {
  std::string scales;
  for (Scalar scalar : allScalars)
    if (scalar != Format().scale)
      scales += (scales.empty() ? "-" : " or -") + std::string(scalarName(scalar));
  return list([](const Element &element) { return element.code.kind == Code::Kind::Float; }) + "; or " +
         list([](const Element &element) { return element.code.kind != Code::Kind::Float; }) + " followed by -g1..-g" +
         std::to_string(maxBlock) + " or -row, then -asym if blocks store a zero (" +
         list([](const Element &element) { return element.mayHaveZeroPoint; }) + "), then " + scales +
         " if scales are not " + std::string(scalarName(Format().scale));
}

} // namespace halftone::formats
