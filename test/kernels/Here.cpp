// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Code of this processor: LLVM's just-in-time linker.
#include "test/kernels/Code.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

#include <barrier>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace halftone::test {

/// What model.h asks of the host of a model.
static void waitForTeam(void *team, int64_t, int64_t) { static_cast<std::barrier<> *>(team)->arrive_and_wait(); }

namespace {
class Here : public Code {
public:
  explicit Here(std::unique_ptr<llvm::orc::LLJIT> jit) : jit(std::move(jit)) {}

  void call(const std::string &function, const Call &call, int threads) override {
    llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(function);
    if (!address) {
      ADD_FAILURE() << llvm::toString(address.takeError());
      return;
    }
    using Function = void (*)(const void *, void *, void *, int64_t, int64_t, void *, int64_t, int64_t, int64_t,
                              int64_t, int64_t, int64_t);
    auto code = address->toPtr<Function>();
    std::barrier<> team(threads);
    auto run = [&](int64_t thread) {
      const auto &own = call.own;
      code(call.weights, call.cache, &team, thread, threads, call.arena, own[0], own[1], own[2], own[3], own[4],
           own[5]);
    };
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread)
      others.emplace_back(run, thread);
    run(0);
  }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};
} // namespace

std::unique_ptr<Code> loadHere(std::span<const char> object) {
  llvm::orc::LLJITBuilder builder;
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = builder.create();
  if (!jit) {
    ADD_FAILURE() << llvm::toString(jit.takeError());
    return nullptr;
  }
  llvm::orc::SymbolMap symbols;
  symbols[(*jit)->mangleAndIntern("halftone_barrier")] = {llvm::orc::ExecutorAddr::fromPtr(&waitForTeam),
                                                          llvm::JITSymbolFlags::Exported};
  llvm::Error error = (*jit)->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols)));
  if (!error)
    error = (*jit)->addObjectFile(
        llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()), "model.o"));
  if (error) {
    ADD_FAILURE() << llvm::toString(std::move(error));
    return nullptr;
  }
  return std::make_unique<Here>(std::move(*jit));
}

} // namespace halftone::test
