// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone inspect: what a model or an executable is made of.
#include "tools/halftone/Inspect.h"

#include "lib/link/ReadInfo.h"
#include "tools/halftone/Commands.h"

#include <cmath>
#include <cstring>
#include <elf.h>
#include <map>

namespace halftone::tool {

using llvm::json::Array;
using llvm::json::Object;
using llvm::json::Value;

//===-- Executables -----------------------------------------------------------------------------------------------===//

/// To three digits behind the point.
static double bits(double bytes, double elements) {
  return elements > 0 ? std::round(8000 * bytes / elements) / 1000 : 0;
}

/// The rows of `weights` as the information has them: name, shape, format, bytes.
static Table weightsOf(const Array &weights) {
  Table table = {{"name", "shape", "format", "bits", "bytes"}, {}};
  for (const Value &value : weights) {
    const Array *weight = value.getAsArray();
    const Array *shape = weight && weight->size() == 4 ? (*weight)[1].getAsArray() : nullptr;
    if (!shape)
      continue;
    double elements = 1;
    for (const Value &size : *shape)
      elements *= size.getAsNumber().value_or(0);
    const double bytes = (*weight)[3].getAsNumber().value_or(0);
    table.rows.push_back({(*weight)[0], Array(*shape), (*weight)[2], bits(bytes, elements), (*weight)[3]});
  }
  return table;
}

/// How many weights and bytes there are of each format.
static Table formatsOf(const Array &weights) {
  struct Sums {
    int64_t weights = 0, elements = 0, bytes = 0;
  };
  std::map<std::string, Sums> formats;
  for (const Value &value : weights) {
    const Array *weight = value.getAsArray();
    const Array *shape = weight && weight->size() == 4 ? (*weight)[1].getAsArray() : nullptr;
    if (!shape)
      continue;
    int64_t elements = 1;
    for (const Value &size : *shape)
      elements *= size.getAsInteger().value_or(0);
    Sums &sums = formats[(*weight)[2].getAsString().value_or("").str()];
    ++sums.weights;
    sums.elements += elements;
    sums.bytes += (*weight)[3].getAsInteger().value_or(0);
  }
  Table table = {{"format", "weights", "elements", "bits", "bytes"}, {}};
  for (const auto &[name, sums] : formats)
    table.rows.push_back({name, sums.weights, sums.elements,
                          bits(static_cast<double>(sums.bytes), static_cast<double>(sums.elements)), sums.bytes});
  return table;
}

Expected<Report> inspectExecutable(const io::MappedFile &program) {
  const Expected<std::string_view> text = link::readInfo(program);
  if (!text)
    return text.error();
  llvm::Expected<Value> info = llvm::json::parse(*text);
  Object *object = info ? info->getAsObject() : nullptr;
  if (!object) {
    llvm::consumeError(info.takeError());
    return Error{program.path() + ": damaged: what it says of itself is no JSON object"};
  }
  Report report = {{"kind", Value("executable")}};
  std::map<std::string, Value> sorted;
  for (const auto &[name, value] : *object)
    sorted.emplace(name.str(), value);
  static const Array none;
  const auto weights = sorted.find("weights");
  const Array *list = weights == sorted.end() ? nullptr : weights->second.getAsArray();
  for (const auto &[name, value] : sorted)
    if (name != "weights")
      report.push_back({name, value});
  report.push_back({"formats", formatsOf(list ? *list : none)});
  report.push_back({"weights", weightsOf(list ? *list : none)});
  return report;
}

//===-- The command -----------------------------------------------------------------------------------------------===//

namespace {

struct InspectOptions {
  std::string path, externalDataRoot;
  bool json = false, help = false;
};

} // namespace

static CommandLine commandLine(InspectOptions &options) {
  const auto takePath = [&options](std::string_view path) -> Status {
    if (!options.path.empty())
      return Error{"two files given, '" + options.path + "' and '" + std::string(path) + "'"};
    options.path = path;
    return {};
  };
  return {
      "halftone inspect FILE [options]",
      "Tells what a model (.onnx) or an executable that halftone made consists of: architecture, operators, tensors "
      "with their shapes, formats and bits. The executable is read, not run; a model's weights are not read.",
      {{"Options",
        {{"--json", "", "one JSON object instead of tables", store(options.json)},
         {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
          store(options.externalDataRoot)},
         {"--help", "", "print this", store(options.help)}}}},
      takePath};
}

CommandLine inspectLine() {
  static InspectOptions unread;
  return commandLine(unread);
}

static Expected<Report> inspect(const InspectOptions &options) {
  const Expected<io::MappedFile> file = io::MappedFile::open(options.path);
  if (!file)
    return file.error();
  const bool isProgram = file->size() >= SELFMAG && std::memcmp(file->bytes().data(), ELFMAG, SELFMAG) == 0;
  return isProgram ? inspectExecutable(*file) : inspectModel(options.path, options.externalDataRoot);
}

static Status checkComplete(const InspectOptions &options) {
  return options.path.empty() ? Error{"no file given; usage: halftone inspect FILE [options]"} : Status();
}

static Status printReport(InspectOptions &options) {
  const Expected<Report> report = inspect(options);
  if (!report)
    return report.error();
  return print(options.json ? toJson(*report) : toText(*report));
}

Expected<int> inspectCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, printReport);
}

} // namespace halftone::tool
