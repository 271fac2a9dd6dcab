// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a command reports, once: as JSON for programs and as text for people.
#pragma once

#include "llvm/Support/JSON.h"

#include <string>
#include <variant>
#include <vector>

namespace halftone::tool {

/// A table: rows of as many cells as there are columns.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<llvm::json::Value>> rows;
};

/// A value, or a table, by its name.
struct Entry {
  std::string name;
  std::variant<llvm::json::Value, Table> content;
};

/// Shown in this order.
using Report = std::vector<Entry>;

/// One object, indented, with a newline at the end; a table is a list of objects.
std::string toJson(const Report &report);

/// Lines of as many cells as there are columns; those of columns that are `right` stand on the right.
std::string aligned(const std::vector<std::vector<std::string>> &lines, const std::vector<bool> &right);

/// "name: value" for a value; for a table its name, the columns' names and the rows, aligned. An object is shown as a
/// table of two columns.
std::string toText(const Report &report);

} // namespace halftone::tool
