// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Running the chain: one step at a time over all sequences, observed where a pass asks.
#include "passes/calibrate/CompiledBlocks.h"

#include "lib/calibrate/Choose.h"
#include "lib/calibrate/SpillFile.h"
#include "passes/calibrate/StepCall.h"

#include "mlir/IR/Threading.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;

namespace {

/// The model runs with weights as they were, as they are by now, or with some of those as somebody tries them.
enum class Stream : uint8_t { Original, Current, Trial };

/// A result of a step over all sequences.
using Store = std::optional<SpillFile>;

class CompiledBlocks : public BlockRunner {
public:
  CompiledBlocks(ModuleOp module, BlockCode code, std::vector<Sequence> sequences, const RunnerOptions &options)
      : context(module.getContext()), code(std::move(code)), current(module), original(module),
        sequences(std::move(sequences)), options(options), stores(chain().values.size()),
        originalStores(chain().values.size()) {
    for (const Sequence &sequence : this->sequences)
      lengths.push_back(sequence.tokens);
    for (size_t step = 0; step < chain().steps.size(); ++step)
      for (size_t i = 0; i < chain().steps[step].observed.size(); ++i) {
        Observed &observed = this->code.chain.steps[step].observed[i];
        observed.gather = observed.gather & options.wanted.gather;
        for (const std::string &weight : observed.weights)
          places.try_emplace(weight, Place{step, i});
      }
  }

  std::vector<Observation> observations() const override {
    std::vector<Observation> all;
    for (const Step &step : chain().steps)
      for (const Observed &observed : step.observed)
        if (!observed.weights.empty())
          all.push_back({observed.weights, observed.channels, observed.gather});
    return all;
  }

  Expected<std::shared_ptr<Statistics>> observe(std::string_view weight) override {
    const auto found = places.find(weight);
    if (found == places.end())
      return Error{"weight '" + std::string(weight) + "' has no linear that is observed"};
    const Place place = found->second;
    if (place == last)
      return statistics;
    if (place.step < position)
      return Error{"weight '" + std::string(weight) + "' was passed already: blocks are run forward only"};
    if (Status run = advanceTo(place.step); !run)
      return run.error();
    statistics.reset();
    lastDrift.reset();
    driftPlace = {};
    const Observed &observed = chain().steps[place.step].observed[place.index];
    Expected<Statistics> seen = look(observed);
    if (!seen)
      return Error{"input of '" + observed.weights.front() + "': " + seen.error().message};
    statistics = std::make_shared<Statistics>(std::move(*seen));
    last = place;
    return statistics;
  }

  std::pair<size_t, size_t> block() const override {
    const auto isObserved = [](const Step &step) { return !step.observed.empty(); };
    const auto here = chain().steps.begin() + std::min(position + 1, chain().steps.size());
    return {std::count_if(chain().steps.begin(), here, isObserved), llvm::count_if(chain().steps, isObserved)};
  }

  Status replace(std::string_view weight, std::span<const float> values) override {
    // A weight that was done before is not observed: the blocks before it run now, with what they have become.
    if (const auto found = places.find(weight); found != places.end())
      if (Status run = advanceTo(found->second.step); !run)
        return run;
    current.replace(std::string(weight), values, /*atOnce=*/options.trueSequential);
    return {};
  }

  Expected<std::shared_ptr<const Drift>> drift(std::string_view weight) override {
    const auto found = places.find(weight);
    if (found == places.end() || !(found->second == last))
      return Error{"weight '" + std::string(weight) + "' was not observed last"};
    if (!diverges())
      return std::shared_ptr<const Drift>();
    if (found->second != driftPlace) {
      Expected<Drift> seen = lookAtBoth(chain().steps[position].observed[last.index]);
      if (!seen)
        return seen.error();
      lastDrift = std::make_shared<const Drift>(std::move(*seen));
      driftPlace = found->second;
    }
    return lastDrift;
  }

  Expected<double> outputError(std::string_view weight, std::span<const Trial> trials) override {
    const auto found = places.find(weight);
    if (found == places.end() || !(found->second == last))
      return Error{"weight '" + std::string(weight) + "' was not observed last"};
    if (Status made = makeReference(); !made)
      return made.error();
    for (const Trial &trial : trials)
      tried[trial.weight] = trial.values.data();
    std::vector<double> sums(judged.size());
    Status run = forSequences(0, judged.size(), [&](size_t i) -> Status {
      std::vector<Buffer> outputs = outputsOf(chain().steps[position]);
      Status called =
          call(chain().steps[position], chain().steps[position].function, judged[i], Stream::Trial, outputs);
      sums[i] = squaredDifference(judged[i], outputs, reference[i]);
      return called;
    });
    tried.clear();
    if (!run)
      return run.error();
    return std::accumulate(sums.begin(), sums.end(), 0.0) / judgedValues;
  }

private:
  struct Place {
    size_t step = SIZE_MAX, index = 0;
    bool operator==(const Place &) const = default;
  };

  const Chain &chain() const { return code.chain; }

  ParallelFor threads() const {
    return [context = context](int64_t count, const std::function<void(int64_t)> &body) {
      parallelFor(context, 0, count, [&](size_t i) { body(static_cast<int64_t>(i)); });
    };
  }

  /// Runs `body(sequence)` for first .. last - 1 on all threads. \returns the error of the lowest that has one.
  Status forSequences(size_t first, size_t last, llvm::function_ref<Status(size_t)> body) {
    std::vector<Status> done(last - first);
    parallelFor(context, first, last, [&](size_t sequence) { done[sequence - first] = body(sequence); });
    for (Status &status : done)
      if (!status)
        return status;
    return {};
  }

  /// Whether the two streams differ in what the next step computes.
  bool diverges() const {
    return current.hasReplaced() || llvm::any_of(chain().steps[position].arguments, [&](const ChainArgument &argument) {
             return argument.value && originalStores[*argument.value];
           });
  }

  BlockWeights &weightsOf(Stream stream) { return stream == Stream::Original ? original : current; }

  const float *weightAt(Stream stream, const std::string &name) {
    const auto trial = tried.find(name);
    return stream == Stream::Trial && trial != tried.end() ? trial->second : weightsOf(stream).at(name);
  }

  /// The elements of value `id` for one sequence, with zeros up to the length that the code computes.
  Status read(ValueId id, size_t sequence, Stream stream, Buffer &buffer) const {
    const ChainValue &value = chain().values[id];
    buffer.assign(code.length * value.channels * value.elementBytes, std::byte(0));
    if (id < chain().inputs) {
      const auto input = sequences[sequence].inputs[id];
      std::memcpy(buffer.data(), input.data(), input.size());
      return {};
    }
    auto *floats = reinterpret_cast<float *>(buffer.data());
    const Store &store = stream == Stream::Original && originalStores[id] ? originalStores[id] : stores[id];
    return store->read(sequence, std::span(floats, lengths[sequence] * value.channels));
  }

  /// Calls `function` with the arguments of `step` for one sequence; it writes to `results`.
  Status call(const Step &step, StringRef function, size_t sequence, Stream stream, MutableArrayRef<Buffer> results) {
    std::vector<Buffer> inputs(step.arguments.size());
    SmallVector<const void *> pointers;
    const BlockFunction &compiled = code.functions.at(function.str());
    for (size_t i = 0; i < step.arguments.size(); ++i) {
      const ChainArgument &argument = step.arguments[i];
      const void *pointer = nullptr; // of what the function does not read
      if (compiled.reads[i] && argument.value) {
        if (Status found = read(*argument.value, sequence, stream, inputs[i]); !found)
          return found;
        pointer = inputs[i].data();
      } else if (compiled.reads[i]) {
        pointer = weightAt(stream, argument.weight);
      }
      pointers.push_back(pointer);
    }
    for (Buffer &result : results)
      pointers.push_back(result.data());
    code.call(function, pointers);
    return {};
  }

  /// Decodes the weights that `function` reads, which threads then share.
  Status loadWeights(const Step &step, StringRef function, Stream stream) {
    return code.load(step, function, weightsOf(stream));
  }

  Buffer resultOf(int64_t channels) const { return Buffer(code.length * channels * sizeof(float)); }

  /// Memory for what an observation's function gives.
  std::vector<Buffer> resultsOf(const Observed &observed) const {
    std::vector<Buffer> results{resultOf(observed.channels)};
    if (observed.residualChannels != 0)
      results.push_back(resultOf(observed.residualChannels));
    return results;
  }

  matrix::MatrixView<const float> rowsOf(const Buffer &buffer, size_t sequence, int64_t channels) const {
    return {reinterpret_cast<const float *>(buffer.data()), lengths[sequence], channels};
  }

  /// Computes what `observed` sees of some sequences at a time, on all threads, and gives each to `gather` in order.
  Status forObserved(const Observed &observed, Stream stream,
                     llvm::function_ref<Status(size_t sequence, ArrayRef<Buffer>)> gather) {
    const Step &step = chain().steps[position];
    if (Status loaded = loadWeights(step, observed.function, stream); !loaded)
      return loaded;
    const size_t together = std::max<size_t>(context->getNumThreads(), batchBytes / resultOf(observed.channels).size());
    for (size_t first = 0; first < sequences.size(); first += together) {
      const size_t end = std::min(first + together, sequences.size());
      std::vector<std::vector<Buffer>> seen(end - first, resultsOf(observed));
      Status run =
          forSequences(first, end, [&](size_t i) { return call(step, observed.function, i, stream, seen[i - first]); });
      for (size_t i = first; i < end && run; ++i)
        run = gather(i, seen[i - first]);
      if (!run)
        return run;
    }
    return {};
  }

  /// What is observed, over all sequences.
  Expected<Statistics> look(const Observed &observed) {
    Accumulator gathered(observed.channels, observed.gather, threads());
    Status run = forObserved(observed, Stream::Current, [&](size_t sequence, ArrayRef<Buffer> seen) {
      const auto rows = rowsOf(seen[0], sequence, observed.channels);
      return gathered.add({rows.data, rows.rows, rows.stride, static_cast<int64_t>(sequence), 0});
    });
    if (!run)
      return run.error();
    return gathered.finish();
  }

  /// How far what is observed has moved, over all sequences.
  Expected<Drift> lookAtBoth(const Observed &observed) {
    const Step &step = chain().steps[position];
    if (Status loaded = loadWeights(step, observed.function, Stream::Original); !loaded)
      return loaded.error();
    DriftAccumulator gathered(observed.channels, observed.residualChannels, threads());
    Status run = forObserved(observed, Stream::Current, [&](size_t sequence, ArrayRef<Buffer> now) -> Status {
      std::vector<Buffer> before = resultsOf(observed);
      if (Status called = call(step, observed.function, sequence, Stream::Original, before); !called)
        return called;
      const auto residual = [&](ArrayRef<Buffer> seen) {
        return seen.size() == 1 ? matrix::MatrixView<const float>()
                                : rowsOf(seen[1], sequence, observed.residualChannels);
      };
      gathered.add(rowsOf(now[0], sequence, observed.channels), rowsOf(before[0], sequence, observed.channels),
                   residual(now), residual(before));
      return {};
    });
    if (!run)
      return run.error();
    return gathered.finish();
  }

  /// Memory for what a step gives.
  std::vector<Buffer> outputsOf(const Step &step) const {
    std::vector<Buffer> outputs;
    for (ValueId id : step.results)
      outputs.push_back(resultOf(chain().values[id].channels));
    return outputs;
  }

  /// The sum over the tokens of one sequence.
  double squaredDifference(size_t sequence, ArrayRef<Buffer> left, ArrayRef<Buffer> right) const {
    double sum = 0;
    for (auto [id, a, b] : llvm::zip(chain().steps[position].results, left, right)) {
      const auto x = rowsOf(a, sequence, chain().values[id].channels), y = rowsOf(b, sequence, x.columns);
      for (int64_t i = 0; i < x.rows * x.columns; ++i)
        sum += (double(x.data[i]) - y.data[i]) * (double(x.data[i]) - y.data[i]);
    }
    return sum;
  }

  /// Chooses the sequences that judge the current step, evenly spaced ones, and computes its outputs as they are.
  Status makeReference() {
    if (referencePosition == position)
      return {};
    const Step &step = chain().steps[position];
    int64_t channels = 0;
    for (ValueId id : step.results)
      channels += chain().values[id].channels;
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t(0));
    const int64_t most = std::min<int64_t>(judgedTokens, batchBytes / sizeof(float) / channels);
    const size_t every = spacing(tokens, most);
    judged.clear();
    judgedValues = 0;
    for (size_t i = 0; i < lengths.size(); i += every) {
      judged.push_back(i);
      judgedValues += lengths[i] * channels;
    }
    if (Status loaded = loadWeights(step, step.function, Stream::Current); !loaded)
      return loaded;
    reference.assign(judged.size(), outputsOf(step));
    referencePosition = position;
    return forSequences(0, judged.size(),
                        [&](size_t i) { return call(step, step.function, judged[i], Stream::Current, reference[i]); });
  }

  /// Runs the current step over all sequences in one stream, into `results`.
  Status runStep(Stream stream, std::vector<Store> &into) {
    const Step &step = chain().steps[position];
    if (Status loaded = loadWeights(step, step.function, stream); !loaded)
      return loaded;
    for (ValueId id : step.results) {
      Expected<SpillFile> store = SpillFile::create(options.work + "." + std::to_string(id), lengths,
                                                    chain().values[id].channels, options.memory / storesInMemory);
      if (!store)
        return store.error();
      into[id].emplace(std::move(*store));
    }
    return forSequences(0, sequences.size(), [&](size_t sequence) -> Status {
      std::vector<Buffer> results = outputsOf(step);
      if (Status called = call(step, step.function, sequence, stream, results); !called)
        return called;
      for (auto [id, result] : llvm::zip(step.results, results)) {
        const auto rows = rowsOf(result, sequence, chain().values[id].channels);
        if (Status stored = into[id]->write(sequence, std::span(rows.data, rows.rows * rows.columns)); !stored)
          return stored;
      }
      return {};
    });
  }

  Status advanceTo(size_t step) {
    while (position < step)
      if (Status run = advance(); !run)
        return run;
    return {};
  }

  /// Goes on to the next step, and lets go of what no later one reads.
  Status advance() {
    statistics.reset(); // as large as a weight may be
    lastDrift.reset();
    last = driftPlace = {};
    if (options.wanted.drift && diverges())
      if (Status run = runStep(Stream::Original, originalStores); !run)
        return run;
    original.clear();
    current.takeReplaced();
    if (Status run = runStep(Stream::Current, stores); !run)
      return run;
    current.clear();
    reference.clear();
    for (ValueId id = 0; id < stores.size(); ++id)
      if (chain().values[id].lastUse <= position) {
        stores[id].reset();
        originalStores[id].reset();
      }
    ++position;
    return {};
  }

  /// Observed activations that wait to be gathered; more where each thread's sequence takes more.
  static constexpr size_t batchBytes = size_t(64) << 20;
  /// Most tokens that judge a trial, and most of their outputs in bytes: batchBytes.
  static constexpr int64_t judgedTokens = 4096;

  MLIRContext *context;
  BlockCode code;
  BlockWeights current, original;
  std::vector<Sequence> sequences;
  std::vector<int64_t> lengths;
  RunnerOptions options;
  std::vector<Store> stores;
  std::vector<Store> originalStores; // of the original stream, where it differs
  std::map<std::string, Place, std::less<>> places;
  size_t position = 0; // of the next step
  Place last;
  std::shared_ptr<Statistics> statistics;     // of `last`
  std::map<std::string, const float *> tried; // by the trial that runs
  std::vector<size_t> judged;                 // sequences that judge the step at `referencePosition`
  std::vector<std::vector<Buffer>> reference; // its outputs for each of them
  double judgedValues = 0;                    // how many there are
  size_t referencePosition = SIZE_MAX;
  Place driftPlace;
  std::shared_ptr<const Drift> lastDrift;
};

} // namespace

Expected<std::unique_ptr<BlockRunner>> calibrate::compileBlocks(ModuleOp module, std::vector<Sequence> sequences,
                                                                const RunnerOptions &options) {
  Expected<BlockCode> code = BlockCode::compile(module, longest(sequences));
  if (!code)
    return code.error();
  for (const Sequence &sequence : sequences)
    if (sequence.inputs.size() != code->chain.inputs)
      return Error{"a calibration sequence has " + std::to_string(sequence.inputs.size()) +
                   " inputs, the model takes " + std::to_string(code->chain.inputs)};
  return std::unique_ptr<BlockRunner>(
      std::make_unique<CompiledBlocks>(module, std::move(*code), std::move(sequences), options));
}
