// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measured figures, for a person and for a program: one list, printed as a table or as JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace halftone::runtime {

/// One figure.
struct Figure {
  /// Its name in JSON.
  std::string_view key;
  /// Its value in JSON: see below.
  std::string value;
  /// Its line in the table: what, and how much with its unit. Without a label it stands in JSON only.
  std::string_view label = {};
  std::string shown = {};
};

/// Values in JSON. Fractions have 9 significant digits, more than any measurement; what is no finite number is null.
std::string literal(int64_t value);
std::string literal(double value);
std::string literal(std::string_view text);
/// "[1, 2.5]"
std::string literal(std::span<const double> values);

/// A number with so many digits behind the point.
std::string fixed(double value, int digits);

/// One object, indented.
std::string printJson(std::span<const Figure> figures);
/// One line a figure that has a label, values in one column.
std::string printTable(std::span<const Figure> figures);

} // namespace halftone::runtime
