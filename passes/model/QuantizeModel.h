// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an ONNX model to one with quantized linears. Any graph: what is no linear is passed on as it stands. Includes
// nothing of MLIR.
#pragma once

#include "lib/onnx/quantized/QuantizedModel.h"
#include "lib/quantize/Gptq.h"
#include "lib/quantize/Method.h"
#include "passes/model/CalibrationArrays.h"
#include "passes/model/FormatRules.h"

#include <functional>

namespace halftone {

struct QuantizeModelOptions {
  std::string input, output, externalDataRoot;
  /// The first that matches a weight decides, `format` where none does; plain f32 leaves a weight alone.
  std::vector<FormatRule> rules;
  formats::Format format;
  const onnx::StorageStyle *style = nullptr;
  /// "GLOB,GLOB": weights that may stay as they are because the style cannot write their linears.
  std::string allowFallback;
  /// How codes are chosen: in the order in which they act, the last one quantizes (lib/quantize/Method.h). One before
  /// it is awq.
  std::vector<const quantize::Method *> methods = {quantize::findMethod("rtn")};
  ArrayOptions calibration;
  /// Of GPTQ. `hessian.block` follows from each weight's format.
  quantize::HessianOptions hessian;
  quantize::GptqOptions gptq;
  /// Bytes that statistics of linears may take at once. The graph runs on the data as often as that asks for.
  int64_t memory = 1'000'000'000;
  unsigned threads = 0; ///< 0 for as many as there are processors
};

/// A weight in the report.
struct QuantizedWeightReport {
  std::string name, node; ///< its own, and the first linear's that reads it
  int64_t rows, columns;
  formats::Format format;
  double bits;  ///< per weight, as they are stored, with scales and zeros
  double error; ///< ||decoded - w|| / ||w||
  /// The relative error of what its linears give on the calibration data, each with the inputs of the model as it was.
  std::optional<double> outputError;
  /// What was added to the diagonal of its inputs' Hessian, as a share of the diagonal's mean.
  std::optional<double> damp;
  std::string alsoKept; ///< why the weight stays in the model as well, or ""
};

/// A matrix that is as it was.
struct KeptWeightReport {
  std::string name, type; ///< "float32 [288, 768]"
  std::string reason;
};

struct QuantizeModelReport {
  std::vector<QuantizedWeightReport> weights;
  std::vector<KeptWeightReport> kept;
  /// Bytes of the model and its external data.
  uint64_t bytesBefore = 0, bytesAfter = 0;
};

/// Is told how far the work is, and of what the user should know.
class QuantizeProgress {
public:
  virtual ~QuantizeProgress() = default;
  virtual void begin(const std::string &what) {}
  virtual void advance(const std::string &what, uint64_t done, uint64_t total) {}
  virtual void warn(const std::string &message) {}
};

/// Quantizes the linears of `options.input` into `options.output`, which appears whole or not at all; codes stand in a
/// work folder beside it meanwhile, and what calibrated weights are done in `output`.work, with which a killed run goes
/// on. The same options and files give the same bytes. Fails when there is no linear to
/// quantize, when a rule matches none, when the style cannot hold a format, or write a linear
/// whose weight may not stay as it is, when the model cannot be raised to what the
/// style needs, when a weight is NaN or infinite, and when the graph cannot run on the calibration data.
Expected<QuantizeModelReport> quantizeModel(const QuantizeModelOptions &options, QuantizeProgress &progress);

} // namespace halftone
