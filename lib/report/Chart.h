// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A picture of what each linear costs and loses.
#pragma once

#include "lib/report/Report.h"

#include <string>

namespace halftone::report {

/// SVG, to stand in a page: over the linears and the head in the model's order, their errors as dots, those of `marked`
/// in another colour, and below their bits per weight as bars. Colours are classes, which the page defines. Empty when
/// there are no linears.
std::string chart(const Report &report, const std::vector<const Tensor *> &marked);

} // namespace halftone::report
