// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two ways to show a report.
#include "tools/halftone/Report.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace halftone::tool {

static void write(llvm::json::OStream &json, const Table &table) {
  json.array([&] {
    for (const auto &row : table.rows)
      json.object([&] {
        for (size_t i = 0; i < row.size(); ++i)
          json.attribute(table.columns[i], row[i]);
      });
  });
}

std::string toJson(const Report &report) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, /*IndentSize=*/2);
  json.object([&] {
    for (const Entry &entry : report) {
      json.attributeBegin(entry.name);
      if (const auto *table = std::get_if<Table>(&entry.content))
        write(json, *table);
      else
        json.value(std::get<llvm::json::Value>(entry.content));
      json.attributeEnd();
    }
  });
  return text + "\n";
}

/// A value as people write it: strings without quotes, nothing for null, lists in brackets.
static std::string cell(const llvm::json::Value &value) {
  if (const auto text = value.getAsString())
    return text->str();
  if (value.getAsNull())
    return "";
  if (const auto *list = value.getAsArray())
    return "[" + llvm::join(llvm::map_range(*list, cell), ", ") + "]";
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

std::string aligned(const std::vector<std::vector<std::string>> &lines, const std::vector<bool> &right) {
  std::vector<size_t> widths(right.size(), 0);
  for (const auto &line : lines)
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto &line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string padding(widths[i] - line[i].size(), ' ');
      row += "  " + (right[i] ? padding + line[i] : line[i] + padding);
    }
    text += llvm::StringRef(row).rtrim(' ').str() + "\n";
  }
  return text;
}

/// Numbers stand on the right of their column, everything else on the left.
static std::string toText(const Table &table) {
  std::vector<std::vector<std::string>> lines = {table.columns};
  std::vector<bool> right(table.columns.size(), true);
  for (const auto &row : table.rows) {
    auto &line = lines.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      right[i] = right[i] && (row[i].getAsNumber() || row[i].getAsNull());
      line.push_back(cell(row[i]));
    }
  }
  return aligned(lines, right);
}

/// The members of an object in the order of their names.
static std::string toText(const llvm::json::Object &object) {
  std::vector<std::vector<std::string>> lines;
  for (const auto &[name, value] : object)
    lines.push_back({name.str(), cell(value)});
  std::sort(lines.begin(), lines.end());
  return aligned(lines, {false, false});
}

std::string toText(const Report &report) {
  std::string text;
  for (const Entry &entry : report) {
    const auto *value = std::get_if<llvm::json::Value>(&entry.content);
    if (const auto *object = value ? value->getAsObject() : nullptr)
      text += entry.name + ":\n" + toText(*object);
    else if (value)
      text += entry.name + ": " + cell(*value) + "\n";
    else if (const Table &table = std::get<Table>(entry.content); !table.rows.empty())
      text += entry.name + ":\n" + toText(table);
  }
  return text;
}

} // namespace halftone::tool
