// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places in a work file, and writing there one thread at a time.
#include "dialects/lowbit/WorkFile.h"

#include "dialects/lowbit/StoredWeights.h"

#include "llvm/Support/MathExtras.h"

using namespace halftone;
using namespace halftone::lowbit;

static constexpr uint64_t alignment = 64;

Expected<std::unique_ptr<WorkFile>> WorkFile::create(std::string path, mlir::ModuleOp module, llvm::StringRef pass) {
  if (path.empty())
    return Error{pass.str() + " needs a file to write, work=FILE"};
  return create(std::move(path), weightFiles(module));
}

Expected<std::unique_ptr<WorkFile>> WorkFile::create(std::string path, std::vector<std::string> inputs) {
  io::AtomicFileOptions options;
  options.inputs = std::move(inputs);
  options.durable = false;
  Expected<io::AtomicFile> file = io::AtomicFile::create(std::move(path), options);
  if (!file)
    return file.error();
  return std::unique_ptr<WorkFile>(new WorkFile(std::move(*file)));
}

uint64_t WorkFile::reserve(uint64_t bytes) {
  const uint64_t start = llvm::alignTo(end, alignment);
  end = start + bytes;
  return start;
}

Status WorkFile::writeAt(uint64_t offset, std::span<const std::byte> bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return file.writeAt(offset, bytes.data(), bytes.size());
}
