// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mapping the files that weights lie in.
#include "dialects/lowbit/StoredWeights.h"

#include "lib/formats/Packing.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

static formats::StoredShape storedShape(WeightOp weight) {
  auto type = cast<WeightType>(weight.getType());
  return {.rows = type.getRows(),
          .columns = type.getColumns(),
          .format = type.getFormat().getValue(),
          .transposed = weight.getTransposed()};
}

uint64_t halftone::lowbit::storedRows(WeightOp weight) { return storedShape(weight).rows; }
uint64_t halftone::lowbit::storedColumns(WeightOp weight) { return storedShape(weight).columns; }

uint64_t halftone::lowbit::storedBytes(WeightOp weight, const formats::Format &format) {
  return storedRows(weight) * formats::rowBytes(format, storedShape(weight).columns);
}

Expected<formats::StoredMatrix> StoredWeights::open(WeightOp weight) {
  std::shared_ptr<const io::MappedFile> &file = files[weight.getFile()];
  if (!file) {
    Expected<io::MappedFile> mapped = io::MappedFile::open(weight.getFile().str());
    if (!mapped)
      return mapped.error();
    file = std::make_shared<const io::MappedFile>(std::move(*mapped));
  }
  return formats::StoredMatrix::open(file, weight.getOffset(), storedShape(weight));
}

void StoredWeights::release(WeightOp weight) {
  const formats::StoredShape shape = storedShape(weight);
  if (auto file = files.lookup(weight.getFile()))
    file->release(weight.getOffset(), storedBytes(weight, shape.format));
}

std::vector<std::string> halftone::lowbit::weightFiles(ModuleOp module) {
  llvm::SetVector<StringRef> files;
  for (WeightOp weight : module.getOps<WeightOp>())
    files.insert(weight.getFile());
  return {files.begin(), files.end()};
}
