// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the context's length from metadata or from configuration files, by a table of places.
#include "passes/import/ContextLength.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace halftone;

namespace {
struct Place {
  llvm::StringLiteral file;
  llvm::StringLiteral object; ///< "": the outermost
  llvm::StringLiteral key;
};
} // namespace

static constexpr llvm::StringLiteral metadataKeys[] = {"max_position_embeddings", "context_length"};
static constexpr Place places[] = {{"config.json", "", "max_position_embeddings"},
                                   {"config.json", "text_config", "max_position_embeddings"},
                                   {"genai_config.json", "model", "context_length"}};

static Expected<std::optional<int64_t>> readPlace(const std::string &path, const Place &place) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return Error{path + ": cannot read: " + buffer.getError().message()};
  auto json = llvm::json::parse((*buffer)->getBuffer());
  if (!json)
    return Error{path + ": is not JSON: " + llvm::toString(json.takeError())};
  const llvm::json::Object *object = json->getAsObject();
  if (object && !place.object.empty())
    object = object->getObject(place.object);
  auto value = object ? object->getInteger(place.key) : std::nullopt;
  if (value && *value <= 0)
    return Error{path + ": " + place.key.str() + " is " + std::to_string(*value)};
  return value ? std::optional<int64_t>(*value) : std::nullopt;
}

Expected<std::optional<int64_t>> halftone::importer::statedContext(const onnx::Model &model) {
  for (llvm::StringRef key : metadataKeys) {
    auto entry = model.metadata.find(key.str());
    int64_t value = 0;
    if (entry == model.metadata.end())
      continue;
    if (llvm::StringRef(entry->second).getAsInteger(10, value) || value <= 0)
      return Error{model.path + ": metadata " + key.str() + " is '" + entry->second + "'"};
    return std::optional<int64_t>(value);
  }
  for (const Place &place : places) {
    llvm::SmallString<256> path(llvm::sys::path::parent_path(model.path));
    llvm::sys::path::append(path, place.file);
    if (!llvm::sys::fs::exists(path))
      continue;
    auto value = readPlace(path.str().str(), place);
    if (!value || *value)
      return value;
  }
  return std::optional<int64_t>();
}
