// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies every weight into the weight segment, in the order its kernel reads it.
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WeightUses.h"
#include "lib/formats/Unpacked.h"
#include "lib/io/AtomicFile.h"
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Weights begin on cache lines.
constexpr int64_t alignment = 64;

/// Copies `matrix` to the end of `out` in tiles of `layout`.
Status writeTiles(const formats::StoredMatrix &matrix, const formats::KernelLayout &layout, io::AtomicFile &out) {
  const formats::StoredShape &shape = matrix.shape();
  std::vector<formats::RowBuffer> buffers;
  for (int64_t i = 0; i < layout.lanes; ++i)
    buffers.emplace_back(shape.format, shape.columns);
  std::vector<std::byte> tile(formats::tileBytes(shape.format, layout, shape.columns));

  for (int64_t first = 0; first < shape.rows; first += layout.lanes) {
    const int64_t count = std::min(layout.lanes, shape.rows - first);
    std::vector<formats::EncodedRow> rows;
    std::vector<formats::EncodedRowView> views;
    for (int64_t i = 0; i < count; ++i) {
      rows.push_back(buffers[i].row());
      views.push_back(buffers[i].view());
    }
    matrix.readRows(first, rows);
    formats::packTile(shape.format, layout, shape.columns, views, tile);
    if (Status status = out.write(tile.data(), tile.size()); !status)
      return status;
    matrix.release(first, count);
  }
  return {};
}

/// Copies `matrix` to the end of `out` as arrays (lib/formats/Unpacked.h): levels, then steps and zeros.
Status writeUnpacked(const formats::StoredMatrix &matrix, io::AtomicFile &out) {
  const auto &[rows, columns, format, transposed] = matrix.shape();
  formats::RowBuffer buffer(format, columns);
  const formats::EncodedRow row = buffer.row();
  std::vector<float> steps;
  std::vector<uint8_t> zeros;
  for (int64_t r = 0; r < rows; ++r) {
    matrix.readRows(r, {&row, 1});
    for (uint8_t &code : row.codes)
      code = static_cast<uint8_t>(format.code.level(code));
    if (Status status = format.isPlain() ? out.write(row.values.data(), row.values.size_bytes())
                                         : out.write(row.codes.data(), row.codes.size_bytes());
        !status)
      return status;
    for (float scale : row.scales)
      steps.push_back(format.step(scale));
    zeros.insert(zeros.end(), row.zeros.begin(), row.zeros.end());
  }
  if (format.isPlain())
    return {};
  zeros.resize(steps.size(), format.code.zeroLevel()); // all of them where none is stored
  const auto append = [&](const void *data, size_t bytes) {
    Status status = out.padTo(formats::unpackedAlignment);
    return status ? out.write(data, bytes) : status;
  };
  if (Status status = append(steps.data(), steps.size() * sizeof(float)); !status)
    return status;
  return append(zeros.data(), zeros.size());
}

/// Copies `matrix` to the end of `out` as it is, row by row.
Status writeRows(const formats::StoredMatrix &matrix, io::AtomicFile &out) {
  const formats::StoredShape &shape = matrix.shape();
  formats::RowBuffer buffer(shape.format, shape.columns);
  std::vector<std::byte> bytes(formats::rowBytes(shape.format, shape.columns));
  const formats::EncodedRow row = buffer.row();
  for (int64_t r = 0; r < shape.rows; ++r) {
    matrix.readRows(r, {&row, 1});
    formats::packRow(shape.format, shape.columns, row, bytes);
    if (Status status = out.write(bytes.data(), bytes.size()); !status)
      return status;
  }
  return {};
}

class PackWeightsPass : public halftone::impl::PackWeightsBase<PackWeightsPass> {
public:
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    parameters = 0;
    Expected<io::AtomicFile> file = io::AtomicFile::create(output, {.inputs = lowbit::weightFiles(module)});
    if (!file) {
      module.emitError(file.error().message);
      return signalPassFailure();
    }
    const WeightUses uses(module);
    SymbolTableCollection tables;
    const SymbolUserMap users(tables, module);
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
      if (users.useEmpty(weight)) {
        weight.erase();
        continue;
      }
      if (Status status = pack(weight, uses, *file); !status) {
        weight.emitError(status.error().message);
        return signalPassFailure();
      }
    }
    propagateWeightTypes(module);
    const int64_t bytes = file->position();
    if (Status status = file->commit(); !status) {
      module.emitError(status.error().message);
      return signalPassFailure();
    }
    record("halftone.weight_bytes", bytes);
    record("halftone.parameters", parameters);
    record("halftone.decode_bytes", decodeBytes(uses));
  }

private:
  Status pack(WeightOp weight, const WeightUses &uses, io::AtomicFile &out) {
    Expected<formats::StoredMatrix> matrix = source.open(weight);
    if (!matrix)
      return matrix.error();
    if (Status status = out.padTo(alignment); !status)
      return status;
    const uint64_t offset = out.position();
    const Attribute layout = weight->getAttr(kernel::layoutAttrName);
    if (Status status = write(*matrix, layout, out); !status)
      return status;
    if (isTrained(uses.of(weight)))
      parameters += matrix->shape().rows * matrix->shape().columns;
    moveTo(weight, offset, layout);
    return {};
  }

  static Status write(const formats::StoredMatrix &matrix, Attribute layout, io::AtomicFile &out) {
    if (auto tiles = dyn_cast_if_present<kernel::LayoutAttr>(layout))
      return writeTiles(matrix, tiles.get(), out);
    return isa_and_present<kernel::UnpackedAttr>(layout) ? writeUnpacked(matrix, out) : writeRows(matrix, out);
  }

  /// The weight's new place and type.
  void moveTo(WeightOp weight, uint64_t offset, Attribute layout) {
    auto type = cast<WeightType>(weight.getType());
    auto packed = WeightType::get(&getContext(), type.getShape(), type.getFormat(), layout);
    weight.setTypeAttr(TypeAttr::get(packed));
    weight.setFile("segment");
    weight.setOffset(offset);
    weight.setTransposed(false);
    weight->removeAttr(kernel::layoutAttrName);
  }

  /// Whether the weight came with the model: tables of angles were computed.
  static bool isTrained(ArrayRef<OpOperand *> uses) {
    return llvm::any_of(uses, [](OpOperand *use) { return !isa<RopeOp, func::CallOp>(use->getOwner()); });
  }

  /// Bytes of the weights that a decode call reads: all that it reaches, but of a table of embeddings one row.
  int64_t decodeBytes(const WeightUses &uses) {
    int64_t total = 0;
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      if (llvm::any_of(uses.of(weight),
                       [](OpOperand *use) { return isa<LinearOp, AddBiasOp, RmsNormOp>(use->getOwner()); }))
        total += kernel::packedBytes(cast<WeightType>(weight.getType()));
    }
    return total;
  }

  void record(StringRef name, int64_t value) {
    getOperation()->setAttr(name, IntegerAttr::get(IntegerType::get(&getContext(), 64), value));
  }

  StoredWeights source;
  int64_t parameters = 0;
};

} // namespace
