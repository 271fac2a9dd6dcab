// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A report with something in every field.
#pragma once

#include "lib/report/Report.h"

namespace halftone::report {

inline Report example() {
  Report report;
  report.version = "1.2.3";
  report.files = {{"m\"<odd>&.onnx", "00ff"}, {"m.bin", "11"}};
  report.tokenizer = File{"t.model", "22"};
  report.format = "int4-g32";
  report.embeddingFormat = report.headFormat = "int8-g32";
  report.divergence = 0.0625;
  report.options = {{"method", "gptq"}, {"damp", "0.01"}};
  const Tensor query = {"layers.0.q", {8, 32}, Role::Linear, "int4-g32", 144, 0.1,   0.25,
                        0.002,        0.01,    1e6,          3,          0,   "dot", ""};
  const Tensor value = {"layers.0.v", {8, 32}, Role::Linear, "int4-g32", 144, 0.3,   0.125,
                        -0.001,       0.02,    12.5,         0,          1,   "dot", "slow"};
  const Tensor head = {"head", {64, 32}, Role::Head, "int8-g32", 2176, 1.0 / 3, {}, {}, {}, {}, {}, {}, "dot", ""};
  const Tensor norm = {"norm", {32}, Role::Other, "f32", 128, {}, {}, {}, {}, {}, {}, {}, "", ""};
  report.tensors = {query, value, head, norm};
  return report;
}

} // namespace halftone::report
