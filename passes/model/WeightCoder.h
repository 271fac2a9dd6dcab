// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights of a model become codes, one after the other, in a file of a work folder.
#pragma once

#include "dialects/lowbit/WorkFile.h"
#include "lib/formats/StoredMatrix.h"
#include "lib/io/WorkFolder.h"
#include "lib/onnx/quantized/Linears.h"
#include "lib/quantize/Gptq.h"

#include "mlir/IR/MLIRContext.h"

namespace halftone {

/// What a weight lost.
struct CodingLoss {
  double error = 0; ///< ||decoded - w|| / ||w||
  /// The relative error of the linear's outputs over the calibration data, where there were any.
  std::optional<double> outputError = std::nullopt;
  /// The share of the Hessian's mean diagonal that was added to it.
  std::optional<double> damp = std::nullopt;
  int64_t vanishedBlocks = 0; ///< not zero, but with the scale 0
};

/// What a method makes of some rows of a weight.
using CodeRows = std::function<Expected<quantize::GptqResult>(matrix::MatrixView<const float> rows)>;

/// What a method made of a weight: its storage rows.
struct WeightCodes {
  CodingLoss loss;
  std::vector<std::byte> bytes;
};

/// A weight whose codes stand in the file.
struct CodedWeight {
  const onnx::LinearWeight *weight;
  formats::Format format;
  uint64_t offset; ///< in the file
  CodingLoss loss;
  /// By which its columns were multiplied, so that its linears' inputs are to be divided; null: by 1.
  std::shared_ptr<const std::vector<float>> scale = nullptr;
};

class WeightCoder {
public:
  /// \param context whose threads work. All must outlive the coder.
  static Expected<WeightCoder> create(const onnx::Model &model, const io::WorkFolder &work, mlir::MLIRContext &context);

  /// Rounds to nearest.
  Expected<CodedWeight> round(const onnx::LinearWeight &weight, const formats::Format &format);
  /// By a method, some rows at a time. \param scale by which columns are multiplied first; empty: by 1.
  Expected<WeightCodes> code(const onnx::LinearWeight &weight, const formats::Format &format,
                             std::span<const float> scale, const CodeRows &codeRows) const;
  /// Writes what a method made into the file.
  Expected<CodedWeight> write(const onnx::LinearWeight &weight, const formats::Format &format,
                              const WeightCodes &codes);

  /// All of a weight's elements, f32 [rows, columns].
  Expected<std::vector<float>> values(const onnx::LinearWeight &weight) const;

  /// No more weights come: the file can be read.
  Status finish();
  /// The storage rows of a weight, after finish().
  Expected<formats::StoredMatrix> codes(const CodedWeight &coded) const;

private:
  WeightCoder(const onnx::Model &model, const io::WorkFolder &work, mlir::MLIRContext &context,
              std::unique_ptr<lowbit::WorkFile> file)
      : model(model), work(work), context(context), file(std::move(file)) {}
  Expected<formats::StoredMatrix> source(const onnx::LinearWeight &weight) const;

  const onnx::Model &model;
  const io::WorkFolder &work;
  mlir::MLIRContext &context;
  std::unique_ptr<lowbit::WorkFile> file;
  std::shared_ptr<const io::MappedFile> written;
};

/// What elements of a type of floats are.
formats::Scalar scalarOf(onnx::ElementType type);

/// Threads of `context` as lib/matrix wants them.
matrix::ParallelFor parallelOn(mlir::MLIRContext &context);

} // namespace halftone
