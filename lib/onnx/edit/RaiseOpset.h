// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model in a later version of ONNX's own operator set: nodes whose operator means something else there, or takes its
// parameters elsewhere, are written anew.
#pragma once

#include "lib/onnx/edit/Edits.h"
#include "lib/onnx/edit/FreshNames.h"

namespace halftone::onnx {

/// Adds to `edits` what brings `model` to `version`, with the IR version that goes with it; nothing when it is there
/// already. Fails, naming the first node whose meaning no rewriting keeps, or a function of the model's own, which
/// states versions itself.
Status raiseOpset(const Model &model, int64_t version, FreshNames &names, ModelEdits &edits);

} // namespace halftone::onnx
