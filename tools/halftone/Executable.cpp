// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Processes, and the files that hold what they are told and what they say.
#include "tools/halftone/Executable.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

namespace halftone::tool {

/// The files of a work folder.
static constexpr char standardOutput[] = "stdout", standardError[] = "stderr", ids[] = "ids.npy",
                      logitsFile[] = "logits.npy";

static std::string readText(const std::string &path) {
  const auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

/// The last line that a program said, without the name it gives itself, as the end of an error.
static std::string lastLine(llvm::StringRef text) {
  const llvm::StringRef all = text.rtrim(), last = all.substr(all.rfind('\n') + 1);
  const llvm::StringRef reason = last.split(": error: ").second;
  return last.empty() ? "" : ": " + (reason.empty() ? last : reason).str();
}

Status Executable::run(std::span<const std::string> arguments) const {
  const std::string output = *work / standardOutput, error = *work / standardError;
  for (const std::string &path : {output, error})
    llvm::sys::fs::remove(path); // LLVM writes over what is there, and leaves the rest
  std::vector<llvm::StringRef> words = {file};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::string reason;
  bool notStarted = false;
  const std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(output),
                                                      llvm::StringRef(error)};
  const int status = llvm::sys::ExecuteAndWait(file, words, std::nullopt, redirects, /*SecondsToWait=*/0,
                                               /*MemoryLimit=*/0, &reason, &notStarted);
  if (notStarted)
    return Error{file + ": cannot be run: " + reason};
  if (status < 0)
    return Error{file + ": died: " + reason};
  if (status > 0)
    return Error{file + ": ended with status " + std::to_string(status) + lastLine(readText(error))};
  return {};
}

Expected<Executable> Executable::open(std::string path, const io::WorkFolder &work) {
  Executable result(std::move(path), work);
  const std::string question[] = {"--info"};
  const Status done = result.run(question);
  llvm::Expected<llvm::json::Value> answer = llvm::json::parse(done ? readText(work / standardOutput) : "");
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

Expected<io::NpyArray> Executable::logits(std::span<const int64_t> tokens, int64_t threads) const {
  const std::string target = *work / logitsFile;
  llvm::sys::fs::remove(target); // another executable's are not this one's
  if (Status written = io::writeNpy(*work / ids, io::NpyType::int64, {tokens.size()}, tokens.data()); !written)
    return written.error();
  std::vector<std::string> arguments = {"--logits", *work / ids, "-o", target};
  if (threads > 0)
    arguments.insert(arguments.end(), {"--threads", std::to_string(threads)});
  if (Status done = run(arguments); !done)
    return done.error();
  Expected<io::NpyArray> array = io::NpyArray::open(target);
  if (!array)
    return Error{file + ": wrote no logits: " + array.error().message};
  const std::vector<uint64_t> &shape = array->shape();
  if (array->type() != io::NpyType::float32 || shape.size() != 2 || shape[0] != tokens.size() || shape[1] == 0)
    return Error{file + ": gives other logits than f32 [" + std::to_string(tokens.size()) + ", vocabulary]"};
  return array;
}

} // namespace halftone::tool
