// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A record is what a weight lost, then its storage rows.
#include "passes/model/CodedJournal.h"

#include "lib/io/Sha256.h"
#include "passes/package/SourceHashes.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

namespace halftone {

/// The hashes of the files that codes are made from.
static Expected<std::string> hashesOf(const QuantizeModelOptions &options, const onnx::Model &model) {
  std::vector<std::string> paths;
  for (const auto &file : model.files)
    paths.push_back(file->path());
  for (const std::string &path : {options.calibration.path, options.calibration.tokenizer})
    if (!path.empty())
      paths.push_back(path);
  std::string all;
  for (const std::string &path : paths) {
    const Expected<package::HashedFile> file = package::hashFile(path);
    if (!file)
      return file.error();
    all += file->sha256 + "\n";
  }
  return all;
}

/// The options that decide codes.
static std::string decisionsOf(const QuantizeModelOptions &options) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << quantize::join(options.methods) << " samples=" << options.calibration.samples
      << " seed=" << options.calibration.seed << " length=" << options.calibration.length
      << " damp=" << llvm::format("%a", options.hessian.damp) << " order=" << static_cast<int>(options.hessian.order)
      << " static=" << options.gptq.staticGrids << " search=" << options.gptq.search.has_value() << "\n";
  return text;
}

Expected<CodedJournal> CodedJournal::open(const QuantizeModelOptions &options, const onnx::Model &model,
                                          std::span<const WeightToCode> weights) {
  Expected<std::string> all = hashesOf(options, model);
  if (!all)
    return all.error();
  *all += decisionsOf(options);
  for (const WeightToCode &weight : weights)
    *all += std::string(weight.weight->value->name) + ":" + formats::name(weight.format) + "\n";
  Expected<io::Journal> journal =
      io::Journal::open(options.output + ".work", io::sha256Hex(std::as_bytes(std::span(*all))));
  if (!journal)
    return journal.error();
  return CodedJournal(std::move(*journal));
}

static_assert(std::is_trivially_copyable_v<CodingLoss>);

Expected<WeightCodes> CodedJournal::codes(size_t index) const {
  Expected<std::vector<std::byte>> bytes = journal.read(codesName(index));
  if (!bytes)
    return bytes.error();
  WeightCodes codes;
  std::memcpy(&codes.loss, bytes->data(), sizeof(codes.loss));
  codes.bytes.assign(bytes->begin() + sizeof(codes.loss), bytes->end());
  return codes;
}

Status CodedJournal::keep(size_t index, const WeightCodes &codes) {
  std::vector<std::byte> bytes(sizeof(codes.loss));
  std::memcpy(bytes.data(), &codes.loss, sizeof(codes.loss));
  bytes.insert(bytes.end(), codes.bytes.begin(), codes.bytes.end());
  return journal.append(codesName(index), bytes);
}

Expected<std::vector<float>> CodedJournal::scale(size_t index) const {
  Expected<std::vector<std::byte>> bytes = journal.read(scaleName(index));
  if (!bytes)
    return bytes.error();
  std::vector<float> scale(bytes->size() / sizeof(float));
  std::memcpy(scale.data(), bytes->data(), bytes->size());
  return scale;
}

Status CodedJournal::keepScale(size_t index, std::span<const float> scale) {
  return journal.append(scaleName(index), std::as_bytes(scale));
}

} // namespace halftone
