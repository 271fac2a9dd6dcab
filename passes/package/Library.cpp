// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Three objects, one of them made here, and a text.
#include "passes/package/Library.h"

#include "lib/link/Bundle.h"
#include "lib/link/WeightObject.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

namespace halftone::package {

/// include/halftone/session.h, put here by the build.
static constexpr char sessionHeader[] =
#include "passes/package/SessionHeader.inc"
    ;

static Status writeWeights(const std::string &path, const std::string &object, const SegmentSources &segment,
                           const std::string &symbol, const link::SegmentProgress &progress) {
  const Expected<io::MappedFile> code = io::MappedFile::open(object);
  if (!code)
    return code.error();
  Expected<io::AtomicFile> output = io::AtomicFile::create(path, {.durable = false});
  if (!output)
    return output.error();
  const link::SegmentPart parts[] = {segment.weights, segment.tokenizer, std::as_bytes(std::span(segment.info))};
  if (Status written = link::writeWeightObject(*code, parts, symbol + "_weights", *output, progress); !written)
    return written;
  return output->commit();
}

Status packageLibrary(const io::WorkFolder &work, const std::string &object, const std::string &runtimeFolder,
                      const SegmentSources &segment, Bundle bundle, const std::string &symbol, const std::string &name,
                      const link::SegmentProgress &progress) {
  const std::string weights = work / "weights.o";
  if (Status written = writeWeights(weights, work / object, segment, symbol, progress); !written)
    return written;
  const std::vector<std::string> objects = {work / object, weights, runtimeFolder + "/session.o"};
  return bundle == Bundle::Archive ? link::writeArchive(objects, work / name)
                                   : link::linkRelocatable(objects, work / name);
}

std::string headerText(const std::string &symbol, const std::string &model) {
  const std::string guard = "HALFTONE_MODEL_" + llvm::StringRef(symbol).upper() + "_H";
  return "/* The model " + model + ", compiled by halftone " HALFTONE_VERSION ". */\n#ifndef " + guard + "\n#define " +
         guard + "\n\n" + sessionHeader + "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\nextern const struct " +
         "halftone_model " + symbol + ";\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
}

std::string headerPath(const std::string &path) {
  llvm::SmallString<128> header(path);
  llvm::sys::path::replace_extension(header, ".h");
  return header.str().str();
}

bool isIdentifier(const std::string &name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string symbolFor(const std::string &path) {
  llvm::StringRef stem = llvm::sys::path::stem(path);
  if (llvm::sys::path::extension(path) == ".a")
    stem.consume_front("lib");
  std::string symbol = stem.str();
  for (char &c : symbol)
    c = llvm::isAlnum(c) ? c : '_';
  return isIdentifier(symbol) ? symbol : "model_" + symbol;
}

} // namespace halftone::package
