// SPDX-License-Identifier: Apache-2.0
#include "app/layer_changes.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sheaf::app {
namespace {

using Words = std::map<std::string, std::string>;

std::string value_in(const Words& words, const std::string& name) {
  const auto found = words.find(name);
  return found != words.end() ? found->second : std::string();
}

void compare(const std::string& input, const Words& before, const Words& now, std::vector<LayerChange>& changes) {
  std::set<std::string> names;
  for (const auto* words : {&before, &now}) {
    for (const auto& [name, value] : *words) {
      names.insert(name);
    }
  }
  for (const auto& name : names) {
    if (before.contains(name) != now.contains(name) || value_in(before, name) != value_in(now, name)) {
      changes.push_back({input, name, value_in(before, name), value_in(now, name)});
    }
  }
}

using Instructions = std::vector<store::Recipe::Instruction>;

/// Those of `these` that `others` have not, one for one.
Instructions only_in(const Instructions& these, const Instructions& others) {
  Instructions rest;
  std::multiset<std::string> known;
  for (const auto& other : others) {
    known.insert(other.digest);
  }
  for (const auto& one : these) {
    if (const auto found = known.find(one.digest); found != known.end()) {
      known.erase(found);
    } else {
      rest.push_back(one);
    }
  }
  return rest;
}

/// Instructions whose text is as it was are told only where no argument or variable explains them.
void compare_instructions(const Instructions& before, const Instructions& now, std::vector<LayerChange>& changes) {
  const bool is_explained = !changes.empty();
  auto gone = only_in(before, now);
  for (const auto& added : only_in(now, before)) {
    const auto same = std::ranges::find(gone, added.text, &store::Recipe::Instruction::text);
    if (same == gone.end()) {
      changes.push_back({"instruction", "", "", added.text});
      continue;
    }
    gone.erase(same);
    if (!is_explained) {
      changes.push_back({"instruction", "its variables, user or folder", added.text, added.text});
    }
  }
  for (const auto& removed : gone) {
    changes.push_back({"instruction", "", removed.text, ""});
  }
}

constexpr std::size_t k_digest_shown = 19; // "sha256:" and twelve digits

std::string shown(const std::string& value) {
  constexpr std::size_t k_longest = 100;
  if (value.starts_with("sha256:")) {
    return value.substr(0, k_digest_shown);
  }
  return value.size() > k_longest ? printable(value.substr(0, k_longest), Colours::dropped) + "…"
                                  : printable(value, Colours::dropped);
}

bool is_digest(const std::string& input) { return input == "file" || input == "parent"; }

/// These are told piece by piece where the record has the pieces.
bool is_detailed(const std::string& input) { return input == "instructions" || input == "files" || input == "config"; }

} // namespace

Ingredients ingredients_of(const store::LayerRecord& record) {
  return {record.inputs, record.recipe.value_or(store::Recipe()), record.config};
}

std::vector<LayerChange> own_changes(const Ingredients& before, const Ingredients& now) {
  std::vector<LayerChange> changes;
  const bool has_pieces = !before.recipe.needs.empty() || !before.recipe.instructions.empty();
  if (has_pieces) {
    compare("argument", before.recipe.arguments, now.recipe.arguments, changes);
    compare("variable", before.config.environment, now.config.environment, changes);
    compare("label", before.config.labels, now.config.labels, changes);
    compare_instructions(before.recipe.instructions, now.recipe.instructions, changes);
    compare("file", before.recipe.files, now.recipe.files, changes);
  }
  std::vector<LayerChange> inputs;
  compare("", before.inputs, now.inputs, inputs);
  for (const auto& change : inputs) {
    if (!is_detailed(change.name)) {
      changes.push_back({change.name, "", change.before, change.after});
    }
  }
  for (const auto& change : inputs) {
    if (is_detailed(change.name) && changes.empty()) {
      changes.push_back({change.name, "", "", ""});
    }
  }
  return inputs.empty() ? std::vector<LayerChange>() : changes; // an argument that nothing uses changes nothing
}

std::vector<LayerChange> parent_changes(const Ingredients& before, const Ingredients& now) {
  std::vector<LayerChange> changes;
  compare("parent", before.recipe.needs, now.recipe.needs, changes);
  return changes;
}

std::string describe(const LayerChange& change) {
  const auto subject = change.name.empty() ? change.input : fmt::format("{} {}", change.input, change.name);
  if (change.input == "instruction" && !change.name.empty()) {
    return fmt::format("instruction '{}': {} changed", shown(change.after), change.name);
  }
  if (is_digest(change.input) && !change.before.empty() && !change.after.empty()) {
    return fmt::format("{} '{}' changed", change.input, change.name);
  }
  if (change.before.empty() && change.after.empty()) {
    return subject + " changed";
  }
  if (change.before.empty()) {
    return is_digest(change.input) ? fmt::format("new {} '{}'", change.input, change.name)
                                   : fmt::format("new {}: {}", subject, shown(change.after));
  }
  if (change.after.empty()) {
    return is_digest(change.input) ? fmt::format("no {} '{}' any more", change.input, change.name)
                                   : fmt::format("no {} any more: {}", subject, shown(change.before));
  }
  return fmt::format("{}: {} -> {}", subject, shown(change.before), shown(change.after));
}

std::string summary(const std::vector<LayerChange>& changes) {
  if (changes.empty()) {
    return "";
  }
  const auto more = changes.size() - 1;
  return describe(changes.front()) + (more > 0 ? fmt::format(", and {} more", more) : std::string());
}

} // namespace sheaf::app
