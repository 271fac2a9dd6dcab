// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A report as JSON, there and back.
#pragma once

#include "lib/io/Result.h"
#include "lib/report/Report.h"

#include <string>
#include <string_view>

namespace halftone::report {

/// One object with a newline at the end; each tensor is one line. Beside the fields it has the sums: "totals", and the
/// "bits" of each tensor. Numbers are the shortest that read back as the same.
std::string toJson(const Report &report);

/// Inverse of toJson. The error gives the byte, and the key that is missing, unknown or wrong.
Expected<Report> fromJson(std::string_view text);

} // namespace halftone::report
