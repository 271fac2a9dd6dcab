// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a model is calibrated on, and what is known already: samples, statistics, the journal of a killed run.
#include "passes/Compilation.h"

#include "dialects/lowbit/Facts.h"
#include "lib/evaluate/Sequences.h"
#include "lib/io/Sha256.h"
#include "passes/OwnSamples.h"
#include "passes/quantize/Passes.h"

using namespace mlir;

namespace halftone {

/// Whether a file of samples holds arrays of token ids.
static bool isArray(StringRef path) { return path.ends_with(".npy") || path.ends_with(".npz"); }

Status Compilation::readSamples() {
  const CalibrationOptions &calibration = options.calibration;
  if (calibration.data.empty())
    return {};
  auto forward = module->lookupSymbol<func::FuncOp>("forward");
  if (!forward || forward.getNumResults() == 0)
    return Error{options.input + ": no forward function to calibrate"};
  const int64_t vocabulary = cast<RankedTensorType>(forward.getResultTypes().front()).getShape().back();
  const int64_t context = (*module)->getAttrOfType<IntegerAttr>(facts::context).getInt();
  calibrate::SampleOptions wanted;
  wanted.separator = calibration.separator;
  wanted.length = calibration.length != 0 ? calibration.length : evaluate::defaultLength(wanted.separator, context);
  if (wanted.length > context)
    return Error{"--length: sequences of " + std::to_string(wanted.length) + " tokens, but the model's context is " +
                 std::to_string(context)};
  const int64_t tokens = isSelf(calibration) ? CalibrationOptions::defaultOwnTokens : CalibrationOptions::defaultTokens;
  wanted.samples = calibration.samples != 0 ? calibration.samples : std::max<int64_t>(1, tokens / wanted.length);
  wanted.seed = calibration.seed;
  if (isSelf(calibration))
    return takeOwnSamples(wanted, vocabulary);
  if (!isArray(calibration.data) && !inputs.tokenizer)
    return Error{"--calibrate: " + calibration.data + " is text, which needs the model's tokenizer: --tokenizer=FILE"};
  Expected<calibrate::Samples> read =
      isArray(calibration.data)
          ? calibrate::readTokenSamples(calibration.data, "", wanted, vocabulary)
          : calibrate::readTextSamples(calibration.data, wanted, *inputs.tokenizer->tokenizer, vocabulary);
  if (!read)
    return read.error();
  samples = std::move(*read);
  return {};
}

Status Compilation::takeOwnSamples(const calibrate::SampleOptions &wanted, int64_t vocabulary) {
  if (Status checked = calibrate::checkLength(wanted); !checked)
    return checked;
  if (options.dryRun) { // counts what it would write at most
    samples.emplace(std::vector(wanted.samples, std::vector<int64_t>(wanted.length)), wanted.samples);
    return {};
  }
  if (Status opened = openJournal("self, samples=" + std::to_string(wanted.samples) + ", length=" +
                                  std::to_string(wanted.length) + ", seed=" + std::to_string(wanted.seed));
      !opened)
    return opened;
  Expected<calibrate::Samples> written = writeOwnSamples(*this, wanted, vocabulary);
  if (!written)
    return written.error();
  samples = std::move(*written);
  return {};
}

/// Of `texts`, which none of them holds a line's end.
static std::string hashOf(ArrayRef<std::string> texts) {
  const std::string all = llvm::join(texts, "\n");
  return io::sha256Hex(std::as_bytes(std::span(all)));
}

Expected<calibrate::Fingerprint> Compilation::fingerprint() {
  std::vector<package::HashedFile> files;
  std::optional<package::HashedFile> tokenizer;
  if (Status taken = takeHashes(files, tokenizer); !taken)
    return taken.error();
  std::vector<std::string> model;
  for (const package::HashedFile &file : files)
    model.push_back(file.sha256);
  const std::string prepared = options.rotate ? "rotate" : options.foldNormScale ? "fold_norm_scale" : "";
  return calibrate::Fingerprint{hashOf(model), samples ? samples->fingerprint() : "", hashOf(prepared)};
}

Status Compilation::openStatistics() {
  Expected<calibrate::StatisticsFile> file = calibrate::StatisticsFile::open(options.calibration.statistics);
  if (!file)
    return file.error();
  Expected<calibrate::Fingerprint> here = fingerprint();
  if (!here)
    return here.error();
  here->data = file->fingerprint().data; // which is not here
  if (Status same = file->check(*here); !same)
    return same;
  statistics = std::move(*file);
  calibrate::recordStatistics(*module, *statistics);
  return {};
}

Status Compilation::openJournal(const std::string &data) {
  if (journal || options.output.empty())
    return {};
  const Expected<std::vector<package::HashedFile>> &files = hashes->get();
  if (!files)
    return files.error();
  std::string all = data;
  for (const formats::Format &format : {inputs.formats.weights, inputs.formats.embedding, inputs.formats.head})
    all += "\n" + formats::name(format);
  for (const std::string &candidate : inputs.formats.candidates)
    all += "\n" + candidate;
  for (const auto &[name, value] : decisions(options))
    all += "\n" + name + "=" + value;
  for (const package::HashedFile &file : *files)
    all += "\n" + file.sha256;
  Expected<io::Journal> opened =
      io::Journal::open(options.output + ".work", io::sha256Hex(std::as_bytes(std::span(all))));
  if (!opened)
    return opened.error();
  journal = std::make_shared<io::Journal>(std::move(*opened));
  return {};
}

} // namespace halftone
