// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole way, from a model to an executable. Includes nothing of MLIR: a tool needs no more than this.
#pragma once

#include "lib/io/Result.h"
#include "passes/Architecture.h"
#include "passes/PipelineOptions.h"

#include <cstdint>
#include <string>
#include <vector>

namespace halftone {

/// What a stage cost, and how many bytes it wrote.
struct StageReport {
  Stage stage;
  double seconds;
  uint64_t bytes;
};

/// Is told how far the compiler has come. Calls come from the thread that compiles, in order.
class Progress {
public:
  virtual ~Progress() = default;
  virtual void begin(Stage stage) {}
  /// `done` of `total` items of the stage are done: passes, or bytes where a pass or a stage works through large files.
  /// `what` is what there is to say about it; without, the numbers say all.
  virtual void advance(Stage stage, uint64_t done, uint64_t total, const std::string &what) {}
  void advance(Stage stage, uint64_t done, uint64_t total) { advance(stage, done, total, ""); }
  virtual void end(const StageReport &report) {}
  /// Something that the user should know and that is no error.
  virtual void warn(const std::string &message) {}
  /// A result that the user may want to keep.
  virtual void note(const std::string &message) {}
  /// Takes the text that was asked for where no file is to hold it.
  virtual Status print(std::string_view text) { return {}; }
};

/// Imports `options.input` and says what was recognised. The error names the node that was not.
Expected<Architecture> recognise(const PipelineOptions &options);

/// Compiles `options.input` to `options.output`, which appears whole or not at all; work files stand beside it
/// meanwhile. The same options and files give the same bytes. The error names the file and the node, tensor or offset;
/// lines after the first are notes. \returns what each stage cost.
Expected<std::vector<StageReport>> compile(const PipelineOptions &options, Progress &progress);

} // namespace halftone
