// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of a model's variants this processor runs.
#pragma once

#include "lib/runtime/Facts.h"
#include "lib/runtime/Processor.h"

namespace halftone::runtime {

/// The first variant of a table, as halftone_variants is one, whose features are all present. When there is none, the
/// error says what the last one, which asks for least, lacks.
Expected<const Variant *> chooseVariant(const Variant *table, const std::vector<Feature> &features);

} // namespace halftone::runtime
