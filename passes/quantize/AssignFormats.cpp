// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides the format of every linear and embedding, by its role.
#include "dialects/lowbit/WeightUses.h"
#include "lib/formats/Table.h"
#include "lib/quantize/VocabularyFormat.h"
#include "passes/Remarks.h"
#include "passes/quantize/Decision.h"
#include "passes/quantize/Head.h"
#include "passes/quantize/NamedFormats.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/Untie.h"

#include "llvm/ADT/SmallPtrSet.h"

#include <limits>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_ASSIGNFORMATS
#include "passes/quantize/Passes.h.inc"

namespace {

/// What round-to-nearest is called in `method`.
constexpr StringLiteral nearest = "rtn";

/// The largest magnitude of an activation's code.
constexpr int64_t largestActivation = 127;

/// The largest distance of a level from the one that means 0.
int64_t largestTerm(const formats::Format &format) {
  const int zero = format.code.zeroLevel(), highest = format.code.highestLevel();
  if (format.zeroPoint)
    return highest;
  return std::max(zero - (format.code.isBalanced() ? 1 : 0), highest - zero);
}

class AssignFormatsPass : public impl::AssignFormatsBase<AssignFormatsPass> {
public:
  using AssignFormatsBase::AssignFormatsBase;

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    decide();
    takeNamedFormats();
    const WeightUses uses(getOperation());
    for (WeightOp weight : llvm::to_vector(getOperation().getOps<WeightOp>()))
      if (failed(settle(weight, uses.of(weight))) || failed(checkSums(weight, uses)))
        return signalPassFailure();
    chooseMethods(WeightUses(getOperation())); // untying changed the uses
  }

private:
  /// The format that option `option` names, or `otherwise` when it is not given.
  LogicalResult read(const Option<std::string> &option, std::optional<formats::Format> otherwise, FormatAttr &result) {
    if (option.empty() && otherwise) {
      result = FormatAttr::get(&getContext(), *otherwise);
      return success();
    }
    Expected<formats::Format> parsed = formats::parse(option.getValue());
    if (!parsed)
      return getOperation().emitError() << option.getArgStr() << ": " << parsed.error().message;
    result = FormatAttr::get(&getContext(), *parsed);
    return success();
  }

  LogicalResult readOptions() {
    if (failed(read(format, {}, linears)))
      return failure();
    const formats::Format vocabulary = quantize::vocabularyFormat(linears.getValue());
    if (failed(read(embeddingFormat, vocabulary, embeddings)) || failed(read(headFormat, vocabulary, heads)))
      return failure();
    const formats::Element *element = formats::findElement(activations.getValue());
    contracts = element && element->code.isBalanced();
    if (!contracts && (!element || element->code != formats::Code::floating(formats::Scalar::F32)))
      return getOperation().emitError() << "activations: '" << activations
                                        << "' is neither f32 nor an integer element of 8 bits";
    return success();
  }

  /// What was decided for weights by name goes before what their readers' roles say.
  void takeNamedFormats() {
    quantize::separateCalls(getOperation());
    const WeightUses uses(getOperation());
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (FormatAttr named = quantize::namedFormat(weight)) {
        for (OpOperand *decoder : quantize::decodersOf(weight, uses))
          decideFor(decoder->getOwner(), named);
        quantize::removeNamedFormat(weight);
      }
  }

  void decide() {
    SmallVector<LinearOp> isolated = quantize::isolateHeads(getOperation());
    llvm::SmallPtrSet<Operation *, 2> isHead(isolated.begin(), isolated.end());
    getOperation().walk([&](LinearOp linear) { decideFor(linear, isHead.contains(linear) ? heads : linears); });
    getOperation().walk([&](EmbeddingOp embedding) { decideFor(embedding, embeddings); });
  }

  /// Records the decision for a linear or embedding.
  void decideFor(Operation *op, FormatAttr format) {
    op->setAttr("format", format);
    if (const std::string contract = contractFor(format.getValue()); isa<LinearOp>(op) && !contract.empty())
      op->setAttr(quantize::activationsAttrName, StringAttr::get(&getContext(), contract));
    else
      op->removeAttr(quantize::activationsAttrName);
    rewrote(op->getLoc(), "assign-formats") << remark::metric("format", formats::name(format.getValue()));
  }

  /// What the activations of a linear in `format` become; nothing when they stay f32.
  std::string contractFor(const formats::Format &format) {
    if (!contracts || !format.isPlain())
      return contracts ? activations.getValue() : "";
    const formats::Scalar rounded = formats::findElement(format.code)->activations;
    return rounded == formats::Scalar::F32 ? "" : std::string(formats::scalarName(rounded));
  }

  /// Gives `weight` one format, and checks that it can get there.
  LogicalResult settle(WeightOp weight, ArrayRef<OpOperand *> uses) {
    quantize::WantedFormat wanted = quantize::wantedFormat(uses);
    if (wanted.hasConflict() && failed(untie ? quantize::untie(weight) : wanted.report(weight)))
      return failure();
    FormatAttr current = cast<WeightType>(weight.getType()).getFormat();
    if (!wanted.get() || wanted.get() == current || current.getValue().isPlain())
      return success();
    return weight.emitError() << weight.getFile() << ": weight '" << weight.getSymName() << "', "
                              << cast<WeightType>(weight.getType()) << ", has codes already and cannot become "
                              << formats::name(wanted.get().getValue()) << ": only plain weights can be quantized";
  }

  /// Checks the linears that read `weight` in integers, also through derivations: blocks must not overflow their sums.
  LogicalResult checkSums(WeightOp weight, const WeightUses &uses) {
    for (OpOperand *decoder : quantize::decodersOf(weight, uses)) {
      auto linear = dyn_cast<LinearOp>(decoder->getOwner());
      if (!linear || !linear->hasAttr(quantize::activationsAttrName) || linear.getFormatAttr().getValue().isPlain())
        continue;
      if (failed(checkSum(weight, linear.getFormatAttr().getValue(), linear.getWeight().getType().getShape().back())))
        return failure();
    }
    return success();
  }

  LogicalResult checkSum(WeightOp weight, const formats::Format &chosen, int64_t columns) {
    const int64_t longest = std::numeric_limits<int32_t>::max() / (largestActivation * largestTerm(chosen));
    if (chosen.blockLength(columns, 0) <= longest)
      return success();
    return weight.emitError() << weight.getFile() << ": weight '" << weight.getSymName() << "' cannot become "
                              << formats::name(chosen) << " with " << activations << " activations: a block of "
                              << chosen.blockLength(columns, 0) << " columns overflows a sum of 32 bits, at most "
                              << longest << " fit: choose smaller blocks or activations in f32";
  }

  /// Says which pass acts, where that is not left open.
  void chooseMethods(const WeightUses &uses) {
    getOperation().walk([](Operation *op) {
      if (isa<LinearOp, EmbeddingOp>(op))
        op->removeAttr("method");
    });
    if (method.empty())
      return;
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      chooseMethod(uses.of(weight), cast<WeightType>(weight.getType()).getFormat());
  }

  /// Says so to the readers of one weight, which is in the format `current`, and of those derived from it.
  void chooseMethod(ArrayRef<OpOperand *> uses, FormatAttr current) {
    const bool servesLinears = llvm::all_of(uses, [](OpOperand *use) {
      const FormatAttr wanted = quantize::decisionOf(*use).format;
      return !wanted || (isa<LinearOp>(use->getOwner()) && !wanted.getValue().isPlain());
    });
    auto chosen = StringAttr::get(&getContext(), servesLinears ? StringRef(method) : StringRef(nearest));
    for (OpOperand *use : uses) {
      if (FormatAttr wanted = quantize::decisionOf(*use).format; wanted && wanted != current)
        use->getOwner()->setAttr("method", chosen);
      if (!isDerivation(use->getOwner()) || use->getOperandNumber() != 0)
        continue;
      SmallVector<OpOperand *> readers;
      auto derived = cast<TypedValue<WeightType>>(use->getOwner()->getResult(0));
      forEachUse(derived, [&](OpOperand &reader) { readers.push_back(&reader); });
      chooseMethod(readers, derived.getType().getFormat());
    }
  }

  FormatAttr linears, embeddings, heads;
  bool contracts = false;
};

} // namespace
} // namespace halftone
