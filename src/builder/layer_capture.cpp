// SPDX-License-Identifier: Apache-2.0
#include "builder/layer_capture.hpp"

#include "builder/deletions.hpp"
#include "builder/generated_filter.hpp"
#include "builder/recipe.hpp"
#include "builder/shared_state.hpp"
#include "builder/snapshot.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"

#include <ctime>
#include <utility>

namespace sheaf::builder {
namespace {

/// All that plan and closure say; nothing of what was captured.
store::LayerRecord record_of(const plan::LayerPlan& plan, const RecipeKey& key, std::int64_t epoch,
                             const std::vector<store::StoredLayer>& closure) {
  store::LayerRecord record;
  record.name = plan.name;
  record.kind = plan.kind;
  record.recipe_key = key;
  record.needs = plan.closure;
  record.replaces = plan.replaces;
  record.base = closure.empty() ? std::string() : closure.front().record.content_key.hex();
  record.config = plan.config;
  record.epoch = epoch;
  record.created = std::time(nullptr);
  record.inputs = plan.inputs;
  record.recipe = recipe_of(plan, contents_of(closure));
  return record;
}

Result<layer::Captured> capture_tree(const plan::LayerPlan& plan, const std::string& tree, std::int64_t epoch,
                                     const Composition& below, const layer::ParentView& parent) {
  layer::CaptureOptions options;
  options.epoch = epoch;
  auto trees = below.lowers;
  trees.push_back(tree);
  SHEAF_TRY_ASSIGN(auto rules, snapshot_rules(plan.steps, trees));
  rules.insert(rules.end(), plan.capture.begin(), plan.capture.end());
  options.rules = layer::CaptureRules(std::move(rules));
  GeneratedFilter generated;
  if (!below.lowers.empty()) { // a base keeps its databases: they are what facts are measured against
    options.is_shared_state = is_shared_state;
    SHEAF_TRY_ASSIGN(generated, GeneratedFilter::look(below.lowers, tree));
    options.is_generated = [&generated](const auto& path, const auto& target) { return generated.drops(path, target); };
  }
  return layer::capture(tree, parent, options);
}

void note_dropped(const plan::LayerPlan& plan, const layer::Captured& captured, store::LayerRecord& record) {
  auto& dropped = record.dropped.emplace();
  for (const auto& [path, one] : captured.dropped) {
    dropped.push_back({path, one.kind, one.entries});
  }
  if ((plan.bootstrap || plan.image) && !captured.dropped.contains("etc/machine-id")) {
    // A fresh root has none, or an empty one (mmdebstrap(1), cleanup/reproducible); what runs in it needs one.
    dropped.push_back({"etc/machine-id", "identity", 0});
  }
}

} // namespace

std::map<std::string, ContentKey> contents_of(const std::vector<store::StoredLayer>& layers) {
  std::map<std::string, ContentKey> contents;
  for (const auto& layer : layers) {
    contents.emplace(layer.record.name, layer.record.content_key);
  }
  return contents;
}

Result<store::LayerRecord> capture_layer(const plan::LayerPlan& plan, const RecipeKey& key, const std::string& folder,
                                         std::int64_t epoch, const std::vector<store::StoredLayer>& closure,
                                         const Composition& below) {
  const auto tree = folder + "/tree";
  SHEAF_TRY_ASSIGN(const auto parent, layer::ParentView::open(below.lowers));
  SHEAF_TRY_ASSIGN(const auto captured, capture_tree(plan, tree, epoch, below, parent));
  SHEAF_TRY_ASSIGN(const auto own, layer::ParentView::open({tree}));
  SHEAF_TRY_ASSIGN(const auto changes, facts_of(captured.shared_state, own, parent));
  SHEAF_TRY(check_deletions(plan, captured.inventory, changes, closure));
  const auto facts = join::serialise(changes);
  const auto inventory = layer::serialise(captured.inventory);
  SHEAF_TRY(os::write_file(folder + "/inventory", inventory));
  SHEAF_TRY(os::write_file(folder + "/facts", facts));
  auto record = record_of(plan, key, epoch, closure);
  record.content_key = store::content_key_of(plan.config, inventory, facts);
  record.bytes = captured.inventory.total_bytes();
  record.files = captured.inventory.entries.size();
  note_dropped(plan, captured, record);
  return record;
}

} // namespace sheaf::builder
