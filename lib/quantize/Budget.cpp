// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A bound, an allocation that is nearly as good, then all partial sums between the two.
#include "lib/quantize/Budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <tuple>

namespace halftone::quantize {

namespace {

using Items = std::span<const std::vector<Choice>>;

/// The indices of an item's choices that lie on the lower convex hull, from the fewest bytes to the least damage.
std::vector<size_t> hullOf(const std::vector<Choice> &item) {
  std::vector<size_t> order(item.size()), hull;
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::sort(order, [&](size_t a, size_t b) {
    return std::pair(item[a].bytes, item[a].damage) < std::pair(item[b].bytes, item[b].damage);
  });
  const auto slope = [&](size_t from, size_t to) {
    return (item[from].damage - item[to].damage) / static_cast<double>(item[to].bytes - item[from].bytes);
  };
  for (size_t choice : order) {
    if (!hull.empty() && item[choice].damage >= item[hull.back()].damage)
      continue;
    while (hull.size() > 1 && slope(hull[hull.size() - 2], hull.back()) <= slope(hull.back(), choice))
      hull.pop_back();
    hull.push_back(choice);
  }
  return hull;
}

/// From one choice on an item's hull to the next.
struct Step {
  size_t item, choice;
  uint64_t bytes; ///< more
  double damage;  ///< less
  double gain() const { return damage / static_cast<double>(bytes); }
};

/// All steps, those first that gain most per byte.
std::vector<Step> stepsOf(Items items, std::span<const std::vector<size_t>> hulls) {
  std::vector<Step> steps;
  for (size_t i = 0; i < items.size(); ++i)
    for (size_t k = 1; k < hulls[i].size(); ++k) {
      const Choice &before = items[i][hulls[i][k - 1]], &after = items[i][hulls[i][k]];
      steps.push_back({i, hulls[i][k], after.bytes - before.bytes, before.damage - after.damage});
    }
  std::ranges::sort(steps, {}, [](const Step &step) { return std::tuple(-step.gain(), step.item, step.bytes); });
  return steps;
}

/// A sum over the first items, and how it was reached.
struct Partial {
  uint64_t bytes = 0;
  double damage = 0;
  uint32_t before = 0, choice = 0; ///< in the list of the item before; of this item
};

class Knapsack {
public:
  Knapsack(Items items, uint64_t budget, size_t width) : items(items), budget(budget), width(width) {}

  Expected<Allocation> solve() {
    Allocation best = smallest();
    if (best.bytes > budget)
      return Error{"the smallest possible size is " + std::to_string(best.bytes) + " bytes, " + std::to_string(budget) +
                   " are allowed"};
    improve(best);
    search(best);
    return best;
  }

private:
  Allocation smallest() {
    Allocation result;
    for (const std::vector<Choice> &item : items) {
      hulls.push_back(hullOf(item));
      result.chosen.push_back(hulls.back().front());
      result.bytes += item[result.chosen.back()].bytes;
      result.damage += item[result.chosen.back()].damage;
    }
    return result;
  }

  /// Takes the steps that gain most while they fit. The first that does not gives the price of a byte.
  void improve(Allocation &allocation) {
    std::vector<bool> isClosed(items.size());
    for (const Step &step : stepsOf(items, hulls)) {
      if (isClosed[step.item])
        continue;
      if (allocation.bytes + step.bytes > budget) {
        if (price == 0)
          price = step.gain();
        isClosed[step.item] = true;
        continue;
      }
      allocation.chosen[step.item] = step.choice;
      allocation.bytes += step.bytes;
      allocation.damage -= step.damage;
    }
  }

  double priced(const Choice &choice) const { return choice.damage + price * static_cast<double>(choice.bytes); }

  /// No completion of `partial`, of which the items behind cost `rest` at least, does less damage than this.
  double boundOf(const Partial &partial, double rest) const {
    return partial.damage + rest - price * static_cast<double>(budget - partial.bytes);
  }

  void search(Allocation &best) {
    std::vector<double> rest(items.size() + 1); // the priced least of the items from here on
    for (size_t i = items.size(); i-- > 0;) {
      const auto cheapest = std::ranges::min_element(items[i], {}, [&](const Choice &c) { return priced(c); });
      rest[i] = rest[i + 1] + priced(*cheapest);
    }
    const double bound = rest[0] - price * static_cast<double>(budget);
    bool isComplete = true;
    std::vector<std::vector<Partial>> lists = {{Partial()}};
    for (size_t i = 0; i < items.size(); ++i)
      lists.push_back(extended(lists.back(), items[i], rest[i + 1], best.damage, isComplete));
    if (!lists.back().empty()) // the last has the least damage
      trace(lists, best);
    best.gap = isComplete || best.damage <= 0 ? 0 : std::max(0.0, (best.damage - bound) / best.damage);
  }

  std::vector<Partial> extended(const std::vector<Partial> &list, const std::vector<Choice> &item, double rest,
                                double known, bool &isComplete) const {
    std::vector<Partial> all;
    for (uint32_t before = 0; before < list.size(); ++before)
      for (uint32_t choice = 0; choice < item.size(); ++choice) {
        const Partial next{list[before].bytes + item[choice].bytes, list[before].damage + item[choice].damage, before,
                           choice};
        if (next.bytes <= budget && boundOf(next, rest) < known)
          all.push_back(next);
      }
    std::ranges::sort(all, {}, [](const Partial &partial) {
      return std::tuple(partial.bytes, partial.damage, partial.before, partial.choice);
    });
    std::vector<Partial> kept;
    for (const Partial &partial : all)
      if (kept.empty() || partial.damage < kept.back().damage)
        kept.push_back(partial);
    if (kept.size() > width) {
      isComplete = false;
      std::ranges::nth_element(kept, kept.begin() + static_cast<std::ptrdiff_t>(width),
                               [&](const Partial &a, const Partial &b) { return boundOf(a, rest) < boundOf(b, rest); });
      kept.resize(width);
      std::ranges::sort(kept, {}, &Partial::bytes);
    }
    return kept;
  }

  void trace(const std::vector<std::vector<Partial>> &lists, Allocation &best) const {
    const Partial *partial = &lists.back().back();
    if (partial->damage >= best.damage)
      return;
    best.bytes = partial->bytes;
    best.damage = partial->damage;
    for (size_t i = items.size(); i > 0; --i) {
      best.chosen[i - 1] = partial->choice;
      partial = &lists[i - 1][partial->before];
    }
  }

  Items items;
  uint64_t budget;
  size_t width;
  std::vector<std::vector<size_t>> hulls;
  double price = 0; ///< damage that a byte is worth
};

} // namespace

Expected<Allocation> allocate(Items items, uint64_t budget, size_t width) {
  return Knapsack(items, budget, width).solve();
}

} // namespace halftone::quantize
