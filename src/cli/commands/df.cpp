// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "store/usage.hpp"
#include "ui/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf df", "sheaf df --json"};

Json to_json(const store::Usage& usage) {
  Json layers = Json::array();
  for (const auto& layer : usage.layers) {
    layers.push_back({{"name", layer.record.name},
                      {"content_key", layer.record.content_key.to_string()},
                      {"files", layer.record.files},
                      {"bytes", layer.bytes},
                      {"exclusive_bytes", layer.exclusive},
                      {"shared_bytes", layer.shared}});
  }
  Json images = Json::array();
  for (const auto& image : usage.images) {
    images.push_back({{"id", image.id.to_string()},
                      {"names", image.names},
                      {"bytes", image.bytes},
                      {"exclusive_bytes", image.exclusive},
                      {"shared_bytes", image.shared}});
  }
  Json running = Json::array();
  for (const auto& process : usage.running) {
    running.push_back(
        {{"part", process.part}, {"pid", process.pid}, {"command", process.command}, {"bytes", process.bytes}});
  }
  Json parts = Json::array();
  for (const auto& [name, part] : usage.parts) {
    parts.push_back({{"name", name}, {"entries", part.count}, {"bytes", part.bytes}});
  }
  return {{"layers", layers},
          {"images", images},
          {"running", running},
          {"parts", parts},
          {"layers_bytes", usage.layers_total},
          {"saved_bytes", usage.saved},
          {"total_bytes", usage.total}};
}

std::string to_text(const store::Usage& usage) {
  ui::Table layers({"LAYER", "CONTENT", "FILES", "ON DISK", "EXCLUSIVE", "SHARED"});
  for (const auto& layer : usage.layers) {
    layers.add({layer.record.name, layer.record.content_key.short_hex(), std::to_string(layer.record.files),
                human_bytes(layer.bytes), human_bytes(layer.exclusive), human_bytes(layer.shared)});
  }
  ui::Table images({"IMAGE", "ID", "ON DISK", "EXCLUSIVE", "SHARED"});
  for (const auto& image : usage.images) {
    images.add({image.names.empty() ? "<none>" : image.names.front(), image.id.short_hex(), human_bytes(image.bytes),
                human_bytes(image.exclusive), human_bytes(image.shared)});
  }
  ui::Table running({"RUNNING", "PID", "ON DISK"});
  for (const auto& process : usage.running) {
    running.add(
        {printable(process.command, Colours::dropped), std::to_string(process.pid), human_bytes(process.bytes)});
  }
  ui::Table parts({"PART", "ENTRIES", "ON DISK"});
  parts.add({"layers", std::to_string(usage.layers.size()), human_bytes(usage.layers_total)});
  for (const auto& [name, part] : usage.parts) {
    parts.add({name, std::to_string(part.count), human_bytes(part.bytes)});
  }
  return fmt::format("{}\n{}{}{}\n{} on disk in all, in allocated blocks; sharing files between layers saves {}\n",
                     layers.to_string(), usage.images.empty() ? "" : images.to_string() + "\n",
                     usage.running.empty() ? "" : running.to_string() + "\n", parts.to_string(),
                     human_bytes(usage.total), human_bytes(usage.saved));
}

Result<int> df(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto usage, store::measure(store).context("measuring the store"));
  for (const auto& path : store.take_damaged()) {
    invocation.events->emit({EventKind::warning, "store", fmt::format("the layer at '{}' is damaged", path)});
  }
  Invocation::print(invocation.json()
                        ? to_json(usage).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                        : to_text(usage));
  return 0;
}

} // namespace

const Command k_df = {
    "df",
    "show what the store takes on the disk",
    "Prints for every stored layer the blocks it takes, how many of them would be free without it (exclusive) and how "
    "many are in files that other layers have too (shared, by hard links); for every image how much is in trees that "
    "no "
    "other image has; what running builds and environments write; then the parts of the store and the "
    "total. Every block is counted once in the totals.",
    {"", 0, 0},
    k_options,
    k_examples,
    df};

} // namespace sheaf::cli
