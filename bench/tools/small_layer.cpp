// SPDX-License-Identifier: Apache-2.0
#include "small_layer.hpp"

#include "join/facts.hpp"
#include "layer/capture.hpp"
#include "os/file.hpp"
#include "plan/layer_plan.hpp"

#include <fmt/format.h>

#include <ctime>

namespace sheaf::bench {
namespace {

constexpr std::int64_t k_epoch = 1'700'000'000;

/// Three files of its own and one that all these layers have in another version.
Result<void> write_tree(const std::string& tree, int number) {
  const auto own = fmt::format("{}/opt/small-{}", tree, number);
  SHEAF_TRY(os::make_directories(own + "/bin"));
  SHEAF_TRY(os::make_directories(tree + "/usr/share/small"));
  SHEAF_TRY(os::write_file(own + "/bin/tool", fmt::format("#!/bin/sh\necho {}\n", number)));
  SHEAF_TRY(os::write_file(own + "/notes", std::string(2000, 'n') + std::to_string(number)));
  SHEAF_TRY(os::write_file(own + "/version", std::to_string(number)));
  return os::write_file(fmt::format("{}/usr/share/small/{}", tree, number), "here\n");
}

RecipeKey key_of(const store::LayerRecord& record) {
  plan::LayerPlan plan;
  plan.inputs = record.inputs;
  plan.closure = record.needs;
  std::map<std::string, ContentKey> contents;
  for (const auto& name : record.needs) {
    contents[name] = ContentKey{Digest::parse(record.base).value()};
  }
  return plan::recipe_key(plan, contents);
}

} // namespace

Result<store::LayerRecord> make_small_layer(const store::Staging& staging,
                                            const std::optional<store::StoredLayer>& base, int number) {
  const auto folder = staging.file("layer");
  SHEAF_TRY(write_tree(folder + "/tree", number));
  store::LayerRecord record;
  record.name = fmt::format("small-{}", number);
  record.kind = base ? "tool" : "base";
  record.epoch = base ? base->record.epoch : k_epoch;
  std::vector<std::string> lowers;
  if (base) {
    record.needs = {base->record.name};
    record.base = base->record.content_key.hex();
    lowers = {base->tree()};
  }
  SHEAF_TRY_ASSIGN(const auto parent, layer::ParentView::open(lowers));
  layer::CaptureOptions options;
  options.epoch = record.epoch;
  SHEAF_TRY_ASSIGN(const auto captured, layer::capture(folder + "/tree", parent, options));
  const auto inventory = layer::serialise(captured.inventory);
  const auto facts = join::serialise({});
  SHEAF_TRY(os::write_file(folder + "/inventory", inventory));
  SHEAF_TRY(os::write_file(folder + "/facts", facts));
  record.content_key.digest =
      Sha256().field("sheaf-content 1").field(inventory).field(facts).field(store::serialise(record.config)).finish();
  record.bytes = captured.inventory.total_bytes();
  record.files = captured.inventory.entries.size();
  record.created = std::time(nullptr);
  record.dropped.emplace();
  return with_other_recipe(std::move(record), number);
}

store::LayerRecord with_other_recipe(store::LayerRecord record, int number) {
  record.inputs = {{"name", record.name}, {"instructions", Digest::of(std::to_string(number)).hex()}};
  record.recipe_key = key_of(record);
  return record;
}

} // namespace sheaf::bench
