// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A report as a page.
#pragma once

#include "lib/report/Report.h"

#include <string>
#include <string_view>

namespace halftone::report {

/// One self-contained page: no script, no reference to anything outside, pictures as inline SVG; light or dark as the
/// reader's system is.
std::string toHtml(const Report &report);

/// `text` as it stands in a page, between tags or in a quoted attribute.
std::string escaped(std::string_view text);

} // namespace halftone::report
