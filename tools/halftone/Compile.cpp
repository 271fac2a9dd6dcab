// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone compile: options, progress while it works, and a table of what each stage cost.
#include "lib/quantize/Method.h"
#include "passes/Pipeline.h"
#include "tools/halftone/CommandLine.h"
#include "tools/halftone/Commands.h"
#include "tools/halftone/Display.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace halftone::tool {

/// What the command line says.
struct CompileOptions {
  PipelineOptions pipeline;
  int64_t threads = 0;
  bool help = false;
};

/// Names from a table, for an option that takes one.
static std::vector<std::string_view> stages() { return {stageNames.begin(), stageNames.end()}; }

static std::vector<std::string_view> forms() {
  std::vector<std::string_view> names;
  for (const ArtifactRow &row : artifacts)
    names.push_back(row.name);
  return names;
}

static std::vector<std::string_view> methods() {
  std::vector<std::string_view> names;
  for (const quantize::Method &method : quantize::methods())
    names.push_back(method.name);
  return names;
}

static std::vector<std::string_view> cacheFormats() { return {"f32", "f16", "int8", "int4"}; }

static std::function<Status(std::string_view)> takeCacheFormat(std::string &place) {
  return [&place](std::string_view value) -> Status {
    place = value;
    return llvm::is_contained(cacheFormats(), value)
               ? Status()
               : Error{"no cache can be kept in '" + std::string(value) + "'; there are " + list(cacheFormats())};
  };
}

static std::function<Status(std::string_view)> store(std::optional<std::string> &place) {
  return [&place](std::string_view value) -> Status {
    place = value;
    return {};
  };
}

static std::function<Status(std::string_view)> store(std::optional<Stage> &place) {
  return [&place](std::string_view value) -> Status {
    place = parseStage(value);
    return place ? Status() : Error{"no stage is called '" + std::string(value) + "'; there are " + list(stages())};
  };
}

static std::function<Status(std::string_view)> store(std::optional<Artifact> &place) {
  return [&place](std::string_view value) -> Status {
    place = parseArtifact(value);
    return place ? Status() : Error{"no form is called '" + std::string(value) + "'; there are " + list(forms())};
  };
}

static CommandLine commandLine(CompileOptions &options) {
  PipelineOptions &pipeline = options.pipeline;
  CalibrationOptions &calibration = pipeline.calibration;
  return {
      "halftone compile MODEL.onnx [options] -o FILE",
      "Compiles a decoder into one static executable: kernels made for the model, the number format and the processor, "
      "the packed weights, the tokenizer. MODEL.mlir is taken too: a module after the stage quantize, as "
      "--stop-after=quantize or qopt write it, whose formats are decided.",
      {{"Files",
        {{"-o", "FILE", "the executable; text (--emit, --stop-after) goes to standard output by default",
          store(pipeline.output)},
         {"--report", "FILE",
          "what quantizing did to each tensor: .json for programs, .html for people; halftone report makes one of the "
          "other",
          store(pipeline.report)},
         {"--emit", "FORM",
          "what to make: an executable, a static library or an object file for other programs, each with a header, "
          "FILE.h; or, as text, the code alone",
          store(pipeline.emit), forms()},
         {"--symbol", "NAME", "what the model is called in C; after FILE by default", store(pipeline.symbol)},
         {"--tokenizer", "FILE",
          "a SentencePiece model to build in; without one the executable takes token ids (--tokens)",
          store(pipeline.tokenizer)},
         {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
          store(pipeline.externalDataRoot)}}},
       {"Numbers",
        {{"--format", "NAME", "how weights are stored: f32, int8-g32, int4-g32 (default), int4-g128-asym, ...",
          store(pipeline.format)},
         {"--embedding-format", "NAME", "of the token embedding; int8-g32 unless --format stores plain values",
          store(pipeline.embeddingFormat)},
         {"--head-format", "NAME", "of the last linear layer; the same default", store(pipeline.headFormat)},
         {"--formats", "GLOB=NAME,...", "of weights by name: *.down_proj.weight=int8-g32; goes before the three above",
          store(pipeline.formats)},
         {"--bits", "N",
          "a budget: bits per weight of linears; each gets the format of --format, a list, that costs "
          "the model least, as --calibrate shows",
          store(pipeline.bits)},
         {"--size", "SIZE", "a budget likewise, of all weights: 13MB", storeBytes(pipeline.size)},
         {"--kv-format", "NAME",
          "how the cache keeps keys and values: f32 (default), f16, or codes, int8 or int4, with a scale for each head",
          takeCacheFormat(pipeline.cacheFormat), cacheFormats()},
         {"--untie", "", "store an embedding that is also the head twice, so that each has its own format",
          store(pipeline.untie)},
         {"--fold-norm-scale", "",
          "move norms' scales into the linears behind them before quantizing; an embedding that is also the head is "
          "then stored twice",
          store(pipeline.foldNormScale)},
         {"--rotate", "",
          "spread outliers over all channels by Hadamard rotations before quantizing (QuaRot); folds norms' scales too",
          store(pipeline.rotate)},
         {"--context", "N", "most tokens of a sequence; by default what the model says, else 2048",
          store(pipeline.context, 1)}}},
       {"Calibration",
        {{"--method", "NAME[,NAME]",
          "how the weights of linears are quantized, rtn by default; methods that rescale come before one that "
          "quantizes",
          store(calibration.method), methods()},
         {"--calibrate",
          "FILE",
          "what to calibrate on: text, token ids [sequences, tokens] as .npy or .npz, or what the model itself writes",
          store(calibration.data),
          {selfName}},
         {"--statistics", "FILE",
          "what is known of activations, instead of running the model: --stop-after=calibrate -o OUT with --calibrate "
          "leaves it in OUT.statistics",
          store(calibration.statistics)},
         {"--documents", "SEPARATOR",
          "what stands between the documents of a text, each of which is one sequence; a text without it is cut into "
          "windows; <|endoftext|> by default",
          store(calibration.separator)},
         {"--samples", "N", "most sequences; by default as many as make 262144 tokens, 65536 of the model's own text",
          store(calibration.samples, 1)},
         {"--length", "N", "most tokens of a sequence; by default 256 of a document, the context of a window",
          store(calibration.length, 1)},
         {"--seed", "N", "decides which sequences are taken when there are more, and what the model writes",
          store(calibration.seed, 0)},
         {"--memory", "SIZE", "most activations to keep in memory, the others go to disk: 512MB, 1GB (default)",
          storeBytes(calibration.memory)},
         {"--damp", "SHARE", "gptq: of the diagonal's mean, added to the Hessian; .01 by default",
          store(calibration.damp)},
         {"--act-order", "", "gptq: round the columns with the largest inputs first", store(calibration.actOrder)},
         {"--block-order", "",
          "gptq: round the blocks with the largest inputs first; with --grid-search better than --act-order",
          store(calibration.blockOrder)},
         {"--static-groups", "", "gptq: fix scales on the weights as they were", store(calibration.staticGroups)},
         {"--grid-search", "", "gptq: search scales instead of taking them from the largest weights",
          store(calibration.gridSearch)},
         {"--asymmetric-calibration", "",
          "gptq: aim at what the unquantized model computes (GPTAQ); takes a second run of each block",
          store(calibration.asymmetric)},
         {"--no-true-sequential", "", "show a block's linears what they saw before any of them was quantized",
          storeNot(calibration.trueSequential)}}},
       {"Processor",
        {{"--target", "CPU[,CPU]",
          "an LLVM name (icelake-server), a level (x86-64-v3) or native (default), then features: +avx512vnni,-fma; "
          "several, best first, give one executable that chooses at start",
          store(pipeline.target)},
         {"--allow-fallback", "GLOB[,GLOB]",
          "weights by name that may be computed with more slowly than the family of a processor that --target names "
          "can; native takes what is there",
          store(pipeline.allowFallback)}}},
       {"Looking inside",
        {{"--stop-after", "STAGE", "end with the IR after this stage", store(pipeline.stopAfter), stages()},
         {"--dump-dir", "FOLDER", "write the IR after each stage there: 01-import.mlir ...",
          store(pipeline.dumpFolder)},
         {"--keep-weights", "",
          "keep the files of weights that the dumps refer to, in FOLDER/weights: for halftone bisect",
          store(pipeline.keepWeights)},
         {"--dry-run", "", "say size, bits, peak memory and expected time, and write nothing", store(pipeline.dryRun)},
         {"--lower-reference", "", "lower to plain loops that compute what the operations say: the oracle, slow",
          store(pipeline.lowerReference)}}},
       {"Running",
        {{"--threads", "N", "threads of the compiler; the result does not depend on it", store(options.threads, 1)},
         {"--help", "", "print this", store(options.help)}}}},
      takeModel(pipeline.input)};
}

/// Beside the folder of this program: bin/halftone, lib/halftone/.
std::string findRuntime() {
  const std::string self = llvm::sys::fs::getMainExecutable(nullptr, nullptr);
  llvm::SmallString<128> folder(llvm::sys::path::parent_path(llvm::sys::path::parent_path(self)));
  llvm::sys::path::append(folder, "lib", "halftone");
  return folder.str().str();
}

/// --emit and --stop-after may both be given when they end at the same stage.
static Status checkEnd(const PipelineOptions &options) {
  if (!options.emit || !options.stopAfter || row(*options.emit).stage == *options.stopAfter)
    return {};
  return Error{"--emit=" + row(*options.emit).name.str() + " is made by the stage " +
               name(row(*options.emit).stage).str() + ", but --stop-after ends after " +
               name(*options.stopAfter).str()};
}

/// Whether what is asked for is text, which can go to standard output.
static bool givesText(const PipelineOptions &options) {
  return options.emit ? row(*options.emit).isText : options.stopAfter && options.stopAfter != Stage::Package;
}

static Status checkComplete(const CompileOptions &options) {
  const PipelineOptions &pipeline = options.pipeline;
  if (pipeline.input.empty())
    return Error{"no model given; usage: halftone compile MODEL.onnx [options] -o FILE"};
  if (Status end = checkEnd(pipeline); !end)
    return end;
  if (pipeline.keepWeights && pipeline.dumpFolder.empty())
    return Error{"--keep-weights: keeps what dumps refer to, and there are none without --dump-dir=FOLDER"};
  return pipeline.output.empty() && !givesText(pipeline) && !pipeline.dryRun ? Error{"no output given: -o FILE"}
                                                                             : Status();
}

CommandLine compileLine() {
  static CompileOptions unread;
  return commandLine(unread);
}

static Status compileModel(CompileOptions &options) {
  options.pipeline.threads = static_cast<unsigned>(options.threads);
  options.pipeline.runtimeFolder = findRuntime();
  Display display;
  const Expected<std::vector<StageReport>> reports = compile(options.pipeline, display);
  display.clear();
  if (!reports)
    return reports.error();
  if (!options.pipeline.dryRun)
    llvm::errs() << table(*reports);
  return {};
}

Expected<int> compileCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, compileModel);
}

} // namespace halftone::tool
