// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing as a command, for test_safetensors.py: writes a new file with all that is in another, the tensors
// in pieces and from the last to the first.
// usage: copy_safetensors FROM TO
#include "lib/safetensors/File.h"
#include "lib/safetensors/Writer.h"

#include <algorithm>
#include <cstdio>

using namespace halftone;
using namespace halftone::safetensors;

static Expected<Writer> createLike(const File &from, const char *path) {
  std::vector<Declaration> declarations;
  for (const Tensor &tensor : from.tensors())
    declarations.push_back({tensor.name, tensor.type, tensor.shape});
  return Writer::create(path, std::move(declarations), from.metadata(), {.inputs = {from.path()}});
}

static Status writeInPieces(Writer &writer, const std::string &name, std::span<const std::byte> bytes) {
  constexpr size_t piece = 7;
  Status written;
  while (written && !bytes.empty()) {
    const size_t count = std::min(piece, bytes.size());
    written = writer.write(name, bytes.first(count));
    bytes = bytes.subspan(count);
  }
  return written;
}

static Status copy(const char *source, const char *target) {
  const Expected<File> from = File::open(source);
  if (!from)
    return from.error();
  Expected<Writer> to = createLike(*from, target);
  if (!to)
    return to.error();
  Status written;
  for (auto tensor = from->tensors().rbegin(); written && tensor != from->tensors().rend(); ++tensor)
    written = writeInPieces(*to, tensor->name, from->data(*tensor));
  return written ? to->commit() : written;
}

int main(int count, char **arguments) {
  const Status copied = count == 3 ? copy(arguments[1], arguments[2]) : Error{"usage: copy_safetensors FROM TO"};
  if (!copied)
    std::fprintf(stderr, "error: %s\n", copied.error().message.c_str());
  return copied ? 0 : 1;
}
