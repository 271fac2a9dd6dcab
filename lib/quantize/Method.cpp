// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of methods.
#include "lib/quantize/Method.h"

#include <algorithm>

namespace halftone::quantize {

using calibrate::Gather;

static constexpr Method table[] = {
    {"rtn", Gather::nothing, "", "rounds to the nearest value"},
    {"hqq", Gather::nothing, "", "fits each block's scale to all but its outliers"},
    {"imatrix", Gather::magnitude, "", "searches each block's scale, weighing columns by the size of their inputs"},
    {"gptq", Gather::hessian, "", "lets later columns make up for the errors of earlier ones"},
    {"smooth-quant", Gather::range, "rtn", "moves outliers of activations into the weights before they are quantized"},
    {"awq", Gather::magnitude, "imatrix", "scales columns with large inputs up before they are quantized"},
};

std::span<const Method> methods() { return table; }

const Method *findMethod(std::string_view name) {
  const auto *found = std::ranges::find(table, name, &Method::name);
  return found == std::end(table) ? nullptr : found;
}

static Error unknown(std::string_view name) {
  std::string names;
  for (const Method &method : table)
    names += (names.empty() ? "" : ", ") + std::string(method.name);
  return {"no method is called '" + std::string(name) + "'; there are " + names};
}

/// Whether `method` may come after those in `before`.
static Status checkPlace(std::span<const Method *const> before, const Method &method) {
  if (std::ranges::find(before, &method) != before.end())
    return Error{std::string(method.name) + " stands there twice"};
  if (before.empty())
    return {};
  const std::string name(method.name), last(before.back()->name);
  if (before.back()->followedBy.empty())
    return Error{name + " comes after " + last + ", which leaves nothing to quantize"};
  if (!method.followedBy.empty() && &method < before.back()) // rescaling methods act in the order of the table
    return Error{name + " is to come before " + last};
  return {};
}

Expected<std::vector<const Method *>> parseMethods(std::string_view list) {
  std::vector<const Method *> result;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    const std::string_view name = list.substr(start, end - start);
    const Method *method = findMethod(name);
    if (!method)
      return unknown(name);
    if (Status fits = checkPlace(result, *method); !fits)
      return fits.error();
    result.push_back(method);
    start = end + 1;
  }
  if (!result.back()->followedBy.empty())
    result.push_back(findMethod(result.back()->followedBy));
  return result;
}

Gather gatheredFor(std::span<const Method *const> methods) {
  Gather all = Gather::nothing;
  for (const Method *method : methods)
    all = all | method->gather;
  return all;
}

std::string join(std::span<const Method *const> methods) {
  std::string text;
  for (const Method *method : methods)
    text += (text.empty() ? "" : ",") + std::string(method->name);
  return text;
}

} // namespace halftone::quantize
