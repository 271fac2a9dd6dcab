// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of everything. What a stage's passes are, its Stage.cpp says; what they do, its Passes.td.
#include "passes/Pipeline.h"

#include "lib/io/AtomicFile.h"
#include "lib/io/SystemError.h"
#include "lib/report/Form.h"
#include "passes/DryRun.h"
#include "passes/StageSteps.h"
#include "passes/import/DescribeModule.h"
#include "passes/package/Library.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <chrono>

using namespace mlir;

namespace halftone {

static Status makeFolder(const std::string &path) {
  if (const std::error_code code = llvm::sys::fs::create_directories(path, true, llvm::sys::fs::perms::all_all))
    return io::systemError(path, "make the folder", code.value());
  return {};
}

/// Writes the IR after `stage` where the user wants it: "folder/04-quantize.mlir".
static Status dump(const Compilation &model, Stage stage) {
  const std::string &folder = model.options.dumpFolder;
  if (folder.empty() || stage == Stage::Package)
    return {};
  if (Status made = makeFolder(folder); !made)
    return made;
  std::string path;
  llvm::raw_string_ostream(path) << folder << llvm::format("/%02d-", static_cast<int>(stage) + 1) << name(stage)
                                 << ".mlir";
  return model.writeModule(path);
}

/// Runs one stage, measured.
static Expected<StageReport> runStage(Compilation &model, Stage stage, Status (*run)(Compilation &)) {
  const uint64_t before = model.work.bytes();
  const auto start = std::chrono::steady_clock::now();
  model.progress.begin(stage);
  if (Status done = run(model); !done)
    return done.error();
  if (Status dumped = dump(model, stage); !dumped)
    return dumped.error();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const StageReport report = {stage, seconds.count(), model.work.bytes() - before};
  model.progress.end(report);
  return report;
}

/// Puts the file `name` where the user wants it.
static Status publish(const Compilation &model, const char *name) {
  if (isForOthers(wanted(model.options)))
    if (Status published = model.work.publish(header, package::headerPath(model.options.output)); !published)
      return published;
  if (!model.options.output.empty())
    return model.work.publish(name);
  const Expected<io::MappedFile> text = io::MappedFile::open(model.work / name);
  return text ? model.progress.print({reinterpret_cast<const char *>(text->bytes().data()), text->size()})
              : text.error();
}

/// Writes the report, but does not put it in its place yet; nothing when none is wanted.
static Expected<std::optional<io::AtomicFile>> writeReport(Compilation &model) {
  const std::optional<report::Form> form = report::formOf(model.options.report);
  if (!form)
    return std::optional<io::AtomicFile>();
  const Expected<report::Report> report = model.makeReport();
  if (!report)
    return report.error();
  const std::string text = report::render(*report, *form);
  Expected<io::AtomicFile> file = io::AtomicFile::create(model.options.report);
  if (!file)
    return file.error();
  if (Status written = file->write(text.data(), text.size()); !written)
    return written.error();
  return std::optional(std::move(*file));
}

/// Ends a run: `put` puts what was made where the user wants it, the report follows, and there is nothing to resume.
static Status deliver(Compilation &model, llvm::function_ref<Status()> put) {
  Expected<std::optional<io::AtomicFile>> report = writeReport(model);
  if (!report)
    return report.error();
  if (Status done = put(); !done)
    return done;
  if (*report)
    if (Status committed = (*report)->commit(); !committed)
      return committed;
  if (model.journal)
    model.journal->remove();
  return {};
}

/// Beside which work files stand when the output is no file.
static std::string temporaryPath() {
  SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*erasedOnReboot=*/true, path);
  llvm::sys::path::append(path, "halftone");
  return path.str().str();
}

Expected<Architecture> recognise(const PipelineOptions &options) {
  Expected<Inputs> inputs = Inputs::open(options);
  if (!inputs)
    return inputs.error();
  Expected<io::WorkFolder> work = io::WorkFolder::create(temporaryPath());
  if (!work)
    return work.error();
  Progress silent;
  Compilation model(options, std::move(*inputs), std::move(*work), silent);
  if (Status imported = runImport(model); !imported)
    return imported.error();
  return importer::describe(*model.module);
}

/// Up to where formats are decided; then words.
static Expected<std::vector<StageReport>> dryRun(Compilation &model) {
  for (const auto &[stage, run] : stageSteps().take_front(static_cast<size_t>(Stage::Quantize)))
    if (const Expected<StageReport> report = runStage(model, stage, run); !report)
      return report.error();
  const QuantizeOptions options = quantizeOptions(model);
  if (Status run = model.runPasses(Stage::Quantize, [&](auto &passes) { addDecisionPasses(passes, options); }); !run)
    return run.error();
  const Expected<std::string> text = describeDryRun(model);
  if (!text)
    return text.error();
  if (Status printed = model.progress.print(*text); !printed)
    return printed.error();
  return std::vector<StageReport>();
}

Expected<std::vector<StageReport>> compile(const PipelineOptions &options, Progress &progress) {
  Expected<Inputs> inputs = Inputs::open(options);
  if (!inputs)
    return inputs.error();
  Expected<io::WorkFolder> work = io::WorkFolder::create(options.output.empty() ? temporaryPath() : options.output);
  if (!work)
    return work.error();
  Compilation model(options, std::move(*inputs), std::move(*work), progress);
  if (options.dryRun)
    return dryRun(model);
  if (options.keepWeights)
    if (Status made = makeFolder(options.dumpFolder + "/weights"); !made)
      return made.error();
  const Stage last = row(wanted(options)).stage;
  std::vector<StageReport> reports;
  for (const auto &[stage, run] : stageSteps()) {
    if (isQuantized(options) && stage > Stage::Import && stage <= Stage::Quantize)
      continue;
    const Expected<StageReport> report = runStage(model, stage, run);
    if (!report)
      return report.error();
    reports.push_back(*report);
    if (stage == (isQuantized(options) ? Stage::Import : Stage::Quantize))
      if (Status listed = model.listWeights(); !listed)
        return listed.error();
    if (stage == last)
      break;
    if (stage == options.stopAfter) {
      // With a folder of dumps the IR is there already.
      const auto write = [&] {
        if (gathersStatistics(options))
          if (Status published = model.work.publish(statistics, statisticsPath(options)); !published)
            return published;
        return options.dumpFolder.empty() ? model.writeModule(options.output) : Status();
      };
      if (Status delivered = deliver(model, write); !delivered)
        return delivered.error();
      return reports;
    }
  }
  const auto put = [&] { return publish(model, last == Stage::Package ? program : object); };
  if (Status delivered = deliver(model, put); !delivered)
    return delivered.error();
  return reports;
}

} // namespace halftone
