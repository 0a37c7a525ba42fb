// SPDX-License-Identifier: Apache-2.0
#include "builder/composer.hpp"

#include "base/text.hpp"
#include "builder/generated_files.hpp"
#include "builder/join_tree.hpp"
#include "join/driver.hpp"
#include "os/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace sheaf::builder {
namespace {

using store::StoredLayer;

/// Everything that decides the join layer: the base and the layers, by content and in canonical order.
Digest join_key(const std::vector<StoredLayer>& layers) {
  Sha256 hash;
  hash.field("sheaf-join 3");
  for (const auto& layer : layers) {
    hash.field(layer.record.name).field(layer.record.content_key.hex());
    for (const auto& need : layer.record.needs) {
      hash.field(need);
    }
    hash.field("replaces");
    for (const auto& replaced : layer.record.replaces) {
      hash.field(replaced);
    }
  }
  return hash.finish();
}

/// Bottom first. Two layers of one content share a tree, which overlayfs takes once only.
std::vector<std::string> trees_of(const std::vector<StoredLayer>& layers) {
  std::vector<std::string> trees;
  for (const auto& layer : layers) {
    if (std::ranges::find(trees, layer.tree()) == trees.end()) {
      trees.push_back(layer.tree());
    }
  }
  return trees;
}

std::string describe(const std::vector<StoredLayer>& layers) {
  nlohmann::json names = nlohmann::json::array();
  for (const auto& layer : layers) {
    names.push_back({{"name", layer.record.name}, {"content_key", layer.record.content_key.to_string()}});
  }
  return nlohmann::json{{"version", 1}, {"layers", names}}.dump(2) + "\n";
}

Result<void> write_findings(const JoinFindings& findings, JoinTree& tree) {
  for (const auto& fix : findings.fixes) {
    SHEAF_TRY(tree.add_directory(fix.wanted));
  }
  // etc/group comes before the files whose group it names: the map is sorted, and those are new in a layer.
  for (const auto& [path, content] : findings.files) {
    const auto* driver = join::driver_for(path);
    SHEAF_TRY(tree.add_file(path, content, driver != nullptr ? driver->attributes(path) : join::FileAttributes()));
  }
  for (const auto& [path, link] : findings.links) {
    SHEAF_TRY(tree.add_link(path, link));
  }
  return tree.finish();
}

} // namespace

Result<Composition> Composer::compose(const std::vector<StoredLayer>& layers, std::stop_token stop) {
  Composition composition;
  composition.lowers = trees_of(layers);
  if (layers.size() < 2) {
    return composition;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto key = join_key(layers);
  if (auto found = m_store.find_join(key)) {
    composition.join = std::move(*found);
    composition.reused = true;
  } else {
    SHEAF_TRY_ASSIGN(auto findings, examine_join(layers));
    if (!findings.conflicts.empty()) {
      composition.conflicts = std::move(findings.conflicts);
      return composition;
    }
    SHEAF_TRY_ASSIGN(composition.join, make_join(layers, findings, key, stop));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    m_events.emit({EventKind::end, "join", fmt::format("{} layers joined", layers.size()), 0, 0, took.count()});
  }
  composition.lowers.push_back(composition.join + "/tree");
  return composition;
}

Result<std::string> Composer::make_join(const std::vector<StoredLayer>& layers, const JoinFindings& findings,
                                        const Digest& key, std::stop_token stop) {
  SHEAF_TRY_ASSIGN(auto staging, m_store.stage());
  SHEAF_TRY_ASSIGN(const auto below, layer::ParentView::open(trees_of(layers)));
  const auto path = staging.file("join/tree");
  SHEAF_TRY(os::make_directories(path));
  JoinTree tree(path, below, layers.front().record.epoch);
  SHEAF_TRY(write_findings(findings, tree));
  const GeneratorInput input{
      layers, {findings.inventories.begin(), findings.inventories.end()}, findings.files, trees_of(layers), path};
  SHEAF_TRY(add_generated_files(input, {m_store, staging, m_runtime, m_events}, stop));
  SHEAF_TRY(os::write_file(staging.file("join/join.json"), describe(layers)));
  return m_store.commit_join(staging.file("join"), key);
}

} // namespace sheaf::builder
