// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the whole way is asked to do. Includes nothing of MLIR.
#pragma once

#include "passes/Artifact.h"
#include "passes/Stage.h"

#include <cstdint>
#include <optional>
#include <string>

namespace halftone {

/// How weights are quantized with data.
struct CalibrationOptions {
  /// The passes that quantize the weights of linears, one after the other: "gptq", "awq,gptq" (lib/quantize/Method.h).
  std::string method = "rtn";
  /// A text, token ids as .npy or .npz, or `self`: what the model writes; empty: no data.
  std::string data;
  /// A file of statistics in the place of data, as --stop-after=calibrate leaves one; empty: none.
  std::string statistics;
  /// What stands between the documents of a text.
  std::string separator = "<|endoftext|>";
  /// Most sequences, and tokens of each; 0: as many as make defaultTokens, or defaultOwnTokens of the model's own text,
  /// and what `halftone eval` takes.
  int64_t samples = 0, length = 0;
  static constexpr int64_t defaultTokens = 1 << 18, defaultOwnTokens = 1 << 16;
  /// Decides which sequences are taken when there are more, and what the model writes.
  int64_t seed = 0;
  /// Most bytes of activations to keep in memory.
  int64_t memory = 1'000'000'000;
  /// Whether linears see what earlier ones of their block have become.
  bool trueSequential = true;
  /// GPTQ: the diagonal's share that is added to the Hessian; columns, or blocks of them, by their importance; scales
  /// fixed beforehand; scales searched.
  double damp = 0.01;
  bool actOrder = false, blockOrder = false, staticGroups = false, gridSearch = false;
  /// GPTQ: aims at what the unquantized model computes.
  bool asymmetric = false;
};

/// What stands in place of a file of calibration data when the model itself writes it.
inline constexpr std::string_view selfName = "self";
inline bool isSelf(const CalibrationOptions &options) { return options.data == selfName; }
/// Whether weights are quantized with what is known of a model's activations.
inline bool isCalibrated(const CalibrationOptions &options) {
  return !options.data.empty() || !options.statistics.empty();
}

/// What a user decides. Every field that changes the binary's bytes also stands in its --info.
struct PipelineOptions {
  /// The model, an .onnx file; or an .mlir file, a module as it is after the stage quantize, whose weights have their
  /// formats already.
  std::string input;
  /// The executable, or what `emit` or stopAfter asks for; empty: text goes to Progress::print. With a
  /// dumpFolder the IR stands only there.
  std::string output;
  /// Where the report on what quantizing did goes, .json or .html; empty: nowhere.
  std::string report;
  /// What to make; by default the executable.
  std::optional<Artifact> emit;
  /// What a library's or object's constant is called in C; empty: after the output.
  std::string symbol;
  /// A tokenizer's file, built into the executable; empty: it takes token ids.
  std::string tokenizer;
  /// Names of formats. Without one, linears are int4-g32; embedding and head are int8-g32 when `format` has integer
  /// codes, and `format` itself when it stores plain values.
  /// With a budget, `format` is a list of candidates for linears, "int3-g32,int4-g32", which has a default of its own.
  std::optional<std::string> format, embeddingFormat, headFormat;
  /// "GLOB=FORMAT,...": formats of weights by name, which go before those above.
  std::string formats;
  /// How the cache keeps keys and values: f32, f16, int8 or int4; empty: as the model says, f32.
  std::string cacheFormat;
  /// A budget: bits per weight of linears (0: none), or bytes of all weights (0: none).
  double bits = 0;
  int64_t size = 0;
  /// Stores a tied embedding and head twice, so that each can have its own format.
  bool untie = false;
  CalibrationOptions calibration;
  /// Moves norms' scales into the linears that read them, before those are quantized.
  bool foldNormScale = false;
  /// Rotates the residual stream and the values of heads, and folds norms' scales for that.
  bool rotate = false;
  /// The longest sequence; 0: what the model says, else 2048.
  int64_t context = 0;
  /// An LLVM CPU name, a level or `native`, then features: "x86-64-v4+avx512vnni".
  std::string target = "native";
  /// "GLOB,GLOB": weights by name that may be computed with more slowly than processors of the target's family can.
  /// What `native` is, nobody names: there all may.
  std::string allowFallback;
  /// Computes what the operations say, in plain loops: the oracle, slow.
  bool lowerReference = false;
  /// Another folder in which external data of the model may lie.
  std::string externalDataRoot;
  /// Says what it would cost and give instead of doing it.
  bool dryRun = false;
  /// The last stage to run; the IR after it is the output.
  std::optional<Stage> stopAfter;
  /// A folder for the IR after each stage (01-import.mlir ...), made if missing; empty: none.
  std::string dumpFolder;
  /// Whether the files of weights that these refer to stay, in the folder `weights` in it.
  bool keepWeights = false;
  /// Start files, C library and runtime that executables are linked from, in a folder for each family of processors.
  std::string runtimeFolder;
  /// Threads of the compiler; 0: one per processor. Never changes the result.
  unsigned threads = 0;
};

/// Whether statistics are what is asked for: they stand beside the output, OUTPUT.statistics.
inline bool gathersStatistics(const PipelineOptions &options) {
  return options.stopAfter == Stage::Calibrate && !options.calibration.data.empty() && !options.output.empty();
}

/// Where they go.
inline std::string statisticsPath(const PipelineOptions &options) { return options.output + ".statistics"; }

inline bool hasBudget(const PipelineOptions &options) { return options.bits > 0 || options.size > 0; }

/// Whether the input is a module that is quantized already.
inline bool isQuantized(const PipelineOptions &options) { return options.input.ends_with(".mlir"); }

} // namespace halftone
