// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums and ranks over a report.
#include "lib/report/Report.h"

#include <algorithm>
#include <array>
#include <utility>

namespace halftone::report {

/// Indexed by Role.
static constexpr std::array<std::string_view, 4> roles = {"linear", "head", "embedding", "other"};

std::string_view name(Role role) { return roles[static_cast<size_t>(role)]; }

std::optional<Role> parseRole(std::string_view text) {
  const auto *found = std::ranges::find(roles, text);
  return found == roles.end() ? std::nullopt : std::optional(static_cast<Role>(found - roles.begin()));
}

void Total::add(const Tensor &tensor) {
  uint64_t count = 1;
  for (const uint64_t size : tensor.shape)
    count *= size;
  ++tensors;
  elements += count;
  bytes += tensor.bytes;
}

double Total::bits() const {
  return elements == 0 ? 0 : 8 * static_cast<double>(bytes) / static_cast<double>(elements);
}

Total totalOf(const Tensor &tensor) {
  Total total;
  total.add(tensor);
  return total;
}

Total totalOfLinears(const Report &report) {
  Total total;
  for (const Tensor &tensor : report.tensors)
    if (tensor.role == Role::Linear)
      total.add(tensor);
  return total;
}

Total totalOfAll(const Report &report) {
  Total total;
  for (const Tensor &tensor : report.tensors)
    total.add(tensor);
  return total;
}

bool isCalibrated(const Report &report) {
  return std::ranges::any_of(report.tensors, [](const Tensor &tensor) { return tensor.outputError.has_value(); });
}

std::vector<const Tensor *> worst(const Report &report, size_t count) {
  const auto error = isCalibrated(report) ? &Tensor::outputError : &Tensor::weightError;
  std::vector<const Tensor *> ranked;
  for (const Tensor &tensor : report.tensors)
    if (tensor.*error)
      ranked.push_back(&tensor);
  std::ranges::sort(ranked, {}, [&](const Tensor *tensor) { return std::pair(-*(tensor->*error), tensor); });
  ranked.resize(std::min(count, ranked.size()));
  return ranked;
}

} // namespace halftone::report
