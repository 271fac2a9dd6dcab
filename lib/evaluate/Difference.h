// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far values are from those that they should be.
#pragma once

#include <span>

namespace halftone::evaluate {

/// The root mean square of differences as a part of that of the reference, over all values added. In f64.
class Difference {
public:
  /// As many values of each.
  void add(std::span<const float> reference, std::span<const float> values);

  /// 0 when all are the same, NaNs in the same places included; infinite when the reference is 0 throughout and the
  /// values are not, or where only one of two is finite.
  double relative() const;

private:
  double squares = 0, differences = 0;
};

} // namespace halftone::evaluate
