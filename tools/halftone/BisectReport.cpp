// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling a bisection out.
#include "tools/halftone/BisectReport.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

namespace halftone::tool {

static bool isSame(const StageComparison &stage, double tolerance) {
  return stage.modules ? stage.modules->isSame(tolerance) : stage.sameText;
}

bool Bisection::isSame() const {
  for (const StageComparison &stage : stages)
    if (!tool::isSame(stage, tolerance))
      return false;
  return !executables || executables->isSame(tolerance);
}

static std::string number(double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%.3g", value);
  return result;
}

static std::string outputsLine(const bisect::Comparison &comparison) {
  return "outputs differ by " + number(comparison.outputs) + ", mean KL " + number(comparison.divergence) + "\n";
}

static void writeSteps(const bisect::Comparison &comparison, llvm::raw_ostream &out) {
  if (comparison.steps.empty()) {
    out << "  the modules are not made of the same blocks, so only outputs are compared\n";
    return;
  }
  for (size_t i = 0; i < comparison.steps.size(); ++i)
    out << "  " << llvm::right_justify(std::to_string(i + 1), 3) << "  "
        << llvm::left_justify(comparison.steps[i].function, 24) << number(comparison.steps[i].difference)
        << (comparison.parting == i ? "  <- parts here" : "") << "\n";
}

static void writeParting(const bisect::Comparison &comparison, llvm::raw_ostream &out) {
  if (!comparison.parting)
    return;
  out << "first part: " << *comparison.parting + 1 << ", " << comparison.steps[*comparison.parting].function << "\n";
  if (comparison.operation)
    out << "first operation: " << (comparison.operation->first.empty() ? "(none)" : comparison.operation->first) << "\n"
        << "  in the second: " << (comparison.operation->second.empty() ? "(none)" : comparison.operation->second)
        << "\n";
  if (comparison.weights.empty()) {
    out << "all of its weights are the same\n";
    return;
  }
  out << "first weight: " << comparison.weights.front().first << "\n"
      << "its weights that differ, by how much, and what each alone does to the part's outputs:\n";
  for (const bisect::Weight &weight : comparison.weights)
    out << "  " << weight.first << (weight.first == weight.second ? "" : " / " + weight.second) << "  "
        << weight.firstFormat << (weight.firstFormat == weight.secondFormat ? "" : " / " + weight.secondFormat) << "  "
        << number(weight.values) << "  " << number(weight.outputs) << "\n";
}

std::string text(const Bisection &bisection) {
  std::string result;
  llvm::raw_string_ostream out(result);
  out << "first " << bisection.first << ", second " << bisection.second << ", " << bisection.tokens
      << " tokens, tolerance " << number(bisection.tolerance) << "\n";
  for (const StageComparison &stage : bisection.stages) {
    const bool same = isSame(stage, bisection.tolerance);
    if (!stage.stage.empty())
      out << "stage " << stage.stage << ": " << (same ? "the same" : "parts here")
          << (stage.modules ? "; " + outputsLine(*stage.modules)
              : same        ? ", as text\n"
                            : ": another text\n");
    else
      out << outputsLine(*stage.modules);
    if (same || !stage.modules)
      continue;
    writeSteps(*stage.modules, out);
    writeParting(*stage.modules, out);
  }
  if (bisection.executables)
    out << outputsLine(*bisection.executables);
  for (const FactDifference &fact : bisection.facts)
    out << fact.what << ": " << fact.first << " / " << fact.second << "\n";
  out << (bisection.isSame() ? "the same\n" : "they part\n");
  return result;
}

/// What is no finite number is null.
static llvm::json::Value toJson(double value) {
  return std::isfinite(value) ? llvm::json::Value(value) : llvm::json::Value(nullptr);
}

static llvm::json::Object toJson(const bisect::Comparison &comparison) {
  llvm::json::Object object{{"outputs", toJson(comparison.outputs)},
                            {"mean_kl_divergence", toJson(comparison.divergence)}};
  llvm::json::Array steps, weights;
  for (const bisect::Step &step : comparison.steps)
    steps.push_back(llvm::json::Object{{"function", step.function}, {"difference", toJson(step.difference)}});
  for (const bisect::Weight &weight : comparison.weights)
    weights.push_back(llvm::json::Object{{"first", llvm::json::fixUTF8(weight.first)},
                                         {"second", llvm::json::fixUTF8(weight.second)},
                                         {"first_format", weight.firstFormat},
                                         {"second_format", weight.secondFormat},
                                         {"values", toJson(weight.values)},
                                         {"outputs", toJson(weight.outputs)}});
  object["parts"] = std::move(steps);
  object["first_part"] = comparison.parting ? llvm::json::Value(int64_t(*comparison.parting) + 1) : nullptr;
  object["weights"] = std::move(weights);
  if (comparison.operation)
    object["operation"] = llvm::json::Object{{"first", llvm::json::fixUTF8(comparison.operation->first)},
                                             {"second", llvm::json::fixUTF8(comparison.operation->second)}};
  return object;
}

std::string json(const Bisection &bisection) {
  llvm::json::Array stages, facts;
  for (const StageComparison &stage : bisection.stages) {
    llvm::json::Object object =
        stage.modules ? toJson(*stage.modules) : llvm::json::Object{{"same_text", stage.sameText}};
    object["stage"] = stage.stage;
    object["same"] = isSame(stage, bisection.tolerance);
    stages.push_back(std::move(object));
  }
  for (const FactDifference &fact : bisection.facts)
    facts.push_back(llvm::json::Object{{"what", llvm::json::fixUTF8(fact.what)},
                                       {"first", llvm::json::fixUTF8(fact.first)},
                                       {"second", llvm::json::fixUTF8(fact.second)}});
  llvm::json::Object object{{"first", llvm::json::fixUTF8(bisection.first)},
                            {"second", llvm::json::fixUTF8(bisection.second)},
                            {"tokens", bisection.tokens},
                            {"tolerance", bisection.tolerance},
                            {"same", bisection.isSame()},
                            {"stages", std::move(stages)},
                            {"facts", std::move(facts)}};
  if (bisection.executables)
    object["executables"] = llvm::json::Object{{"outputs", toJson(bisection.executables->outputs)},
                                               {"mean_kl_divergence", toJson(bisection.executables->divergence)}};
  std::string result;
  llvm::raw_string_ostream(result) << llvm::formatv("{0:2}", llvm::json::Value(std::move(object))) << "\n";
  return result;
}

} // namespace halftone::tool
