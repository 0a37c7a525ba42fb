// SPDX-License-Identifier: Apache-2.0
#include "app/diff_layers.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"
#include "join/facts.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "sbom/tree_stack.hpp"

namespace sheaf::app {
namespace {

constexpr std::size_t k_least_digits = 8;

Result<store::StoredLayer> find_by_content(const std::string& text, store::Store& store) {
  SHEAF_TRY_ASSIGN(auto layers, store.all());
  std::erase_if(layers, [&text](const auto& layer) { return !layer.record.content_key.hex().starts_with(text); });
  if (layers.size() > 1) {
    return Error(ErrorCode::invalid, fmt::format("several layers have content keys that begin with '{}'", text))
        .with_hint("write more digits");
  }
  if (layers.empty()) {
    return Error(ErrorCode::not_found, fmt::format("no layer has the content '{}'", text));
  }
  return std::move(layers.front());
}

bool is_beginning_of_key(const std::string& text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() >= k_least_digits && std::ranges::all_of(text, is_hex);
}

/// "name:architecture" to version, of the packages that the layer installed or changed; a base has them in its tree.
Result<std::map<std::string, std::string>> packages_in_facts(const store::StoredLayer& layer) {
  SHEAF_TRY_ASSIGN(const auto text, os::read_file(layer.facts()));
  SHEAF_TRY_ASSIGN(const auto facts, join::parse_facts(text).context(fmt::format("reading '{}'", layer.facts())));
  std::map<std::string, std::string> versions;
  constexpr std::string_view k_version = "Version: ";
  for (const auto& change : facts.changes) {
    if (change.file != "var/lib/dpkg/status" || !change.after) {
      continue;
    }
    for (const auto line : lines_of(*change.after)) {
      if (line.starts_with(k_version)) {
        versions[change.key] = line.substr(k_version.size());
      }
    }
  }
  return versions;
}

Result<std::vector<sbom::PackageChange>> changed_packages(const store::StoredLayer& before,
                                                          const store::StoredLayer& after) {
  SHEAF_TRY_ASSIGN(const auto old, packages_in_facts(before));
  SHEAF_TRY_ASSIGN(const auto now, packages_in_facts(after));
  std::set<std::string> names;
  for (const auto* versions : {&old, &now}) {
    for (const auto& [name, version] : *versions) {
      names.insert(name);
    }
  }
  const auto version_in = [](const auto& versions, const std::string& name) {
    const auto found = versions.find(name);
    return found != versions.end() ? std::optional(found->second) : std::nullopt;
  };
  std::vector<sbom::PackageChange> changes;
  for (const auto& name : names) {
    const auto colon = name.rfind(':');
    sbom::PackageChange change{sbom::PackageType::deb, name.substr(0, colon),
                               colon != std::string::npos ? name.substr(colon + 1) : "", version_in(old, name),
                               version_in(now, name)};
    if (change.before != change.after) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

} // namespace

Result<store::StoredLayer> find_build(const std::string& text, store::Store& store) {
  const auto tilde = text.find('~');
  const auto name = text.substr(0, tilde);
  const auto back = tilde == std::string::npos ? std::optional<std::size_t>(0)
                    : tilde + 1 == text.size() ? std::optional<std::size_t>(1)
                                               : to_number<std::size_t>(text.substr(tilde + 1));
  if (!back) {
    return Error(ErrorCode::invalid, fmt::format("'{}' names no build", text))
        .with_hint("write NAME, or NAME~1 for the one before");
  }
  SHEAF_TRY_ASSIGN(auto builds, store.history(name));
  if (*back < builds.size()) {
    return std::move(builds[*back]);
  }
  if (!builds.empty()) {
    return Error(
        ErrorCode::not_found,
        fmt::format("there {} of '{}' here",
                    builds.size() == 1 ? "is only one build" : fmt::format("are only {} builds", builds.size()), name));
  }
  auto key = text.starts_with("sha256:") ? text.substr(7) : text;
  if (is_beginning_of_key(key)) {
    return find_by_content(key, store);
  }
  SHEAF_TRY_ASSIGN(const auto newest, store.newest());
  std::vector<std::string> names;
  names.reserve(newest.size());
  for (const auto& layer : newest) {
    names.push_back(layer.record.name);
  }
  const auto near = did_you_mean(name, names);
  return Error(ErrorCode::not_found, fmt::format("no layer '{}' was built here", text))
      .with_hint(near.empty() ? "a layer that is damaged counts as missing: 'sheaf fsck' looks for damage" : near);
}

Result<LayerDiff> diff_layers(const store::StoredLayer& before, const store::StoredLayer& after) {
  const auto doing = fmt::format("comparing {} and {}", before.record.name, after.record.name);
  LayerDiff diff{before.record, after.record, {}, {}};
  const auto then = ingredients_of(before.record);
  const auto now = ingredients_of(after.record);
  diff.changes = own_changes(then, now);
  std::ranges::copy(parent_changes(then, now), std::back_inserter(diff.changes));
  SHEAF_TRY_ASSIGN(const auto one, sbom::TreeStack::open({before.tree()}).context(doing));
  SHEAF_TRY_ASSIGN(const auto two, sbom::TreeStack::open({after.tree()}).context(doing));
  SHEAF_TRY_ASSIGN(diff.contents, sbom::diff_images(one, two).context(doing));
  SHEAF_TRY_ASSIGN(auto packages, changed_packages(before, after).context(doing));
  packages.insert(packages.end(), diff.contents.packages.begin(), diff.contents.packages.end());
  diff.contents.packages = std::move(packages);
  return diff;
}

} // namespace sheaf::app
