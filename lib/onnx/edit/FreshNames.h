// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names for new values that no value of the model has.
#pragma once

#include "lib/onnx/edit/Values.h"

namespace halftone::onnx {

class FreshNames {
public:
  explicit FreshNames(const Values &values) : values(values) {}

  /// `wanted`, or the first of wanted_1, wanted_2, ... that is free; not given again.
  std::string make(const std::string &wanted) {
    std::string name = wanted;
    for (unsigned next = 1; values.hasName(name) || !given.insert(name).second; ++next)
      name = wanted + "_" + std::to_string(next);
    return name;
  }

private:
  const Values &values;
  std::set<std::string> given;
};

} // namespace halftone::onnx
