// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files by which processes are told what to do, and tell what they did.
#include "tools/halftone/Executable.h"

#include "lib/io/Sha256.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

namespace halftone::tool {

/// The files of a work folder.
static constexpr char ids[] = "ids.npy", logitsFile[] = "logits.npy";

Expected<Executable> Executable::open(std::string path, const io::WorkFolder &work) {
  Executable result(std::move(path), work);
  const std::string question[] = {"--info"};
  std::string text;
  const Status done = io::runProgram(result.file, question, [&](std::string_view line) -> Status {
    text.append(line) += '\n';
    return {};
  });
  llvm::Expected<llvm::json::Value> answer = llvm::json::parse(done ? text : "");
  if (answer && answer->getAsObject())
    result.facts = *answer->getAsObject();
  else
    llvm::consumeError(answer.takeError());
  if (result.context() < 1 || result.format().empty())
    return Error{(done ? result.file + ": --info gives no facts of a model" : done.error().message) +
                 "; it is no executable that halftone compiled"};
  return result;
}

int64_t Executable::context() const { return facts.getInteger("context").value_or(0); }

std::string Executable::format() const { return facts.getString("format").value_or("").str(); }

Status Executable::checkTokenizer(const TokenizerFile &tokenizer) const {
  const llvm::json::Object *built = facts.getObject("tokenizer");
  const std::string other = built ? built->getString("sha256").value_or("").str() : "";
  const std::string hash = io::sha256Hex(tokenizer.file.bytes());
  if (!built || other == hash)
    return {};
  return Error{file + ": has another tokenizer, " + built->getString("name").value_or("").str() + " (sha256 " +
               other.substr(0, 8) + "...), than " + tokenizer.file.path() + " (sha256 " + hash.substr(0, 8) + "...)"};
}

Expected<io::NpyArray> Executable::logits(std::span<const int64_t> tokens, int64_t threads,
                                          io::ProgramCost *cost) const {
  const std::string target = *work / logitsFile;
  llvm::sys::fs::remove(target); // another executable's are not this one's
  if (Status written = io::writeNpy(*work / ids, io::NpyType::int64, {tokens.size()}, tokens.data()); !written)
    return written.error();
  std::vector<std::string> arguments = {"--logits", *work / ids, "-o", target};
  if (threads > 0)
    arguments.insert(arguments.end(), {"--threads", std::to_string(threads)});
  const auto ignore = [](std::string_view) { return Status(); };
  if (Status done = io::runProgram(file, arguments, ignore, cost); !done)
    return done.error();
  Expected<io::NpyArray> array = io::NpyArray::open(target);
  if (!array)
    return Error{file + ": wrote no logits: " + array.error().message};
  const std::vector<uint64_t> &shape = array->shape();
  if (array->type() != io::NpyType::float32 || shape.size() != 2 || shape[0] != tokens.size() || shape[1] == 0)
    return Error{file + ": gives other logits than f32 [" + std::to_string(tokens.size()) + ", vocabulary]"};
  return array;
}

Expected<io::WorkFolder> temporaryFolder(std::string_view name) {
  llvm::SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*erasedOnReboot=*/true, path);
  llvm::sys::path::append(path, name);
  return io::WorkFolder::create(path.str().str());
}

} // namespace halftone::tool
