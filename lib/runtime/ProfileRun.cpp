// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs with a Profile listening, and its figures spelled out.
#include "lib/runtime/ProfileRun.h"

#include "lib/runtime/Bandwidth.h"
#include "lib/runtime/Bench.h"

#include <algorithm>

namespace halftone::runtime {

/// Feeds tokens to a phase and counts what it takes.
static PhaseProfile runDecode(Session &session, const BenchTokens &tokens, size_t kernels) {
  PhaseProfile result;
  result.name = "decode";
  result.tokens = static_cast<int64_t>(tokens.decode().size());
  session.restart();
  session.decode(tokens.before().back());
  Profile times(kernels);
  session.tell(&times);
  for (const int64_t token : tokens.decode()) {
    session.decode(token);
    result.positions += session.past();
    ++result.calls;
  }
  session.tell(nullptr);
  result.kernels = times.entries();
  return result;
}

static PhaseProfile runPrefill(Session &session, std::span<const int64_t> tokens, size_t kernels) {
  PhaseProfile result;
  result.name = "prefill";
  result.tokens = static_cast<int64_t>(tokens.size());
  session.restart();
  Profile times(kernels);
  session.tell(&times);
  for (std::span<const int64_t> rest = tokens; !rest.empty();) {
    const size_t size = std::min(rest.size(), static_cast<size_t>(session.chunk()));
    session.prefill(rest.first(size));
    result.positions += session.past();
    ++result.calls;
    rest = rest.subspan(size);
  }
  session.tell(nullptr);
  result.kernels = times.entries();
  return result;
}

Expected<ModelProfile> profile(Session &session, const halftone_probe *probes, size_t kernels, int64_t bytesPerToken) {
  const Expected<BenchTokens> tokens = BenchTokens::create(session);
  if (!tokens)
    return tokens.error();
  Expected<BandwidthProbe> probe = BandwidthProbe::create(session.threads());
  if (!probe)
    return probe.error();
  Expected<ArithmeticProbe> arithmetic = ArithmeticProbe::create(probes, session.threads());
  if (!arithmetic)
    return arithmetic.error();
  ModelProfile result;
  const auto measure = [&] {
    result.memory = std::max(result.memory, probe->measure(probe->bytes()));
    result.reread = std::max(result.reread, probe->measure(static_cast<uint64_t>(bytesPerToken)));
    arithmetic->measure();
  };
  for (const bool warmUp : {true, false}) {
    if (!warmUp)
      measure();
    result.phases = {runDecode(session, *tokens, kernels), runPrefill(session, tokens->prefill(), kernels)};
  }
  measure();
  result.peaks = arithmetic->peaks();
  return result;
}

/// Operations per second of the instruction that a kernel multiplies by, or 0.
static double peakOf(const Kernel &kernel, const ModelProfile &profile) {
  if (profile.variant >= kernel.dots.size())
    return 0;
  for (const Peak &peak : profile.peaks)
    if (peak.instruction == kernel.dots[profile.variant])
      return *std::max_element(peak.operations.begin(), peak.operations.end());
  return 0;
}

namespace {

/// A kernel's figures in a phase.
struct Line {
  const Kernel *kernel;
  double seconds, share, callsPerToken, bytesPerSecond, operationsPerSecond;
  int64_t calls;
};

} // namespace

static std::vector<Line> linesOf(const PhaseProfile &phase, const std::vector<Kernel> &kernels) {
  double total = 0;
  for (const Profile::Entry &entry : phase.kernels)
    total += entry.seconds;
  std::vector<Line> lines;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const auto [calls, seconds] = phase.kernels[i];
    if (calls == 0 || seconds <= 0)
      continue;
    const double layers = static_cast<double>(calls) / static_cast<double>(phase.calls);
    const double bytes = static_cast<double>(calls) * static_cast<double>(kernels[i].bytes) +
                         layers * static_cast<double>(phase.positions) * static_cast<double>(kernels[i].positionBytes);
    const double operations = layers * static_cast<double>(phase.tokens) * static_cast<double>(kernels[i].operations);
    lines.push_back({&kernels[i], seconds, seconds / total,
                     static_cast<double>(calls) / static_cast<double>(phase.tokens), bytes / seconds,
                     operations / seconds, calls});
  }
  std::sort(lines.begin(), lines.end(), [](const Line &a, const Line &b) { return a.seconds > b.seconds; });
  return lines;
}

static constexpr double giga = 1e9, micro = 1e6;

static std::string padded(std::string text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

/// "   54 %", or as many spaces when there is nothing to compare.
static std::string share(double part, double whole, size_t width) {
  return part > 0 && whole > 0 ? padded(fixed(100 * part / whole, 0), width) + " %" : std::string(width + 2, ' ');
}

std::string printTable(const ModelProfile &profile, const std::vector<Kernel> &kernels, int64_t threads) {
  std::string text;
  for (const PhaseProfile &phase : profile.phases) {
    double total = 0;
    for (const Profile::Entry &entry : phase.kernels)
      total += entry.seconds;
    text += std::string(phase.name) + ": " + std::to_string(phase.tokens) + " tokens, " +
            fixed(total * micro / static_cast<double>(phase.tokens), 1) + " us a token, " + std::to_string(threads) +
            (threads == 1 ? " thread\n" : " threads\n");
    text += " share    us a call  calls a token    GB/s  of memory   GOP/s  of peak  kernel\n";
    for (const Line &line : linesOf(phase, kernels))
      text +=
          padded(fixed(100 * line.share, 1), 5) + " %" +
          padded(fixed(line.seconds * micro / static_cast<double>(line.calls), 2), 11) +
          padded(fixed(line.callsPerToken, 3), 15) +
          (line.bytesPerSecond > 0
               ? padded(fixed(line.bytesPerSecond / giga, 1), 8) + share(line.bytesPerSecond, profile.reread, 9)
               : std::string(19, ' ')) +
          (line.operationsPerSecond > 0 ? padded(fixed(line.operationsPerSecond / giga, 1), 8) : std::string(8, ' ')) +
          share(line.operationsPerSecond, peakOf(*line.kernel, profile), 7) + "  " + line.kernel->does + " (" +
          line.kernel->function + ")\n";
    text += "\n";
  }
  text += "The machine reads memory at " + fixed(profile.memory / giga, 1) +
          " GB/s, and as many bytes as a token needs again and again at " + fixed(profile.reread / giga, 1) +
          " GB/s: the 100 % above.\n";
  for (const Peak &peak : profile.peaks)
    text += "It multiplies by " + std::string(peak.instruction) + " at " +
            fixed(*std::max_element(peak.operations.begin(), peak.operations.end()) / giga, 1) + " GOP/s: the peak.\n";
  return text;
}

std::string printJson(const ModelProfile &profile, const std::vector<Kernel> &kernels, int64_t threads) {
  std::string text = "{\n  \"threads\": " + literal(threads) +
                     ",\n  \"bandwidth_bytes_per_second\": " + literal(profile.memory) +
                     ",\n  \"reread_bytes_per_second\": " + literal(profile.reread);
  for (const PhaseProfile &phase : profile.phases) {
    text += ",\n  " + literal(phase.name) + ": {\n    \"tokens\": " + literal(phase.tokens) + ",\n    \"kernels\": [";
    const char *before = "\n      ";
    for (const Line &line : linesOf(phase, kernels)) {
      text += before + std::string("{\"function\": ") + literal(line.kernel->function) +
              ", \"does\": " + literal(line.kernel->does) + ", \"calls\": " + literal(line.calls) +
              ", \"seconds\": " + literal(line.seconds) + ", \"bytes_per_second\": " + literal(line.bytesPerSecond) +
              ", \"operations_per_second\": " + literal(line.operationsPerSecond) +
              ", \"peak_operations_per_second\": " + literal(peakOf(*line.kernel, profile)) + "}";
      before = ",\n      ";
    }
    text += "\n    ]\n  }";
  }
  return text + "\n}\n";
}

} // namespace halftone::runtime
