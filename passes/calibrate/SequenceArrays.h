// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calibration sequences from a file of arrays.
#pragma once

#include "lib/io/Npz.h"
#include "passes/calibrate/CompiledBlocks.h"
#include "passes/calibrate/Divergence.h"
#include "passes/calibrate/Passes.h"

namespace halftone::calibrate {

/// The arrays in a mapped file; the sequences point into them.
class SequenceArrays {
public:
  /// Reads `path`, .npz or .npy, for the tensors that the entry of `module` takes: `arg0`, `arg1` ..., a single one by
  /// any name, each [sequences, tokens, ...]. Fails naming the file, the array and both types or sizes.
  static Expected<SequenceArrays> open(const std::string &path, mlir::ModuleOp module);

  std::vector<Sequence> sequences() const;
  /// SHA-256 over types, sizes and elements.
  std::string fingerprint() const;

private:
  std::vector<std::shared_ptr<void>> files;
  std::vector<io::NamedArray> arrays; ///< one a tensor argument, in order
};

/// Makes runners on the sequences in the file `data`.
MakeRunner runnerOn(const std::string &data, const RunnerOptions &options);
/// Compares models on them.
MakeDivergence divergenceOn(const std::string &data);

} // namespace halftone::calibrate
