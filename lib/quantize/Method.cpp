// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of methods.
#include "lib/quantize/Method.h"

#include <algorithm>

namespace halftone::quantize {

static constexpr Method table[] = {
    {"rtn", false},
    {"gptq", true},
};

std::span<const Method> methods() { return table; }

const Method *findMethod(std::string_view name) {
  const auto *found = std::ranges::find(table, name, &Method::name);
  return found == std::end(table) ? nullptr : found;
}

} // namespace halftone::quantize
