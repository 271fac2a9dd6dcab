// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone quantize: an ONNX model with quantized linears from one without.
#include "passes/model/QuantizeModel.h"
#include "tools/halftone/Commands.h"
#include "tools/halftone/Display.h"
#include "tools/halftone/Report.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace halftone::tool {

namespace {

struct QuantizeOptions {
  QuantizeModelOptions model;
  int64_t threads = 0, seed = 0;
  bool actOrder = false, blockOrder = false, gridSearch = false;
  bool json = false, help = false;
};

/// Progress on the display's line.
class DisplayedProgress : public QuantizeProgress {
public:
  explicit DisplayedProgress(Display &display) : display(display) {}

  void begin(const std::string &what) override { display.say(what); }
  void advance(const std::string &what, uint64_t done, uint64_t total) override { display.advance(what, done, total); }
  void warn(const std::string &message) override { display.warn(message); }

private:
  Display &display;
};

} // namespace

//===-- Options ---------------------------------------------------------------------------------------------------===//

static constexpr char defaultFormat[] = "int4-g32";

static Status takeFormat(std::string_view name, formats::Format &place) {
  const Expected<formats::Format> format = formats::parse(name);
  if (!format)
    return format.error();
  place = *format;
  return {};
}

/// "GLOB:FORMAT,GLOB:FORMAT": names of formats have no colon, those of weights may.
static Status takeRules(std::string_view text, std::vector<FormatRule> &rules) {
  for (const llvm::StringRef item : llvm::split(llvm::StringRef(text), ',')) {
    const auto [glob, name] = item.rsplit(':');
    if (glob.empty() || name.empty())
      return Error{"'" + item.str() + "' is no rule; one is GLOB:FORMAT"};
    formats::Format format;
    if (Status taken = takeFormat(name, format); !taken)
      return taken;
    rules.push_back({glob.str(), format});
  }
  return {};
}

static Status takeStyle(std::string_view name, const onnx::StorageStyle *&place) {
  place = onnx::findStorageStyle(name);
  return place ? Status()
               : Error{"no style is called '" + std::string(name) + "'; there are " + list(onnx::storageStyleNames())};
}

/// Of activations nothing is kept in a file of ONNX, so that no method serves to quantize them.
static bool isForWeights(const quantize::Method &method) { return !has(method.gather, calibrate::Gather::range); }

static std::vector<std::string_view> methodNames() {
  std::vector<std::string_view> names;
  for (const quantize::Method &method : quantize::methods())
    if (isForWeights(method))
      names.push_back(method.name);
  return names;
}

static Status takeMethods(std::string_view text, std::vector<const quantize::Method *> &place) {
  const Expected<std::vector<const quantize::Method *>> methods = quantize::parseMethods(text);
  if (!methods)
    return methods.error();
  for (const quantize::Method *method : *methods)
    if (!isForWeights(*method))
      return Error{std::string(method->name) +
                   " prepares activations for few bits, and here they stay as they are; "
                   "there are " +
                   list(methodNames())};
  place = *methods;
  return {};
}

static CommandLine commandLine(QuantizeOptions &options) {
  QuantizeModelOptions &model = options.model;
  model.format = *formats::parse(defaultFormat);
  model.style = onnx::findStorageStyle(onnx::storageStyleNames().front());
  return {
      "halftone quantize MODEL.onnx [options] -o OUT.onnx",
      "Quantizes the linears of any graph: MatMul and Gemm whose second input is a constant matrix. All else in the "
      "file "
      "stays as it is. External data, where the model has it or has to, goes to OUT.onnx.data.",
      {{"Files",
        {{"-o", "FILE", "the quantized model", store(model.output)},
         {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
          store(model.externalDataRoot)}}},
       {"Numbers",
        {{"--format", "NAME", "how weights are stored: int8-row, int4-g32 (default), int4-g128-asym, ...",
          [&model](std::string_view name) { return takeFormat(name, model.format); }},
         {"--formats", "GLOB:NAME,...",
          "formats of weights by their names, or by those of nodes that read them; the first that matches decides, f32 "
          "leaves a weight alone",
          [&model](std::string_view text) { return takeRules(text, model.rules); }},
         {"--onnx-style", "STYLE",
          "how quantized linears are written: com.microsoft.MatMulNBits, or DequantizeLinear in front of the linear, "
          "which raises the model's operator set where it has to",
          [&model](std::string_view name) { return takeStyle(name, model.style); }, onnx::storageStyleNames()},
         {"--allow-fallback", "GLOB[,GLOB]",
          "weights by name that may stay in f32 where the style cannot write their linears; otherwise that is an error",
          store(model.allowFallback)}}},
       {"Codes",
        {{"--method", "NAME[,NAME]",
          "how codes are chosen, rtn by default; awq, which scales columns and divides the inputs in the graph, comes "
          "before one that quantizes",
          [&model](std::string_view text) { return takeMethods(text, model.methods); }, methodNames()},
         {"--calibrate", "FILE",
          "what the graph is run on for that: an .npz file with an array for each of its inputs, samples along the "
          "first axis; an .npy file for its only one; with --tokenizer a text",
          store(model.calibration.path)},
         {"--tokenizer", "FILE", "a SentencePiece model, with which the file to calibrate on is read as a text",
          store(model.calibration.tokenizer)},
         {"--length", "N", "tokens of a sample of the text; by default what the model wants, else 256",
          store(model.calibration.length, 2)},
         {"--samples", "N", "most samples taken of it; all by default", store(model.calibration.samples, 1)},
         {"--seed", "N", "decides which are taken", store(options.seed, 0)},
         {"--damp", "SHARE", "gptq: of the diagonal's mean, added to the Hessian; .01 by default",
          store(model.hessian.damp)},
         {"--act-order", "", "gptq: round the columns with the largest inputs first", store(options.actOrder)},
         {"--block-order", "", "gptq: round the blocks with the largest inputs first", store(options.blockOrder)},
         {"--static-groups", "", "gptq: fix scales on the weights as they were", store(model.gptq.staticGrids)},
         {"--grid-search", "", "gptq: search scales instead of taking them from the largest weights",
          store(options.gridSearch)},
         {"--memory", "SIZE",
          "what is kept of the inputs of linears at once, 1GB by default; with less, the graph runs more often",
          storeBytes(model.memory)}}},
       {"Running",
        {{"--json", "", "print the report as JSON on standard output", store(options.json)},
         {"--threads", "N", "threads; the result does not depend on it", store(options.threads, 1)},
         {"--help", "", "print this", store(options.help)}}}},
      takeModel(model.input)};
}

CommandLine quantizeLine() {
  static QuantizeOptions unread;
  return commandLine(unread);
}

static Status checkComplete(const QuantizeOptions &options) {
  if (options.model.input.empty())
    return Error{"no model given; usage: halftone quantize MODEL.onnx [options] -o OUT.onnx"};
  if (options.model.output.empty())
    return Error{"no output given: -o FILE"};
  if (options.actOrder && options.blockOrder)
    return Error{"--act-order and --block-order are two orders: choose one"};
  const bool hasData = !options.model.calibration.path.empty(),
             needsData = quantize::gatheredFor(options.model.methods) != calibrate::Gather::nothing;
  if (needsData && !hasData)
    return Error{"--method: this one needs data to calibrate on: --calibrate=FILE"};
  if (options.model.calibration.length != 0 && options.model.calibration.tokenizer.empty())
    return Error{"--length: is of a text to calibrate on, which takes --tokenizer=FILE"};
  return hasData && !needsData ? Error{"--calibrate: the method uses no data; others do: --method=gptq"} : Status();
}

//===-- The report ------------------------------------------------------------------------------------------------===//

static std::string rounded(const char *format, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(format, value);
  return text;
}

/// \param isText numbers as people read them.
static Report reportOn(const QuantizeModelReport &report, bool isText) {
  const auto number = [&](const char *format, double value) {
    return isText ? llvm::json::Value(rounded(format, value)) : llvm::json::Value(value);
  };
  Table weights = {{"name", "node", "rows", "columns", "format", "bits", "error", "output_error", "damp", "also_kept"},
                   {}};
  for (const QuantizedWeightReport &weight : report.weights)
    weights.rows.push_back(
        {llvm::json::fixUTF8(weight.name), llvm::json::fixUTF8(weight.node), weight.rows, weight.columns,
         formats::name(weight.format), number("%.3f", weight.bits), number("%.5f", weight.error),
         weight.outputError ? number("%.5f", *weight.outputError) : nullptr,
         weight.damp ? number("%.2f", *weight.damp) : nullptr, llvm::json::fixUTF8(weight.alsoKept)});
  Table kept = {{"name", "type", "reason"}, {}};
  for (const KeptWeightReport &weight : report.kept)
    kept.rows.push_back({llvm::json::fixUTF8(weight.name), weight.type, llvm::json::fixUTF8(weight.reason)});
  return {{"weights", weights},
          {"kept", kept},
          {"bytes_before", llvm::json::Value(report.bytesBefore)},
          {"bytes_after", llvm::json::Value(report.bytesAfter)}};
}

static Status quantize(QuantizeOptions &options) {
  options.model.threads = static_cast<unsigned>(options.threads);
  options.model.calibration.seed = static_cast<uint64_t>(options.seed);
  if (options.actOrder || options.blockOrder)
    options.model.hessian.order =
        options.actOrder ? quantize::ColumnOrder::Falling : quantize::ColumnOrder::FallingBlocks;
  if (options.gridSearch)
    options.model.gptq.search.emplace();
  Display display;
  DisplayedProgress progress(display);
  const Expected<QuantizeModelReport> report = quantizeModel(options.model, progress);
  display.clear();
  if (!report)
    return report.error();
  if (options.json)
    return print(toJson(reportOn(*report, false)));
  llvm::errs() << toText(reportOn(*report, true)) << io::peakMemory() << "\n";
  return {};
}

Expected<int> quantizeCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, quantize);
}

} // namespace halftone::tool
