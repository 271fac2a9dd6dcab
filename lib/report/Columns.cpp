// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The columns, as a table.
#include "lib/report/Columns.h"

#include <algorithm>
#include <cstdio>

namespace halftone::report {

std::string decimal(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string grouped(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t i = text.size(); i > 3; i -= 3)
    text.insert(i - 3, ",");
  return text;
}

std::string percent(double share) { return decimal(100 * share, 2) + " %"; }

static std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", value);
  return text;
}

static std::string shapeOf(const Tensor &tensor) {
  std::string text;
  for (const uint64_t size : tensor.shape)
    text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

/// What `show` makes of a value, when there is one.
template <class T, class Show> static std::string known(const std::optional<T> &value, Show show) {
  return value ? show(*value) : "";
}

static constexpr Column columns[] = {
    {"name", "of the tensor", false, [](const Tensor &t) { return t.name; }},
    {"role", "what it is for", false, [](const Tensor &t) { return std::string(name(t.role)); }},
    {"shape", "outputs x inputs", false, shapeOf},
    {"format", "of its codes, scales and zeros", false, [](const Tensor &t) { return t.format; }},
    {"bits", "per weight, scales and zeros counted", true,
     [](const Tensor &t) { return decimal(totalOf(t).bits(), 3); }},
    {"bytes", "as stored, before a kernel's layout", true, [](const Tensor &t) { return grouped(t.bytes); }},
    {"weight error", "|decoded - w| / |w|", true, [](const Tensor &t) { return known(t.weightError, percent); }},
    {"output error", "the same of the outputs over the calibration data", true,
     [](const Tensor &t) { return known(t.outputError, percent); }},
    {"divergence", "by how much the mean KL divergence falls when this tensor alone is put back, nats per token", true,
     [](const Tensor &t) { return known(t.divergence, [](double nats) { return decimal(nats, 5); }); }},
    {"damping", "share of the diagonal's mean that was added to the Hessian", true,
     [](const Tensor &t) { return known(t.damp, [](double damp) { return decimal(damp, 2); }); }},
    {"condition", "of the damped Hessian: the larger, the less certain are its small directions", true,
     [](const Tensor &t) { return known(t.condition, scientific); }},
    {"dead columns", "inputs that were 0 for every token", true,
     [](const Tensor &t) { return known(t.deadColumns, grouped); }},
    {"rare columns", "inputs that were not 0 for fewer than 1 token in 100", true,
     [](const Tensor &t) { return known(t.rareColumns, grouped); }},
    {"kernel", "how its products are computed", false, [](const Tensor &t) { return t.kernel; }},
    {"fallback", "why that is slower than it could be", false, [](const Tensor &t) { return t.fallback; }},
};

std::vector<Column> columnsOf(const Report &report) {
  std::vector<Column> result;
  for (const Column &column : columns)
    if (std::ranges::any_of(report.tensors, [&](const Tensor &tensor) { return !column.cell(tensor).empty(); }))
      result.push_back(column);
  return result;
}

static std::string sizeOf(const Total &total) {
  return decimal(total.bits(), 3) + " bits per weight, " + grouped(total.bytes) + " bytes, " + grouped(total.elements) +
         " weights";
}

std::vector<std::pair<std::string, std::string>> headingOf(const Report &report) {
  std::vector<std::pair<std::string, std::string>> lines = {{"linears", sizeOf(totalOfLinears(report))},
                                                            {"everything", sizeOf(totalOfAll(report))},
                                                            {"format", report.format},
                                                            {"embedding format", report.embeddingFormat},
                                                            {"head format", report.headFormat}};
  if (report.divergence)
    lines.emplace_back("divergence",
                       decimal(*report.divergence, 5) + " nats per token on calibration data, of the weights alone");
  for (const auto &[key, value] : report.options)
    lines.emplace_back(key, value);
  for (const File &file : report.files)
    lines.emplace_back(file.name, "sha256 " + file.sha256);
  if (report.tokenizer)
    lines.emplace_back(report.tokenizer->name, "sha256 " + report.tokenizer->sha256);
  lines.emplace_back("halftone", report.version);
  return lines;
}

} // namespace halftone::report
