// SPDX-License-Identifier: Apache-2.0
#include "app/combinations.hpp"

#include "base/text.hpp"
#include "resolve/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace sheaf::app {
namespace {

using Names = std::vector<std::string>;

Result<Names> stack_of(const catalogue::Catalogue& catalogue, const std::string& base, const Names& layers) {
  resolve::Selection selection;
  selection.base = base;
  for (const auto& layer : layers) {
    selection.wanted.push_back({layer, ""});
  }
  SHEAF_TRY_ASSIGN(const auto stack, resolve::resolve(catalogue, selection));
  Names names;
  for (const auto& entry : stack.entries) {
    names.push_back(entry.layer->name);
  }
  return names;
}

/// How many selections of at most `most` of `count` things there are; stops counting above k_most_combinations.
std::size_t count_selections(std::size_t count, std::size_t most) {
  std::size_t total = 0;
  std::size_t of_size = 1; // binomial coefficient
  for (std::size_t size = 0; size <= std::min(count, most) && total <= k_most_combinations; ++size) {
    total += of_size;
    of_size = of_size * (count - size) / (size + 1);
  }
  return total;
}

/// All selections of exactly `size` of `layers`, in the order of their words.
std::vector<Names> selections_of(const Names& layers, std::size_t size) {
  std::vector<Names> all;
  std::vector<bool> chosen(layers.size(), false);
  std::fill_n(chosen.begin(), size, true);
  do {
    auto& names = all.emplace_back();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (chosen[i]) {
        names.push_back(layers[i]);
      }
    }
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  return all;
}

} // namespace

Result<Combinations> combine(const catalogue::Catalogue& catalogue, const std::string& base, Names layers,
                             std::size_t most) {
  std::erase(layers, base); // part of every selection
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  if (count_selections(layers.size(), most) > k_most_combinations) {
    return Error(ErrorCode::invalid,
                 fmt::format("{} layers have more than {} combinations", layers.size(), k_most_combinations))
        .with_hint("name fewer layers, or take '--combinations pairs'");
  }
  Combinations result;
  std::set<Names> known;
  for (std::size_t size = 0; size <= std::min(layers.size(), most); ++size) {
    for (auto& names : selections_of(layers, size)) {
      auto stack = stack_of(catalogue, base, names);
      if (!stack && size < 2) {
        return std::move(stack).error();
      }
      if (!stack) {
        result.impossible.push_back(fmt::format("{}: {}", joined(names, ", "), stack.error().summary()));
      } else if (known.insert(std::move(*stack)).second) {
        result.selections.push_back(std::move(names));
      }
    }
  }
  return result;
}

} // namespace sheaf::app
