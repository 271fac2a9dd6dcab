// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows. A new element code is a row here.
#include "lib/formats/Table.h"

#include <algorithm>

namespace halftone::formats {

static constexpr Element table[] = {
    {Code::floating(Scalar::F32)},
    {Code::floating(Scalar::F16)},
    {Code::floating(Scalar::BF16)},
    {Code::integer(8), /*mayHaveZeroPoint=*/true},
    {Code::integer(4), /*mayHaveZeroPoint=*/true},
    {Code::integer(3), /*mayHaveZeroPoint=*/true},
    {Code::integer(2), /*mayHaveZeroPoint=*/true},
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
