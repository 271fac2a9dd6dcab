// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone run: a graph as a plain function from one archive of arrays to another.
#include "lib/io/Npz.h"
#include "passes/Arrays.h"
#include "passes/PlainFunction.h"
#include "tools/halftone/Commands.h"
#include "tools/halftone/Display.h"
#include "tools/halftone/Report.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace halftone::tool {

//===-- Arrays and tensors ----------------------------------------------------------------------------------------===//

static std::vector<TensorType> typesOf(const io::NpzFile &file) {
  std::vector<TensorType> result;
  for (const io::NamedArray &array : file.arrays())
    result.push_back({array.name, elementTypeOf(array.type), {array.shape.begin(), array.shape.end()}});
  return result;
}

static Expected<io::NamedArray> arrayFor(const TensorType &tensor, std::span<const std::byte> data) {
  const std::optional<io::NpyType> type = arrayTypeOf(tensor.type);
  if (!type)
    return Error{"output '" + tensor.name + "' is " + std::string(onnx::name(tensor.type)) +
                 ", which an .npz file cannot hold"};
  return io::NamedArray{tensor.name, *type, {tensor.shape.begin(), tensor.shape.end()}, data};
}

//===-- Running ---------------------------------------------------------------------------------------------------===//

namespace {

struct RunOptions {
  std::string model, inputs, outputs, externalDataRoot;
  bool json = false, help = false;
};

/// What a run cost.
struct RunFacts {
  double compileSeconds = 0, runSeconds = 0;
  std::vector<TensorType> outputs;
};

} // namespace

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Calls the function on the arrays of `file`; `memory` gets what it gives.
static Status call(const PlainFunction &function, const io::NpzFile &file, std::vector<Buffer> &memory) {
  std::vector<Buffer> copies; // the elements of an archive may lie anywhere
  std::vector<const void *> inputs;
  for (const TensorType &input : function.inputs()) {
    const std::span<const std::byte> data = file.find(input.name)->data;
    copies.emplace_back(data.size());
    if (!data.empty())
      std::memcpy(copies.back().data(), data.data(), data.size());
    inputs.push_back(copies.back().data());
  }
  std::vector<void *> outputs;
  for (Buffer &buffer : memory)
    outputs.push_back(buffer.data());
  return function.run(inputs, outputs);
}

static Expected<RunFacts> run(const RunOptions &options, Display &display) {
  const Expected<io::NpzFile> inputs = io::NpzFile::open(options.inputs);
  if (!inputs)
    return inputs.error();
  Expected<onnx::Model> model = onnx::readModel(options.model, {.externalDataRoot = options.externalDataRoot});
  if (!model)
    return model.error();
  io::AtomicFileOptions writing;
  writing.inputs.push_back(options.inputs);
  for (const auto &file : model->files)
    writing.inputs.push_back(file->path());
  if (auto probe = io::AtomicFile::create(options.outputs, writing); !probe)
    return probe.error();
  RunFacts facts;
  display.say("compiling " + options.model);
  auto start = std::chrono::steady_clock::now();
  const Expected<PlainFunction> function = PlainFunction::compile(std::move(*model), typesOf(*inputs));
  if (!function)
    return function.error();
  facts.compileSeconds = secondsSince(start);
  facts.outputs = function->outputs();
  std::vector<Buffer> memory;
  std::vector<io::NamedArray> arrays;
  for (const TensorType &output : facts.outputs) {
    const uint64_t bytes = onnx::byteSize(output.type, output.shape).value_or(0);
    Buffer &buffer = memory.emplace_back(bytes);
    Expected<io::NamedArray> array = arrayFor(output, {buffer.data(), bytes});
    if (!array)
      return Error{options.model + ": " + array.error().message};
    arrays.push_back(std::move(*array));
  }
  display.say("running");
  start = std::chrono::steady_clock::now();
  if (Status done = call(*function, *inputs, memory); !done)
    return done.error();
  facts.runSeconds = secondsSince(start);
  if (Status written = io::writeNpz(options.outputs, arrays, writing); !written)
    return written.error();
  return facts;
}

//===-- The command -----------------------------------------------------------------------------------------------===//

static CommandLine commandLine(RunOptions &options) {
  return {"halftone run MODEL.onnx --inputs=FILE --outputs=FILE [options]",
          "Runs any graph as a plain function of named arrays, in the precision that it states: it is compiled for the "
          "shapes of the inputs, on this processor. Every input of the graph is an array of the .npz file of inputs, "
          "every output one of the .npz file of outputs.",
          {{"Options",
            {{"--inputs", "FILE", "the arrays that go in, .npz", store(options.inputs)},
             {"--outputs", "FILE", "the arrays that come out, .npz", store(options.outputs)},
             {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
              store(options.externalDataRoot)},
             {"--json", "", "tell what it cost and gave as JSON on standard output", store(options.json)},
             {"--help", "", "print this", store(options.help)}}}},
          takeModel(options.model)};
}

CommandLine runLine() {
  static RunOptions unread;
  return commandLine(unread);
}

static std::string rounded(double seconds) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3f", seconds);
  return text;
}

static Report reportOn(const RunFacts &facts) {
  Table outputs = {{"name", "type", "shape"}, {}};
  for (const TensorType &output : facts.outputs)
    outputs.rows.push_back(
        {llvm::json::fixUTF8(output.name), std::string(onnx::name(output.type)), llvm::json::Array(output.shape)});
  return {{"compile_seconds", llvm::json::Value(facts.compileSeconds)},
          {"run_seconds", llvm::json::Value(facts.runSeconds)},
          {"peak_bytes", llvm::json::Value(peakBytes())},
          {"outputs", outputs}};
}

static Status checkComplete(const RunOptions &options) {
  for (const auto &[name, value] : {std::pair("no model given", &options.model),
                                    {"no --inputs given", &options.inputs},
                                    {"no --outputs given", &options.outputs}})
    if (value->empty())
      return Error{std::string(name) + "; usage: halftone run MODEL.onnx --inputs=FILE --outputs=FILE [options]"};
  return {};
}

static Status runModel(RunOptions &options) {
  Display display;
  const Expected<RunFacts> facts = run(options, display);
  display.clear();
  if (!facts)
    return facts.error();
  if (options.json)
    return print(toJson(reportOn(*facts)));
  llvm::errs() << "compiled in " << rounded(facts->compileSeconds) << " s, ran in " << rounded(facts->runSeconds)
               << " s, " << io::peakMemory() << "\n";
  return {};
}

Expected<int> runCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, runModel);
}

} // namespace halftone::tool
