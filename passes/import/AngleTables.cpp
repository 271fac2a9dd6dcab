// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluates and stores tables of angles.
#include "passes/import/AngleTables.h"

#include "lib/io/AtomicFile.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Tables start at multiples of a cache line.
static constexpr uint64_t alignment = 64;

static SmallVector<int64_t> coordinates(int64_t index, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> result(shape.size());
  for (size_t i = shape.size(); i-- > 0; index /= shape[i])
    result[i] = index % shape[i];
  return result;
}

std::optional<AngleEntry> halftone::importer::angleEntry(ArrayRef<const Term *> tokens, Evaluator &evaluator,
                                                         bool negated) {
  AngleEntry entry{tokens[0]->factor, {}};
  const Tensor &factor = evaluator.evaluate(entry.factor);
  entry.coordinates = coordinates(tokens[0]->factorIndex, factor.shape);
  SmallVector<int64_t> next = coordinates(tokens[1]->factorIndex, factor.shape);
  bool found = false;
  for (unsigned i = 0; i < next.size(); ++i)
    if (next[i] != entry.coordinates[i]) {
      entry.axis = i;
      found = true;
    }
  if (!found || factor.shape[entry.axis] != static_cast<int64_t>(tokens.size()))
    return std::nullopt;
  int64_t step = strides(factor.shape)[entry.axis];
  // The sine of position 0 tells nothing of the sign.
  bool opposite =
      llvm::any_of(tokens, [&](const Term *term) { return term->coefficient != factor.floats[term->factorIndex]; });
  float sign = opposite ? -1.0f : 1.0f;
  for (auto [t, term] : llvm::enumerate(tokens))
    if (term->factor != entry.factor || term->factorIndex != tokens[0]->factorIndex + static_cast<int64_t>(t) * step ||
        term->coefficient != sign * factor.floats[term->factorIndex])
      return std::nullopt;
  entry.coordinates[entry.axis] = 0;
  entry.sign = negated ? -sign : sign;
  return entry;
}

std::optional<int64_t> halftone::importer::gatheredRows(Value factor) {
  std::optional<int64_t> rows;
  for (Operation *op : makersOf(factor)) {
    auto type = isNode(op, "Gather") ? dyn_cast<lowbit::WeightType>(op->getOperand(0).getType()) : lowbit::WeightType();
    if (type && (!rows || type.getShape()[0] < *rows))
      rows = type.getShape()[0];
  }
  return rows;
}

AngleColumn::AngleColumn(Evaluator &evaluator, const AngleEntry &entry) : sign(entry.sign) {
  const Tensor &factor = evaluator.evaluate(entry.factor);
  if (factor.content != Tensor::Content::Floats || entry.coordinates.size() != factor.shape.size())
    return;
  SmallVector<int64_t> steps = strides(factor.shape);
  int64_t start = 0;
  for (auto [step, coordinate, size] : llvm::zip(steps, entry.coordinates, factor.shape)) {
    if (coordinate >= size)
      return;
    start += step * coordinate;
  }
  first = factor.floats.data() + start;
  step = steps[entry.axis];
  positions = factor.shape[entry.axis];
}

Expected<std::vector<float>> halftone::importer::angleTable(const AngleSource &source, int64_t context,
                                                            WeightFiles &files) {
  Evaluator evaluator({context, 0}, files);
  size_t pairs = source.pairs.size();
  if (context > mostElements / static_cast<int64_t>(pairs))
    return Error{"the angles of " + std::to_string(context) + " positions are more than a table holds, which is " +
                 std::to_string(mostElements / pairs) + " positions of " + std::to_string(pairs) + " pairs"};
  std::vector<float> table(context * pairs);
  for (auto [pair, entries] : llvm::enumerate(source.pairs)) {
    AngleColumn one(evaluator, entries[0]), other(evaluator, entries[1]);
    if (one.size() < context || other.size() < context)
      return Error{"the angles of " + std::to_string(context) + " positions cannot be evaluated"};
    for (int64_t position = 0; position < context; ++position) {
      if (one[position] != other[position])
        return Error{"the channels of pair " + std::to_string(pair) + " turn by different angles at position " +
                     std::to_string(position)};
      table[position * pairs + pair] = one[position];
    }
  }
  return table;
}

static lowbit::WeightOp addWeight(ModuleOp module, Location location, StringRef name, ArrayRef<int64_t> shape,
                                  StringRef file, uint64_t offset) {
  OpBuilder builder(module.getBody(), module.getBody()->begin());
  while (builder.getInsertionPoint() != module.getBody()->end() && isa<lowbit::WeightOp>(*builder.getInsertionPoint()))
    builder.setInsertionPointAfter(&*builder.getInsertionPoint());
  auto format = lowbit::FormatAttr::get(module.getContext(), formats::Format::plain(formats::Scalar::F32));
  auto type = lowbit::WeightType::get(module.getContext(), shape, format);
  std::string symbol = name.str();
  for (unsigned i = 1; module.lookupSymbol(symbol); ++i)
    symbol = (name + "." + Twine(i)).str();
  return lowbit::WeightOp::create(builder, location, symbol, type, file, offset, /*transposed=*/false);
}

AngleTables::AngleTables(ModuleOp module, std::string file, std::vector<std::string> inputs)
    : module(module), file(std::move(file)), inputs(std::move(inputs)) {
  llvm::SmallSetVector<StringRef, 1> files;
  for (auto weight : module.getOps<lowbit::WeightOp>())
    files.insert(weight.getFile());
  this->inputs.insert(this->inputs.end(), files.begin(), files.end());
}

Value AngleTables::handle(OpBuilder &builder, Location location, StringRef name, int64_t context,
                          ArrayRef<float> table) {
  int64_t pairs = static_cast<int64_t>(table.size()) / context;
  auto entry = llvm::find_if(entries, [&](const Entry &entry) {
    return entry.context == context && entry.content.size() == table.size() &&
           std::memcmp(entry.content.data(), table.data(), table.size() * sizeof(float)) == 0;
  });
  if (entry == entries.end()) {
    uint64_t offset = llvm::alignTo(end, alignment);
    lowbit::WeightOp weight = addWeight(module, location, name, {context, pairs}, file, offset);
    end = offset + table.size() * sizeof(float);
    entry = entries.insert(entries.end(), {weight, context, table.vec()});
  }
  lowbit::WeightOp weight = entry->weight;
  return lowbit::GetOp::create(builder, location, weight.getType(), weight.getSymName());
}

Status AngleTables::write() const {
  if (entries.empty())
    return {};
  if (file.empty())
    return Error{"recognise-rope: the tables of angles need a work file (option work)"};
  auto output = io::AtomicFile::create(file, {.inputs = inputs});
  if (!output)
    return output.error();
  for (const Entry &entry : entries) {
    if (Status padded = output->padTo(alignment); !padded)
      return padded;
    if (Status written = output->write(entry.content.data(), entry.content.size() * sizeof(float)); !written)
      return written;
  }
  return output->commit();
}
