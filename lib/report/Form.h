// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a report can be written as; the name of its file says which.
#pragma once

#include "lib/report/Report.h"

#include <optional>
#include <string>
#include <string_view>

namespace halftone::report {

enum class Form { Json, Html };

/// By the ending of `path`: .json or .html.
std::optional<Form> formOf(std::string_view path);

/// The same report gives the same bytes.
std::string render(const Report &report, Form form);

} // namespace halftone::report
