// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a table of tensors shows of each, as people write it.
#pragma once

#include "lib/report/Report.h"

#include <string>
#include <string_view>
#include <vector>

namespace halftone::report {

struct Column {
  std::string_view title;
  /// Why it matters, for those who point at the title.
  std::string_view help;
  /// Numbers stand on the right.
  bool isNumber;
  /// Empty where it is not known.
  std::string (*cell)(const Tensor &tensor);
};

/// The columns in which any tensor of the report has something.
std::vector<Column> columnsOf(const Report &report);

/// What the report says beside its tensors: names and values.
std::vector<std::pair<std::string, std::string>> headingOf(const Report &report);

/// "4.63"
std::string decimal(double value, int digits);
/// "1,234,567"
std::string grouped(uint64_t value);
/// "8.31 %"
std::string percent(double share);

} // namespace halftone::report
