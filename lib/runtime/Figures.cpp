// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling of numbers and strings.
#include "lib/runtime/Figures.h"

#include "lib/json/Quote.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace halftone::runtime {

std::string literal(int64_t value) { return std::to_string(value); }

std::string literal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return std::isfinite(value) ? text : "null";
}

std::string literal(std::string_view text) { return json::quote(text); }

std::string literal(std::span<const double> values) {
  std::string result;
  for (const double value : values)
    result += (result.empty() ? "" : ", ") + literal(value);
  return "[" + result + "]";
}

std::string fixed(double value, int digits) {
  char text[400]; // the largest double has 309 digits before the point
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string printJson(std::span<const Figure> figures) {
  std::string text;
  for (const Figure &figure : figures)
    text += (text.empty() ? "{\n  " : ",\n  ") + literal(figure.key) + ": " + figure.value;
  return text + "\n}\n";
}

std::string printTable(std::span<const Figure> figures) {
  size_t width = 0;
  for (const Figure &figure : figures)
    width = std::max(width, figure.label.size());
  std::string text;
  for (const Figure &figure : figures)
    if (!figure.label.empty())
      text += std::string(figure.label) + std::string(width + 2 - figure.label.size(), ' ') + figure.shown + "\n";
  return text;
}

} // namespace halftone::runtime
