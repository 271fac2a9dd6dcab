// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pointers to arguments, then to results.
#include "passes/calibrate/StepCall.h"

#include <cstring>

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;

void calibrate::callStep(const BlockCode &code, const Step &step, const Sequence &sequence, const BlockWeights &weights,
                         const Trial *trial, const Values &kept, Values &values) {
  const BlockFunction &compiled = code.functions.at(step.function);
  SmallVector<const void *> pointers;
  std::vector<Buffer> inputs(step.arguments.size());
  for (size_t i = 0; i < step.arguments.size(); ++i) {
    const ChainArgument &argument = step.arguments[i];
    if (!compiled.reads[i]) {
      pointers.push_back(nullptr);
    } else if (!argument.value) {
      const bool isTried = trial && trial->weight == argument.weight;
      pointers.push_back(isTried ? trial->values.data() : weights.at(argument.weight));
    } else if (const ValueId id = *argument.value; id >= code.chain.inputs) {
      pointers.push_back((values[id].empty() ? kept : values)[id].data());
    } else { // with zeros up to the length that the code computes
      const ChainValue &value = code.chain.values[id];
      inputs[i].resize(code.length * value.channels * value.elementBytes);
      std::memcpy(inputs[i].data(), sequence.inputs[id].data(), sequence.inputs[id].size());
      pointers.push_back(inputs[i].data());
    }
  }
  for (ValueId id : step.results) {
    values[id].resize(code.length * code.chain.values[id].channels * sizeof(float));
    pointers.push_back(values[id].data());
  }
  code.call(step.function, pointers);
}
