// SPDX-License-Identifier: Apache-2.0
#include "builder/shared_state.hpp"

#include "join/driver.hpp"
#include "join/extract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sheaf::builder {
namespace {

using Text = std::optional<std::string>;

Text with_link(const join::Driver& driver, Text text, const Text& target) {
  return text && target ? Text(driver.with_state_link(std::move(*text), *target)) : text;
}

/// The target of `link` as the layer shows it: its own, unless it left the parent's alone.
Result<Text> link_in(const std::string& link, const layer::ParentView& tree, const layer::ParentView& parent) {
  SHEAF_TRY_ASSIGN(const bool own, tree.has(link));
  return own ? tree.read_link(link) : parent.read_link(link);
}

} // namespace

bool is_shared_state(std::string_view path) { return join::driver_for(path) != nullptr; }

Result<Text> read_state(const layer::ParentView& root, const std::string& file) {
  SHEAF_TRY_ASSIGN(auto text, root.read(file));
  const auto* driver = join::driver_for(file);
  const auto link = driver != nullptr ? driver->state_link(file) : std::string();
  if (!text || link.empty()) {
    return text;
  }
  SHEAF_TRY_ASSIGN(const auto target, root.read_link(link));
  return with_link(*driver, std::move(text), target);
}

Result<join::Facts> facts_of(const std::map<std::string, Text>& shared_state, const layer::ParentView& tree,
                             const layer::ParentView& parent) {
  join::Facts facts;
  for (const auto& [path, text] : shared_state) {
    const auto doing = fmt::format("reading what the layer changed in '/{}'", path);
    const auto& driver = *join::driver_for(path);
    SHEAF_TRY_ASSIGN(const auto before, read_state(parent, path).context(doing));
    auto after = text;
    if (const auto link = driver.state_link(path); !link.empty()) {
      SHEAF_TRY_ASSIGN(const auto target, link_in(link, tree, parent).context(doing));
      after = with_link(driver, std::move(after), target);
    }
    SHEAF_TRY_ASSIGN(auto changes, join::extract(driver, path, before, after).context(doing));
    std::move(changes.begin(), changes.end(), std::back_inserter(facts.changes));
  }
  return facts;
}

} // namespace sheaf::builder
