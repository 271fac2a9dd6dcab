// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One way each.
#include "lib/report/Form.h"

#include "lib/report/Html.h"
#include "lib/report/Json.h"

namespace halftone::report {

std::optional<Form> formOf(std::string_view path) {
  if (path.ends_with(".json"))
    return Form::Json;
  if (path.ends_with(".html"))
    return Form::Html;
  return std::nullopt;
}

std::string render(const Report &report, Form form) { return form == Form::Json ? toJson(report) : toHtml(report); }

} // namespace halftone::report
