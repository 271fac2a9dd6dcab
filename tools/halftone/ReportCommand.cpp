// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone report: the page, or a table, from the JSON that halftone compile --report wrote.
#include "lib/io/AtomicFile.h"
#include "lib/io/MappedFile.h"
#include "lib/report/Columns.h"
#include "lib/report/Form.h"
#include "lib/report/Json.h"
#include "tools/halftone/Commands.h"
#include "tools/halftone/Report.h"

namespace halftone::tool {
namespace {

struct ReportOptions {
  std::string path, output;
  bool help = false;
};

/// How many of the worst stand in a table of their own.
constexpr size_t worstCount = 10;

} // namespace

static CommandLine commandLine(ReportOptions &options) {
  const auto takePath = [&options](std::string_view path) -> Status {
    if (!options.path.empty())
      return Error{"two reports given, '" + options.path + "' and '" + std::string(path) + "'"};
    options.path = path;
    return {};
  };
  return {"halftone report REPORT.json [-o FILE]",
          "Shows what halftone compile --report=REPORT.json wrote: as tables on standard output, or as one page that "
          "needs nothing else.",
          {{"Options",
            {{"-o", "FILE", "write it there instead: a page, .html, or the same as .json", store(options.output)},
             {"--help", "", "print this", store(options.help)}}}},
          takePath};
}

CommandLine reportLine() {
  static ReportOptions unread;
  return commandLine(unread);
}

static Status checkComplete(const ReportOptions &options) {
  if (options.path.empty())
    return Error{"no report given; usage: halftone report REPORT.json [-o FILE]"};
  if (!options.output.empty() && !report::formOf(options.output))
    return Error{"-o: '" + options.output + "' ends neither in .html nor in .json"};
  return {};
}

static Expected<report::Report> read(const std::string &path) {
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  Expected<report::Report> report =
      report::fromJson({reinterpret_cast<const char *>(file->bytes().data()), file->size()});
  if (!report)
    return Error{path + ": " + report.error().message};
  return report;
}

static std::string table(const report::Report &report, const std::vector<const report::Tensor *> &tensors) {
  const std::vector<report::Column> columns = report::columnsOf(report);
  std::vector<std::vector<std::string>> lines(1);
  std::vector<bool> right;
  for (const report::Column &column : columns) {
    lines.front().emplace_back(column.title);
    right.push_back(column.isNumber);
  }
  for (const report::Tensor *tensor : tensors) {
    auto &line = lines.emplace_back();
    for (const report::Column &column : columns)
      line.push_back(column.cell(*tensor));
  }
  return aligned(lines, right);
}

static std::string toText(const report::Report &report) {
  std::vector<std::vector<std::string>> heading;
  for (const auto &[name, value] : report::headingOf(report))
    heading.push_back({name, value});
  std::string text = aligned(heading, {false, false});
  if (const auto lost = report::worst(report, worstCount); !lost.empty())
    text += "\nthose that lost most:\n" + table(report, lost);
  std::vector<const report::Tensor *> all;
  for (const report::Tensor &tensor : report.tensors)
    all.push_back(&tensor);
  return text + "\nall tensors:\n" + table(report, all);
}

static Status show(ReportOptions &options) {
  const Expected<report::Report> report = read(options.path);
  if (!report)
    return report.error();
  if (options.output.empty())
    return print(toText(*report));
  const std::string text = report::render(*report, *report::formOf(options.output));
  Expected<io::AtomicFile> file = io::AtomicFile::create(options.output, {.inputs = {options.path}});
  if (!file)
    return file.error();
  if (Status written = file->write(text.data(), text.size()); !written)
    return written;
  return file->commit();
}

Expected<int> reportCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, show);
}

} // namespace halftone::tool
