// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which keys there are, written and read in the same order.
#include "lib/report/Json.h"

#include "lib/json/Quote.h"
#include "lib/json/Reader.h"

#include <charconv>
#include <functional>
#include <set>
#include <utility>

namespace halftone::report {

/// Raised when keys change their meaning.
static constexpr uint64_t schema = 1;

//===-- Writing ---------------------------------------------------------------------------------------------------===//

static std::string text(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, std::end(digits), value).ptr};
}

static std::string text(uint64_t value) { return std::to_string(value); }

template <class T> static std::string text(const std::optional<T> &value) { return value ? text(*value) : "null"; }

static std::string text(const File &file) {
  return "{\"name\": " + json::quote(file.name) + ", \"sha256\": " + json::quote(file.sha256) + "}";
}

static std::string text(const Total &total) {
  return "{\"tensors\": " + text(total.tensors) + ", \"elements\": " + text(total.elements) +
         ", \"bytes\": " + text(total.bytes) + ", \"bits\": " + text(total.bits()) + "}";
}

/// Texts that stand between brackets, one a line.
static std::string lines(char open, const std::vector<std::string> &items, char close) {
  std::string result(1, open);
  for (const std::string &item : items)
    result += (result.size() == 1 ? "\n    " : ",\n    ") + item;
  return result + (items.empty() ? "" : "\n  ") + close;
}

static std::string text(const Tensor &tensor) {
  std::string shape;
  for (const uint64_t size : tensor.shape)
    shape += (shape.empty() ? "" : ", ") + text(size);
  return "{\"name\": " + json::quote(tensor.name) + ", \"shape\": [" + shape +
         "], \"role\": " + json::quote(name(tensor.role)) + ", \"format\": " + json::quote(tensor.format) +
         ", \"bits\": " + text(totalOf(tensor).bits()) + ", \"bytes\": " + text(tensor.bytes) +
         ", \"weight_error\": " + text(tensor.weightError) + ", \"output_error\": " + text(tensor.outputError) +
         ", \"divergence\": " + text(tensor.divergence) + ", \"damp\": " + text(tensor.damp) +
         ", \"condition\": " + text(tensor.condition) + ", \"dead_columns\": " + text(tensor.deadColumns) +
         ", \"rare_columns\": " + text(tensor.rareColumns) + ", \"kernel\": " + json::quote(tensor.kernel) +
         ", \"fallback\": " + json::quote(tensor.fallback) + "}";
}

std::string toJson(const Report &report) {
  std::vector<std::string> files, options, tensors;
  for (const File &file : report.files)
    files.push_back(text(file));
  for (const auto &[key, value] : report.options)
    options.push_back(json::quote(key) + ": " + json::quote(value));
  for (const Tensor &tensor : report.tensors)
    tensors.push_back(text(tensor));
  const std::vector<std::string> totals = {"\"linears\": " + text(totalOfLinears(report)),
                                           "\"all\": " + text(totalOfAll(report))};
  const std::pair<std::string_view, std::string> members[] = {
      {"halftone_report", text(schema)},
      {"version", json::quote(report.version)},
      {"files", lines('[', files, ']')},
      {"tokenizer", report.tokenizer ? text(*report.tokenizer) : "null"},
      {"format", json::quote(report.format)},
      {"embedding_format", json::quote(report.embeddingFormat)},
      {"head_format", json::quote(report.headFormat)},
      {"options", lines('{', options, '}')},
      {"divergence", text(report.divergence)},
      {"totals", lines('{', totals, '}')},
      {"tensors", lines('[', tensors, ']')},
  };
  std::string result;
  for (const auto &[key, value] : members)
    result += (result.empty() ? "{\n  " : ",\n  ") + json::quote(key) + ": " + value;
  return result + "\n}\n";
}

//===-- Reading ---------------------------------------------------------------------------------------------------===//

namespace {

/// Reads what stands at the reader's place.
using Read = std::function<Status()>;

class ReportReader {
public:
  explicit ReportReader(std::string_view text) : reader(text) {}

  Expected<Report> read() {
    const std::map<std::string_view, Read> members = {
        {"halftone_report", [&] { return checkSchema(); }},
        {"version", into(report.version)},
        {"files", list(report.files)},
        {"tokenizer", optional(report.tokenizer)},
        {"format", into(report.format)},
        {"embedding_format", into(report.embeddingFormat)},
        {"head_format", into(report.headFormat)},
        {"options", [&] { return reader.object([&](const std::string &key) { return into(report.options[key])(); }); }},
        {"divergence", optional(report.divergence)},
        {"totals", [&] { return object({{"linears", total()}, {"all", total()}}); }},
        {"tensors", list(report.tensors)},
    };
    if (Status status = object(members); !status)
      return status.error();
    if (Status status = reader.end(); !status)
      return status.error();
    return std::move(report);
  }

private:
  /// An object with these keys, all of them, and no others.
  Status object(const std::map<std::string_view, Read> &members) {
    std::set<std::string_view> missing;
    for (const auto &[key, read] : members)
      missing.insert(key);
    Status status = reader.object([&](const std::string &key) -> Status {
      const auto member = members.find(key);
      if (member == members.end())
        return Error{"the key '" + key + "' is not one of a report's"};
      missing.erase(key);
      return member->second();
    });
    if (status && !missing.empty())
      return Error{"the key '" + std::string(*missing.begin()) + "' of a report is missing"};
    return status;
  }

  template <class T> static Status store(Expected<T> value, T &place) {
    if (!value)
      return value.error();
    place = std::move(*value);
    return {};
  }

  Read into(std::string &place) {
    return [this, &place] { return store(reader.string(), place); };
  }
  Read into(uint64_t &place) {
    return [this, &place] { return store(reader.unsignedInteger(), place); };
  }
  Read into(double &place) {
    return [this, &place] { return store(reader.number(), place); };
  }
  Read into(Role &place) {
    return [this, &place]() -> Status {
      std::string text;
      if (Status status = into(text)(); !status)
        return status;
      const std::optional<Role> role = parseRole(text);
      if (!role)
        return Error{"'" + text + "' is no role of a tensor"};
      place = *role;
      return {};
    };
  }
  Read into(File &file) {
    return [this, &file] { return object({{"name", into(file.name)}, {"sha256", into(file.sha256)}}); };
  }
  Read into(Tensor &tensor) {
    return [this, &tensor] {
      return object({{"name", into(tensor.name)},
                     {"shape", list(tensor.shape)},
                     {"role", into(tensor.role)},
                     {"format", into(tensor.format)},
                     {"bits", into(derived)},
                     {"bytes", into(tensor.bytes)},
                     {"weight_error", optional(tensor.weightError)},
                     {"output_error", optional(tensor.outputError)},
                     {"divergence", optional(tensor.divergence)},
                     {"damp", optional(tensor.damp)},
                     {"condition", optional(tensor.condition)},
                     {"dead_columns", optional(tensor.deadColumns)},
                     {"rare_columns", optional(tensor.rareColumns)},
                     {"kernel", into(tensor.kernel)},
                     {"fallback", into(tensor.fallback)}});
    };
  }
  /// Follows from the tensors.
  Read total() {
    return [this] {
      return object(
          {{"tensors", into(derived)}, {"elements", into(derived)}, {"bytes", into(derived)}, {"bits", into(derived)}});
    };
  }

  template <class T> Read optional(std::optional<T> &place) {
    return [this, &place] { return reader.null() ? Status() : into(place.emplace())(); };
  }
  template <class T> Read list(std::vector<T> &place) {
    return [this, &place] { return reader.array([&] { return into(place.emplace_back())(); }); };
  }

  Status checkSchema() {
    uint64_t found = 0;
    if (Status status = into(found)(); !status)
      return status;
    return found == schema ? Status() : Error{"a report of kind " + text(found) + ", this is for kind " + text(schema)};
  }

  json::Reader reader;
  Report report;
  double derived = 0;
};

} // namespace

Expected<Report> fromJson(std::string_view text) { return ReportReader(text).read(); }

} // namespace halftone::report
