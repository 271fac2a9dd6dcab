// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The activations between two blocks of a model, for all calibration sequences: more than memory may hold.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace halftone::calibrate {

/// One f32 matrix [tokens, channels] a sequence. The first sequences, as many as fit into the given memory, stay there;
/// the others lie in a work file. write() and read() may be called from several threads at once for different
/// sequences; reads of one sequence may also overlap.
class SpillFile {
public:
  /// \param path where the work file is made if one is needed, in place of one of that name. It has no name
  /// afterwards: it goes away with this object, or with the program however that ends. Its space is reserved now, so
  /// that a full disk is an error at once where the file system can do that.
  /// \param tokens of each sequence.
  /// \param memory most bytes of activations to keep.
  static Expected<SpillFile> create(std::string path, std::span<const int64_t> tokens, int64_t channels,
                                    uint64_t memory);

  SpillFile(SpillFile &&other) noexcept;
  SpillFile &operator=(SpillFile &&other) noexcept;
  ~SpillFile();

  int64_t sequences() const { return static_cast<int64_t>(places.size()); }
  int64_t channels() const { return width; }
  int64_t tokens(int64_t sequence) const { return static_cast<int64_t>(places[sequence].elements) / width; }
  /// Bytes that are kept in memory, and in the work file, once all is written.
  uint64_t bytesInMemory() const { return kept; }
  uint64_t bytesInFile() const { return spilled; }

  /// Stores the activations of a sequence, in place of what was there. Fails when `values` are not as many as create()
  /// was told, or naming path and offset: "x: cannot write 4096 bytes at 8192: No space left on device".
  Status write(int64_t sequence, std::span<const float> values);
  /// Fills `values` with what was written last; fails when nothing was, and as write() does.
  Status read(int64_t sequence, std::span<float> values) const;

private:
  /// Where a sequence lies.
  struct Place {
    uint64_t elements = 0;
    uint64_t offset = 0; ///< in the file
    bool inMemory = false;
    bool isWritten = false;
    std::vector<float> values; ///< when in memory
  };

  SpillFile() = default;
  Status open();
  Status check(int64_t sequence, uint64_t elements) const;
  Status writeAt(uint64_t offset, std::span<const std::byte> bytes) const;
  Status readAt(uint64_t offset, std::span<std::byte> bytes) const;

  std::string name;
  int descriptor = -1; // -1 when all is in memory
  int64_t width = 0;
  uint64_t kept = 0, spilled = 0;
  std::vector<Place> places;
};

} // namespace halftone::calibrate
