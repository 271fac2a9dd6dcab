// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step at a time over all sequences, so that one block's weights are in memory.
#include "passes/bisect/ModuleRun.h"

#include "lib/formats/Table.h"
#include "passes/Register.h"
#include "passes/calibrate/Passes.h"
#include "passes/quantize/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::bisect;

static DialectRegistry projectDialects() {
  DialectRegistry registry;
  registerDialects(registry);
  return registry;
}

ModuleRun::ModuleRun(std::string path)
    : path(std::move(path)), context(projectDialects(), MLIRContext::Threading::DISABLED),
      diagnostics(context, "", [](const std::string &) {}) {
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
}

Expected<std::unique_ptr<ModuleRun>> ModuleRun::open(const std::string &path) {
  std::unique_ptr<ModuleRun> run(new ModuleRun(path));
  run->module = parseSourceFile<ModuleOp>(path, ParserConfig(&run->context));
  if (!run->module)
    return run->failed(run->diagnostics.error("reading it"));
  return run;
}

Status ModuleRun::compile(std::vector<calibrate::Sequence> given, const std::string &work) {
  sequences = std::move(given);
  PassManager passes(&context, ModuleOp::getOperationName());
  passes.addPass(createEvaluateWeights({work}));
  passes.addPass(createOutlineSegments()); // so that each part of the chain is a function here, too
  if (mlir::failed(passes.run(*module)))
    return failed(diagnostics.error("deriving its weights"));
  Expected<calibrate::BlockCode> compiled = calibrate::BlockCode::compile(*module, calibrate::longest(sequences));
  if (!compiled)
    return failed(compiled.error());
  code = std::move(*compiled);
  const bool takesTokens = chain().inputs == 1 && chain().values.front().elementBytes == sizeof(int64_t);
  if (!takesTokens || chain().steps.empty() || chain().steps.back().results.empty())
    return failed({"is no decoder that takes token ids and gives logits"});
  weights = std::make_unique<calibrate::BlockWeights>(*module);
  kept.assign(sequences.size(), calibrate::Values(chain().values.size()));
  return {};
}

Status ModuleRun::run(size_t number) {
  const calibrate::Step &step = chain().steps[number];
  weights->clear();
  if (Status loaded = code->load(step, step.function, *weights); !loaded)
    return failed(loaded.error());
  for (auto [sequence, values] : llvm::zip(sequences, kept))
    calibrate::callStep(*code, step, sequence, *weights, nullptr, values, values);
  return {};
}

std::span<const float> ModuleRun::outputsOf(const calibrate::Values &values, size_t step, size_t sequence) const {
  const calibrate::ValueId id = chain().steps[step].results.front();
  return {reinterpret_cast<const float *>(values[id].data()),
          static_cast<size_t>(sequences[sequence].tokens * chain().values[id].channels)};
}

std::vector<std::span<const float>> ModuleRun::outputs(size_t step) const {
  std::vector<std::span<const float>> all;
  for (size_t i = 0; i < sequences.size(); ++i)
    all.push_back(outputsOf(kept[i], step, i));
  return all;
}

Expected<std::vector<std::vector<float>>> ModuleRun::outputsWith(size_t number, const calibrate::Trial &trial) {
  const calibrate::Step &step = chain().steps[number];
  if (Status loaded = code->load(step, step.function, *weights); !loaded)
    return failed(loaded.error());
  std::vector<std::vector<float>> all;
  for (size_t i = 0; i < sequences.size(); ++i) {
    calibrate::Values values(chain().values.size());
    calibrate::callStep(*code, step, sequences[i], *weights, &trial, kept[i], values);
    const std::span<const float> outputs = outputsOf(values, number, i);
    all.emplace_back(outputs.begin(), outputs.end());
  }
  return all;
}

Expected<std::vector<float>> ModuleRun::values(const std::string &weight) {
  if (Status loaded = weights->load(weight); !loaded)
    return failed(loaded.error());
  const std::span<const float> found = weights->values(weight);
  return std::vector<float>(found.begin(), found.end());
}

std::string ModuleRun::formatOf(const std::string &weight) {
  auto named = module->lookupSymbol<lowbit::WeightOp>(weight);
  return named ? formats::name(cast<lowbit::WeightType>(named.getType()).getFormat().getValue()) : "";
}
