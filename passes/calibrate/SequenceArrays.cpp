// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays against the arguments of a function.
#include "passes/calibrate/SequenceArrays.h"

#include "lib/io/Sha256.h"
#include "passes/calibrate/Entry.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;

/// Whether `array` holds, for each of its sequences, a tensor of `type`, whose tokens are not counted.
static bool fits(const io::NamedArray &array, RankedTensorType type) {
  const Type element = type.getElementType();
  const bool sameElement = (element.isInteger(64) && array.type == io::NpyType::int64) ||
                           (element.isF32() && array.type == io::NpyType::float32);
  if (!sameElement || static_cast<int64_t>(array.shape.size()) != type.getRank() + 1)
    return false;
  for (int64_t i = 1; i < type.getRank(); ++i)
    if (static_cast<int64_t>(array.shape[i + 1]) != type.getDimSize(i))
      return false;
  return array.shape[0] > 0 && array.shape[1] > 0;
}

/// All arrays of the file; an .npy file has one.
static Expected<std::vector<io::NamedArray>> readArrays(const std::string &path,
                                                        std::vector<std::shared_ptr<void>> &keep) {
  if (StringRef(path).ends_with(".npy")) {
    Expected<io::NpyArray> array = io::NpyArray::open(path);
    if (!array)
      return array.error();
    auto kept = std::make_shared<io::NpyArray>(std::move(*array));
    keep.push_back(kept);
    return std::vector<io::NamedArray>{{"arg0", kept->type(), kept->shape(), kept->data()}};
  }
  Expected<io::NpzFile> file = io::NpzFile::open(path);
  if (!file)
    return file.error();
  auto kept = std::make_shared<io::NpzFile>(std::move(*file));
  keep.push_back(kept);
  return kept->arrays();
}

Expected<SequenceArrays> SequenceArrays::open(const std::string &path, ModuleOp module) {
  if (path.empty())
    return Error{"calibrate needs data, data=FILE.npz"};
  FailureOr<func::FuncOp> entry = entryOf(module);
  if (failed(entry))
    return Error{"the module has no function to calibrate"};
  SequenceArrays result;
  Expected<std::vector<io::NamedArray>> all = readArrays(path, result.files);
  if (!all)
    return all.error();
  SmallVector<RankedTensorType> wanted;
  for (Type type : entry->getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      wanted.push_back(tensor);
  for (auto [i, type] : llvm::enumerate(wanted)) {
    const std::string name = "arg" + std::to_string(i);
    const auto found = wanted.size() == 1 && all->size() == 1
                           ? all->begin()
                           : llvm::find_if(*all, [&](const io::NamedArray &array) { return array.name == name; });
    if (found == all->end())
      return Error{path + ": no array is called '" + name + "'"};
    std::string text;
    llvm::raw_string_ostream(text) << type;
    if (!fits(*found, type))
      return Error{path + ": array '" + found->name + "' is " + io::describe(found->type, found->shape) + "; " + text +
                   " takes [sequences, tokens, ...] of its element"};
    if (!result.arrays.empty() && found->shape[0] != result.arrays.front().shape[0])
      return Error{path + ": array '" + found->name + "' has " + std::to_string(found->shape[0]) +
                   " sequences, the first has " + std::to_string(result.arrays.front().shape[0])};
    result.arrays.push_back(*found);
  }
  return result;
}

std::vector<Sequence> SequenceArrays::sequences() const {
  std::vector<Sequence> result(arrays.front().shape[0]);
  for (const io::NamedArray &array : arrays) {
    const size_t bytes = array.data.size() / result.size();
    for (size_t i = 0; i < result.size(); ++i) {
      result[i].tokens = static_cast<int64_t>(array.shape[1]);
      result[i].inputs.push_back(array.data.subspan(i * bytes, bytes));
    }
  }
  return result;
}

std::string SequenceArrays::fingerprint() const {
  std::string all;
  for (const io::NamedArray &array : arrays)
    all += io::describe(array.type, array.shape) + io::sha256Hex(array.data);
  return io::sha256Hex(std::as_bytes(std::span(all)));
}

calibrate::MakeRunner calibrate::runnerOn(const std::string &data, const RunnerOptions &options) {
  return [=](ModuleOp module, const Wanted &wanted) -> Expected<std::unique_ptr<BlockRunner>> {
    Expected<SequenceArrays> read = SequenceArrays::open(data, module);
    if (!read)
      return read.error();
    auto arrays = std::make_shared<const SequenceArrays>(std::move(*read));
    RunnerOptions all = options;
    all.wanted = wanted;
    all.keep = arrays;
    return compileBlocks(module, arrays->sequences(), all);
  };
}

calibrate::MakeDivergence calibrate::divergenceOn(const std::string &data) {
  return [=](ModuleOp module, int64_t tokens) -> Expected<std::unique_ptr<Divergence>> {
    Expected<SequenceArrays> read = SequenceArrays::open(data, module);
    if (!read)
      return read.error();
    auto arrays = std::make_shared<const SequenceArrays>(std::move(*read));
    return Divergence::create(module, arrays->sequences(), tokens, arrays);
  };
}
