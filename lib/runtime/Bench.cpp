// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs, one after the other, and their medians.
#include "lib/runtime/Bench.h"

#include "lib/runtime/Bandwidth.h"
#include "lib/runtime/Clock.h"
#include "lib/runtime/Sampler.h"

#include <algorithm>

namespace halftone::runtime {

static constexpr int64_t decodeTokens = 128, prefillTokens = 256, warmUps = 1;

Expected<BenchTokens> BenchTokens::create(const Session &session, const BenchOptions &options) {
  const int64_t context = session.context(), depth = options.depth.value_or(1);
  if (context < 2)
    return Error{"a context of 1 leaves nothing to decode after the first token"};
  const int64_t decode = options.decode.value_or(std::min(decodeTokens, std::max<int64_t>(context - depth, 1)));
  const int64_t prefill = options.prefill.value_or(std::min(prefillTokens, context));
  if (depth + decode > context)
    return Error{std::to_string(decode) + " tokens after " + std::to_string(depth) + " need a context of " +
                 std::to_string(depth + decode) + ", this one is of " + std::to_string(context)};
  if (prefill > context)
    return Error{std::to_string(prefill) + " tokens do not fit into a context of " + std::to_string(context)};
  BenchTokens result;
  result.depthCount = static_cast<size_t>(depth);
  result.decodeCount = static_cast<size_t>(decode);
  result.prefillCount = static_cast<size_t>(prefill);
  RandomGenerator random(0);
  for (size_t count = std::max(depth + decode, prefill); result.tokens.size() < count;)
    result.tokens.push_back(static_cast<int64_t>(random.uniform() * static_cast<double>(session.vocabulary())));
  return result;
}

/// Reads tokens in chunks.
static void read(Session &session, std::span<const int64_t> tokens) {
  while (!tokens.empty()) {
    const size_t size = std::min(tokens.size(), static_cast<size_t>(session.chunk()));
    session.prefill(tokens.first(size));
    tokens = tokens.subspan(size);
  }
}

/// Tokens per second of decoding.
static double measureDecode(Session &session, const BenchTokens &tokens) {
  const std::span<const int64_t> depth = tokens.before();
  session.restart();
  read(session, depth.first(depth.size() - 1));
  session.decode(depth.back());
  const double before = now();
  for (const int64_t token : tokens.decode())
    session.decode(token);
  return static_cast<double>(tokens.decode().size()) / (now() - before);
}

static double measurePrefill(Session &session, std::span<const int64_t> tokens) {
  session.restart();
  const double before = now();
  read(session, tokens);
  return static_cast<double>(tokens.size()) / (now() - before);
}

Expected<Benchmark> bench(Session &session, const BenchOptions &options, const halftone_probe *probes,
                          int64_t bytesPerToken, io::ProgressLine &progress, bool (*interrupted)()) {
  const Expected<BenchTokens> tokens = BenchTokens::create(session, options);
  if (!tokens)
    return tokens.error();
  Expected<BandwidthProbe> probe = BandwidthProbe::create(session.threads());
  if (!probe)
    return probe.error();
  Expected<ArithmeticProbe> arithmetic = ArithmeticProbe::create(probes, session.threads());
  if (!arithmetic)
    return arithmetic.error();
  Benchmark result;
  const auto measureLimits = [&] {
    result.memory.push_back(probe->measure(probe->bytes()));
    result.reread.push_back(probe->measure(static_cast<uint64_t>(bytesPerToken)));
    arithmetic->measure();
  };
  result.depth = static_cast<int64_t>(tokens->before().size());
  result.decodeTokens = static_cast<int64_t>(tokens->decode().size());
  result.prefillTokens = static_cast<int64_t>(tokens->prefill().size());
  const int64_t runs = warmUps + options.runs;
  for (int64_t run = 0; run < runs; ++run) {
    result.interrupted = interrupted && interrupted();
    if (result.interrupted)
      return result;
    if (run >= warmUps)
      measureLimits();
    const double decode = measureDecode(session, *tokens);
    const double prefill = measurePrefill(session, tokens->prefill());
    if (run >= warmUps) {
      result.decode.push_back(decode);
      result.prefill.push_back(prefill);
    }
    progress.advance("run " + std::to_string(run + 1) + "/" + std::to_string(runs), static_cast<uint64_t>(run + 1),
                     static_cast<uint64_t>(runs));
  }
  measureLimits();
  result.peaks = arithmetic->peaks();
  return result;
}

/// The middle value; of an even number of values the mean of the two in the middle.
static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t count = values.size();
  return count == 0 ? 0 : (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static std::vector<double> range(const std::vector<double> &values) {
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return values.empty() ? values : std::vector{*least, *greatest};
}

/// "812.3 tokens/s (790.1 to 820.4)"
static std::string withRange(const std::vector<double> &values, double unit, const char *unitName) {
  const std::vector<double> ends = range(values);
  return fixed(median(values) / unit, 1) + " " + unitName + " (" + fixed(ends.front() / unit, 1) + " to " +
         fixed(ends.back() / unit, 1) + ")";
}

/// {"vpdpbusd.512": 7.37e+11, ...}: the median of each instruction.
static std::string literal(const std::vector<Peak> &peaks) {
  std::string text = "{";
  for (const Peak &peak : peaks)
    text += (text.size() > 1 ? ", " : "") + literal(peak.instruction) + ": " + literal(median(peak.operations));
  return text + "}";
}

/// "vpdpbusd.512 737.1 (735.0 to 738.2), ... GOP/s"
static std::string withRanges(const std::vector<Peak> &peaks) {
  std::string text;
  for (const Peak &peak : peaks)
    text += (text.empty() ? "" : ", ") + std::string(peak.instruction) + " " + withRange(peak.operations, 1e9, "GOP/s");
  return text;
}

std::vector<Figure> figures(const Benchmark &benchmark, std::string_view format, const Facts &facts, int64_t threads) {
  constexpr double giga = 1e9;
  const int64_t bytesPerToken = facts.decode_bytes;
  const double bytesPerSecond = median(benchmark.decode) * static_cast<double>(bytesPerToken);
  const double operationsPerSecond = median(benchmark.prefill) * static_cast<double>(facts.prefill_operations);
  std::vector<Figure> all = {
      {"format", literal(format), "format", std::string(format)},
      {"threads", literal(threads), "threads", std::to_string(threads)},
      {"decode_tokens_per_second", literal(median(benchmark.decode)), "decode",
       withRange(benchmark.decode, 1, "tokens/s")},
      {"decode_tokens_per_second_range", literal(range(benchmark.decode))},
      {"decode_depth", literal(benchmark.depth)},
      {"decode_tokens", literal(benchmark.decodeTokens)},
      {"prefill_tokens_per_second", literal(median(benchmark.prefill)), "prefill",
       withRange(benchmark.prefill, 1, "tokens/s")},
      {"prefill_tokens_per_second_range", literal(range(benchmark.prefill))},
      {"prefill_tokens", literal(benchmark.prefillTokens)},
      {"runs", literal(static_cast<int64_t>(benchmark.decode.size()))},
      {"bytes_per_token", literal(bytesPerToken), "weights read per token", std::to_string(bytesPerToken) + " bytes"},
      {"decode_bytes_per_second", literal(bytesPerSecond), "by decode", fixed(bytesPerSecond / giga, 1) + " GB/s"},
      {"bandwidth_bytes_per_second", literal(median(benchmark.memory)), "the machine reads memory at",
       withRange(benchmark.memory, giga, "GB/s")},
      {"bandwidth_bytes_per_second_range", literal(range(benchmark.memory))},
      {"reread_bytes_per_second", literal(median(benchmark.reread)), "and so many bytes again and again at",
       withRange(benchmark.reread, giga, "GB/s")},
      {"prefill_operations", literal(facts.prefill_operations), "operations per token of prefill",
       std::to_string(facts.prefill_operations)},
      {"prefill_operations_per_second", literal(operationsPerSecond), "by prefill",
       fixed(operationsPerSecond / giga, 1) + " GOP/s"},
      {"peak_operations_per_second", literal(benchmark.peaks)},
  };
  if (!benchmark.peaks.empty()) {
    all.back().label = "the machine multiplies by";
    all.back().shown = withRanges(benchmark.peaks);
  }
  return all;
}

} // namespace halftone::runtime
