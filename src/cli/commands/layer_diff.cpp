// SPDX-License-Identifier: Apache-2.0
#include "app/diff_layers.hpp"
#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/layer_change_json.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"
#include "ui/date.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

constexpr std::array k_options = {k_json_option};
constexpr std::array<std::string_view, 2> k_examples = {"sheaf layer diff codex~1 codex",
                                                        "sheaf layer diff 9f0c2a7e51b3 base --json"};

std::string line_of(std::string_view sign, const store::LayerRecord& record) {
  return fmt::format("{} {}  {}  built {}, {} in {} files\n", sign, record.name, record.content_key.short_hex(),
                     ui::date(record.created), human_bytes(record.bytes), record.files);
}

std::string as_text(const app::LayerDiff& diff) {
  auto text = line_of("-", diff.before) + line_of("+", diff.after);
  if (diff.before.content_key == diff.after.content_key) {
    return text + "\nthe content is the same\n";
  }
  for (const auto& change : diff.changes) {
    text += fmt::format("  {}\n", app::describe(change));
  }
  return text + "\n" + sbom::diff_text(diff.contents);
}

std::string as_json(const app::LayerDiff& diff) {
  const auto record = [](const store::LayerRecord& one) {
    return Json{{"name", one.name},
                {"content_key", one.content_key.to_string()},
                {"recipe_key", one.recipe_key.to_string()},
                {"created", one.created},
                {"bytes", one.bytes},
                {"files", one.files}};
  };
  auto json = Json::parse(sbom::diff_json(diff.contents));
  json["before"] = record(diff.before);
  json["after"] = record(diff.after);
  json["changes"] = to_json(diff.changes);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> layer_diff(Invocation& invocation) {
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  SHEAF_TRY_ASSIGN(const auto before, app::find_build(invocation.operands[0], store));
  SHEAF_TRY_ASSIGN(const auto after, app::find_build(invocation.operands[1], store));
  SHEAF_TRY_ASSIGN(const auto diff, app::diff_layers(before, after));
  Invocation::print(invocation.json() ? as_json(diff) : as_text(diff));
  return 0;
}

} // namespace

const Command k_layer_diff = {
    "layer diff",
    "show what differs between two builds of a layer",
    "Compares what two builds brought: packages, files with their sizes, and which inputs made them differ. A build is "
    "named by its layer (the newest one), as NAME~1 (the one before it), or by the beginning of its content key.",
    {"OLD NEW", 2, 2},
    k_options,
    k_examples,
    layer_diff};

} // namespace sheaf::cli
