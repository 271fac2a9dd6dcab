// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An executable that `halftone compile` made, asked for its facts and its logits as a process of its own.
#pragma once

#include "lib/io/Npy.h"
#include "lib/io/RunProgram.h"
#include "lib/io/WorkFolder.h"
#include "passes/Inputs.h"

#include "llvm/Support/JSON.h"

namespace halftone::tool {

class Executable {
public:
  /// Asks the file `path` what it is. Fails, naming it, when it cannot be run and when its --info is none of
  /// halftone's.
  /// \param work for the files by which the two processes talk; must outlive the executable.
  static Expected<Executable> open(std::string path, const io::WorkFolder &work);

  const std::string &path() const { return file; }
  /// What --info says.
  const llvm::json::Object &info() const { return facts; }
  /// Most tokens of a sequence.
  int64_t context() const;
  /// The number format, by its name.
  std::string format() const;

  /// Token ids mean nothing to an executable whose own tokenizer gives others: fails when it is not `tokenizer`.
  Status checkTokenizer(const TokenizerFile &tokenizer) const;

  /// The logits after each of `tokens`, f32 [tokens, vocabulary], mapped from a file of the work folder that the next
  /// call replaces; the array stays. \param threads 0 for as many as the executable thinks best. Fails, naming the
  /// executable, when it does or dies. \param cost what its process takes.
  Expected<io::NpyArray> logits(std::span<const int64_t> tokens, int64_t threads,
                                io::ProgramCost *cost = nullptr) const;

private:
  Executable(std::string path, const io::WorkFolder &work) : file(std::move(path)), work(&work) {}

  std::string file;
  const io::WorkFolder *work;
  llvm::json::Object facts;
};

/// A folder for a command's files, which goes away with the object, where the system keeps such. \param name how the
/// folder's begins.
Expected<io::WorkFolder> temporaryFolder(std::string_view name);

} // namespace halftone::tool
