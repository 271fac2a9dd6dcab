// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling out the facts.
#include "passes/package/Info.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

#include <algorithm>

namespace halftone::package {

/// Names are bytes; JSON is UTF-8.
static llvm::json::Value text(llvm::StringRef bytes) { return llvm::json::fixUTF8(bytes); }

static llvm::json::Object toJson(const HashedFile &file) {
  return llvm::json::Object{{"name", text(file.name)}, {"sha256", file.sha256}};
}

static llvm::json::Array toJson(const std::vector<HashedFile> &files) {
  llvm::json::Array list;
  for (const HashedFile &file : files)
    list.push_back(toJson(file));
  return list;
}

static llvm::json::Object toJson(const std::map<std::string, std::string> &options) {
  llvm::json::Object object;
  for (const auto &[name, value] : options)
    object[text(name).getAsString()->str()] = text(value);
  return object;
}

static llvm::json::Array toJson(const std::vector<TargetInfo> &targets) {
  llvm::json::Array list;
  for (const TargetInfo &target : targets)
    list.push_back(llvm::json::Object{{"cpu", target.cpu}, {"features", target.features}});
  return list;
}

static llvm::json::Object toJson(const std::vector<FallbackInfo> &fallbacks) {
  llvm::json::Object object;
  for (const FallbackInfo &fallback : fallbacks)
    object[text(fallback.weight).getAsString()->str()] = fallback.reason;
  return object;
}

static double bitsPerWeight(const ModelInfo &info) {
  return info.parameters > 0 ? 8.0 * static_cast<double>(info.weightBytes) / static_cast<double>(info.parameters) : 0;
}

/// One weight, one line, as the list of them stands in the JSON.
static std::string line(const WeightInfo &weight) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::json::Value(
      llvm::json::Array{text(weight.name), llvm::json::Array(weight.shape), weight.format, weight.bytes});
  return result;
}

/// One kernel, one line.
static std::string line(const KernelInfo &kernel) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::json::Value(
      llvm::json::Array{text(kernel.function), kernel.does, kernel.bytes, kernel.operations, kernel.positionBytes,
                        llvm::json::Array(kernel.dots)});
  return result;
}

template <class Entry> static std::string lines(const std::vector<Entry> &entries) {
  std::string result;
  for (const Entry &entry : entries)
    result += (result.empty() ? "\n    " : ",\n    ") + line(entry);
  return "[" + result + (result.empty() ? "]" : "\n  ]");
}

/// What the model is called: its file's name without the ending.
static llvm::StringRef nameOf(const ModelInfo &info) {
  return info.files.empty() ? "" : llvm::sys::path::stem(info.files.front().name);
}

std::string infoJson(const ModelInfo &info) {
  std::string bits;
  llvm::raw_string_ostream(bits) << llvm::format("%.3f", bitsPerWeight(info));
  const llvm::json::Object sorted{
      {"context", info.context},
      {"decode_bytes", info.decodeBytes},
      {"embedding_format", info.embeddingFormat},
      {"fallbacks", toJson(info.fallbacks)},
      {"files", toJson(info.files)},
      {"format", info.format},
      {"head_format", info.headFormat},
      {"name", text(nameOf(info))},
      {"options", toJson(info.options)},
      {"parameters", info.parameters},
      {"source", text(info.files.empty() ? "" : info.files.front().name)},
      {"targets", toJson(info.targets)},
      {"tokenizer", info.tokenizer ? llvm::json::Value(toJson(*info.tokenizer)) : llvm::json::Value(nullptr)},
      {"triple", info.triple},
      {"version", HALFTONE_VERSION},
      {"weight_bytes", info.weightBytes},
  };
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::json::OStream json(stream, /*IndentSize=*/2);
  json.object([&] {
    // The one fraction is written with few digits; "b" sorts before all other keys.
    json.attributeBegin("bits_per_weight");
    json.rawValue(bits);
    json.attributeEnd();
    std::vector<std::pair<llvm::StringRef, const llvm::json::Value *>> members;
    for (const auto &member : sorted)
      members.emplace_back(member.first, &member.second);
    std::sort(members.begin(), members.end());
    for (const auto &[key, value] : members) {
      if (key == "name") { // "kernels" sorts before it
        json.attributeBegin("kernels");
        json.rawValue(lines(info.kernels));
        json.attributeEnd();
      }
      json.attribute(key, *value);
    }
    json.attributeBegin("weights"); // behind "weight_bytes", and nothing sorts behind it
    json.rawValue(lines(info.weights));
    json.attributeEnd();
  });
  stream << '\n';
  return result;
}

} // namespace halftone::package
