// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// keep-wide: gives linears with many inputs a format of their own. An experiment: sums of many terms need more bits?
#include "Lab.h"
#include "dialects/lowbit/Lowbit.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace halftone;

namespace {

class KeepWidePass : public PassWrapper<KeepWidePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KeepWidePass)
  KeepWidePass() = default;
  KeepWidePass(const KeepWidePass &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "keep-wide"; }
  StringRef getDescription() const override { return "Give linears with many inputs a format of their own"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<lowbit::LowbitDialect, lab::LabDialect>();
  }

  void runOnOperation() override {
    const Expected<formats::Format> chosen = formats::parse(format);
    if (!chosen) {
      getOperation().emitError() << "format: " << chosen.error().message;
      return signalPassFailure();
    }
    auto attribute = lowbit::FormatAttr::get(&getContext(), *chosen);
    int64_t count = 0;
    getOperation().walk([&](lowbit::LinearOp linear) {
      if (!linear.getFormatAttr() || linear.getWeight().getType().getShape().back() < columns)
        return;
      linear.setFormatAttr(attribute);
      ++count;
      remark::passed(linear.getLoc(), remark::RemarkOpts::name("format").category("keep-wide"))
          << remark::metric("format", formats::name(*chosen));
    });
    if (!note)
      return;
    auto builder = OpBuilder::atBlockBegin(getOperation().getBody());
    lab::NoteOp::create(builder, getOperation().getLoc(),
                        std::to_string(count) + " linears keep " + formats::name(*chosen));
  }

  Option<int64_t> columns{*this, "columns", llvm::cl::desc("From how many inputs on"), llvm::cl::init(1024)};
  Option<std::string> format{*this, "format", llvm::cl::desc("What they get"), llvm::cl::init("int8-g32")};
  Option<bool> note{*this, "note", llvm::cl::desc("Leave a lab.note in the module"), llvm::cl::init(false)};
};

} // namespace

void lab::registerKeepWide() { PassRegistration<KeepWidePass>(); }
