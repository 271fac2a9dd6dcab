// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the names down the calls, one version of a function for each signature.
#include "dialects/lowbit/PropagateTypes.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace {

class Propagation {
public:
  explicit Propagation(ModuleOp module) : symbols(module) {}

  /// Retypes what `function`, whose handles have their types, calls.
  void visit(func::FuncOp function) {
    function.walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (!callee.isExternal())
        call.setCallee(versionFor(callee, call.getOperandTypes()).getName());
    });
  }

private:
  /// The version of `callee`, itself maybe a version, that takes arguments of `types`.
  func::FuncOp versionFor(func::FuncOp callee, TypeRange types) {
    StringAttr origin = origins.lookup(callee.getNameAttr());
    if (!origin)
      origin = callee.getNameAttr();
    auto signature = FunctionType::get(callee.getContext(), types, callee.getResultTypes());
    func::FuncOp &version = versions[{origin, signature}];
    if (version)
      return version;
    const bool isFirst = seen.insert(origin).second;
    func::FuncOp created = version = isFirst ? symbols.lookup<func::FuncOp>(origin) : clone(origin);
    created.setType(signature);
    for (auto [argument, type] : llvm::zip_equal(created.getArguments(), types))
      argument.setType(type);
    visit(created); // `version` may have moved
    return created;
  }

  func::FuncOp clone(StringAttr origin) {
    auto source = symbols.lookup<func::FuncOp>(origin);
    func::FuncOp copy = source.clone();
    symbols.insert(copy, std::next(Block::iterator(source)));
    origins[copy.getNameAttr()] = origin;
    return copy;
  }

  SymbolTable symbols;
  /// The name of the function that a clone was made from.
  DenseMap<StringAttr, StringAttr> origins;
  DenseSet<StringAttr> seen;
  DenseMap<std::pair<StringAttr, FunctionType>, func::FuncOp> versions;
};

} // namespace

void halftone::lowbit::propagateWeightTypes(ModuleOp module) {
  SymbolTable symbols(module);
  module.walk([&](GetOp get) {
    if (auto weight = symbols.lookup<WeightOp>(get.getName()))
      get.getHandle().setType(weight.getType());
  });
  Propagation propagation(module);
  for (auto function : llvm::to_vector(module.getOps<func::FuncOp>()))
    if (!function.isExternal() && SymbolTable::symbolKnownUseEmpty(function, module))
      propagation.visit(function);
}
