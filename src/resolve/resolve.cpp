// SPDX-License-Identifier: Apache-2.0
#include "resolve/resolve.hpp"

#include "base/assert.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "catalogue/cycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace sheaf::resolve {
namespace {

using catalogue::Catalogue;
using catalogue::Dependencies;
using catalogue::Kind;
using catalogue::LayerDefinition;

/// A layer on its way into the stack. Sets, so that the order of the input leaves no trace.
struct Chosen {
  const LayerDefinition* layer = nullptr;
  std::set<std::string> asked;
  std::set<std::string> needed_by;

  std::string reason() const {
    const std::vector<std::string> asked_for(asked.begin(), asked.end());
    const std::vector<std::string> needing(needed_by.begin(), needed_by.end());
    if (!asked_for.empty()) {
      return joined(asked_for, "; ");
    }
    return needing.empty() ? "the base" : "needed by " + joined(needing, ", ");
  }
};

using ChosenLayers = std::map<std::string, Chosen, std::less<>>;

/// The error for the set of names that are in no catalogue: the first by name, so that it does not depend on order.
Error unknown_layer(const Catalogue& catalogue, std::string_view name, std::string_view reason) {
  auto hint = did_you_mean(name, catalogue.names());
  if (hint.empty()) {
    hint = "'sheaf layer list' shows all layers";
  }
  return Error(ErrorCode::not_found, fmt::format("unknown layer '{}' ({})", name, reason)).with_hint(std::move(hint));
}

Result<const LayerDefinition*> find_base(const Catalogue& catalogue, const std::string& name) {
  const auto* base = catalogue.find(name);
  if (base == nullptr) {
    return unknown_layer(catalogue, name, "the base");
  }
  if (base->kind != Kind::base) {
    return Error(ErrorCode::invalid, fmt::format("'{}' cannot be the base: it is a {}", name, to_string(base->kind)));
  }
  return base;
}

/// All wanted layers and what they need, transitively.
Result<ChosenLayers> close_over_needs(const Catalogue& catalogue, const Selection& selection) {
  ChosenLayers chosen;
  std::set<std::string> open;
  for (const auto& wanted : selection.wanted) {
    chosen[wanted.layer].asked.insert(wanted.reason);
    open.insert(wanted.layer);
  }
  while (!open.empty()) {
    const auto name = std::move(open.extract(open.begin()).value());
    auto& entry = chosen[name];
    entry.layer = catalogue.find(name);
    if (entry.layer == nullptr) {
      return unknown_layer(catalogue, name, entry.reason());
    }
    for (const auto& need : entry.layer->needs) {
      auto& needed = chosen[need];
      needed.needed_by.insert(name);
      if (needed.layer == nullptr) {
        open.insert(need);
      }
    }
  }
  return chosen;
}

Result<void> check_bases(const ChosenLayers& chosen, const std::string& base) {
  for (const auto& [name, entry] : chosen) {
    if (entry.layer->kind == Kind::base && name != base) {
      return Error(ErrorCode::invalid,
                   fmt::format("'{}' ({}) is a base, but the base is '{}'", name, entry.reason(), base))
          .with_hint(fmt::format("choose it with '--base {}'", name));
    }
  }
  return {};
}

Result<void> check_conflicts(const ChosenLayers& chosen) {
  for (const auto& [name, entry] : chosen) {
    for (const auto& other : entry.layer->conflicts) {
      if (const auto found = chosen.find(other); found != chosen.end()) {
        return Error(ErrorCode::invalid, fmt::format("layer '{}' ({}) conflicts with '{}' ({})", name, entry.reason(),
                                                     other, found->second.reason()))
            .with_hint("leave one of them out");
      }
    }
  }
  return {};
}

/// For each chosen layer but the base, the chosen layers it comes behind.
Dependencies order_constraints(const ChosenLayers& chosen, const std::string& base) {
  Dependencies before;
  for (const auto& [name, entry] : chosen) {
    if (name == base) {
      continue;
    }
    auto& names = before[name];
    // What replaces another layer's files has to be mounted above it.
    for (const auto* list : {&entry.layer->needs, &entry.layer->after, &entry.layer->replaces}) {
      std::copy_if(list->begin(), list->end(), std::back_inserter(names),
                   [&](const std::string& other) { return other != base && chosen.contains(other); });
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  return before;
}

/// Names in canonical order; `before` has no cycle.
std::vector<std::string> sort_canonically(const ChosenLayers& chosen, const Dependencies& before) {
  using Rank = std::pair<Kind, std::string>;
  const auto rank = [&](const std::string& name) { return Rank(chosen.find(name)->second.layer->kind, name); };
  std::map<std::string, std::vector<std::string>> behind;
  std::map<std::string, std::size_t> waits_for;
  std::set<Rank> ready;
  for (const auto& [name, names] : before) {
    waits_for[name] = names.size();
    if (names.empty()) {
      ready.insert(rank(name));
    }
    for (const auto& other : names) {
      behind[other].push_back(name);
    }
  }
  std::vector<std::string> order;
  while (!ready.empty()) {
    const auto name = std::move(ready.extract(ready.begin()).value().second);
    for (const auto& next : behind[name]) {
      if (--waits_for[next] == 0) {
        ready.insert(rank(next));
      }
    }
    order.push_back(name);
  }
  SHEAF_ASSERT(order.size() == before.size());
  return order;
}

StackEntry make_entry(const Chosen& chosen, const std::string& base) {
  StackEntry entry{chosen.layer, chosen.layer->needs, chosen.reason()};
  std::erase(entry.needs, base);
  std::sort(entry.needs.begin(), entry.needs.end());
  return entry;
}

} // namespace

std::vector<std::string> closure_of(const Stack& stack, const StackEntry& entry) {
  const auto& base = stack.entries.front().layer->name;
  std::set<std::string> wanted(entry.needs.begin(), entry.needs.end());
  ChosenLayers members;
  std::map<std::string, const StackEntry*> entries;
  // Needs come before what needs them, so one pass from the back closes the set.
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot compile std::views::reverse
  for (auto other = stack.entries.rbegin(); other != stack.entries.rend(); ++other) {
    const auto& name = other->layer->name;
    if (name != base && other->layer != entry.layer && wanted.contains(name)) {
      wanted.insert(other->needs.begin(), other->needs.end());
      members[name].layer = other->layer;
      entries[name] = &*other;
    }
  }
  auto before = order_constraints(members, base);
  for (auto& [name, names] : before) { // an edge counts as a need
    for (const auto& need : entries[name]->needs) {
      if (std::ranges::find(names, need) == names.end()) {
        names.push_back(need);
      }
    }
  }
  std::vector<std::string> closure = {base};
  std::ranges::move(sort_canonically(members, before), std::back_inserter(closure));
  return closure;
}

Stack with_edges(Stack stack, const std::vector<Edge>& edges) {
  for (auto& entry : stack.entries) {
    for (const auto& edge : edges) {
      if (edge.later == entry.layer->name && std::ranges::find(entry.needs, edge.earlier) == entry.needs.end()) {
        entry.needs.push_back(edge.earlier);
        entry.reason += fmt::format("; on top of '{}': {}", edge.earlier, edge.reason);
      }
    }
    std::ranges::sort(entry.needs);
  }
  return stack;
}

Result<Stack> resolve(const Catalogue& catalogue, const Selection& selection) {
  SHEAF_TRY_ASSIGN(const auto* base, find_base(catalogue, selection.base));
  SHEAF_TRY_ASSIGN(auto chosen, close_over_needs(catalogue, selection));
  SHEAF_TRY(check_bases(chosen, base->name));
  SHEAF_TRY(check_conflicts(chosen));
  const auto before = order_constraints(chosen, base->name);
  if (const auto cycle = catalogue::find_cycle(before); !cycle.empty()) {
    return Error(ErrorCode::invalid, "layers wait for each other: " + catalogue::render_cycle(cycle))
        .with_hint(fmt::format("look at 'needs', 'after' and 'replaces' of '{}'", cycle.front()));
  }
  auto& bottom = chosen[base->name]; // nobody has to ask for the base, or need it
  bottom.layer = base;
  bottom.needed_by.clear();
  Stack stack;
  stack.entries.push_back(make_entry(bottom, base->name));
  for (const auto& name : sort_canonically(chosen, before)) {
    stack.entries.push_back(make_entry(chosen.find(name)->second, base->name));
  }
  return stack;
}

} // namespace sheaf::resolve
