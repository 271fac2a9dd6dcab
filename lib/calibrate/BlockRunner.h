// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model that runs on calibration data while it is quantized. Passes get one from the pipeline.
#pragma once

#include "lib/calibrate/Drift.h"
#include "lib/calibrate/Statistics.h"

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace halftone::calibrate {

/// The input of linears.
struct Observation {
  std::vector<std::string> weights; ///< of the linears that read it
  int64_t columns = 0;
  Gather gather = Gather::nothing;
};

/// Other values [rows, columns] for the weight called `weight`.
struct Trial {
  std::string weight;
  std::span<const float> values;
};

/// What a runner will be asked for, so that it does no more.
struct Wanted {
  /// Of what is observed.
  Gather gather = Gather::everything;
  /// Whether drift() will be called: the model as it was then runs beside the one that changes.
  bool drift = false;
};

/// Runs block after block, forward only: weights are asked for in the order in which the model computes with them.
class BlockRunner {
public:
  virtual ~BlockRunner() = default;

  /// All that is observed, in the order in which it is computed.
  virtual std::vector<Observation> observations() const = 0;

  /// What the linears that read the weight called `weight` see on all calibration data: the same object for all weights
  /// that see the same. The caller may use its memory as scratch. Fails when the weight has no observed linear, or
  /// lies before one that was asked for already; naming the weight and the place when activations are no numbers.
  virtual Expected<std::shared_ptr<Statistics>> observe(std::string_view weight) = 0;

  /// How far that input has moved because of what was replaced; null when it has not. Only of the weight that was
  /// observed last.
  virtual Expected<std::shared_ptr<const Drift>> drift(std::string_view weight) = 0;

  /// Which of the blocks that something is observed in is being looked at, from 1 on, and how many there are.
  virtual std::pair<size_t, size_t> block() const = 0;

  /// How much it changes the outputs of the function that computes with the weight called `weight` when it computes
  /// with `trials` instead: the mean square of the differences over some of the sequences, the same for the whole
  /// function. Only of the weight that was observed last.
  virtual Expected<double> outputError(std::string_view weight, std::span<const Trial> trials) = 0;

  /// From now on the model computes with `values` [rows, columns] as the weight called `weight`.
  virtual Status replace(std::string_view weight, std::span<const float> values) = 0;
};

} // namespace halftone::calibrate
