// SPDX-License-Identifier: Apache-2.0
#include "app/verify.hpp"

#include "base/text.hpp"
#include "cli/commands/all.hpp"
#include "cli/selection_options.hpp"
#include "cli/session.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace sheaf::cli {
namespace {

using Json = nlohmann::json;

/// As "something is missing" of `sheaf doctor`: what was looked at is not as it should be.
constexpr int k_not_so = 1;
/// Explained differences of one class that are listed; all of them with --verbose or --json.
constexpr std::size_t k_most_listed = 10;

constexpr std::array k_options = {
    Option{"equivalence", 0, "", "compare the joined layers with a sequential build of the same stack"},
    Option{"rebuild", 0, "", "build the named layers again and compare"},
    Option{"all", 0, "", "with --rebuild: every layer that fits the base"},
    k_directory_option,
    k_agents_option,
    k_layers_option,
    k_base_option,
    k_jobs_option,
    k_json_option};
constexpr std::array<std::string_view, 3> k_examples = {
    "sheaf verify --equivalence --layers python,node", "sheaf verify --rebuild python", "sheaf verify --rebuild --all"};

std::string dumped(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json or_null(const std::optional<std::size_t>& number) { return number ? Json(*number) : Json(nullptr); }
Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json as_json(const app::Equivalence& result) {
  Json differences = Json::array();
  for (const auto& difference : result.comparison.differences) {
    differences.push_back({{"path", difference.path},
                           {"class", layer::to_string(difference.kind)},
                           {"what", difference.what},
                           {"reason", or_null(difference.reason)},
                           {"detail", or_null(difference.detail)}});
  }
  Json packages = Json::array();
  for (const auto& difference : result.package_differences) {
    packages.push_back({{"package", difference.package}, {"only_in", difference.side}});
  }
  return {{"layers", result.layers},
          {"paths", result.comparison.paths},
          {"files_read", result.comparison.files_read},
          {"unexplained", result.unexplained()},
          {"differences", differences},
          {"packages",
           {{"joined", or_null(result.joined_packages)},
            {"sequential", or_null(result.sequential_packages)},
            {"differences", packages}}},
          {"sequential_ms", result.sequential_ms},
          {"compare_ms", result.compare_ms}};
}

std::string class_lines(const app::Equivalence& result, bool all) {
  std::map<layer::DifferenceClass, std::vector<const layer::Difference*>> classes;
  for (const auto& difference : result.comparison.differences) {
    classes[difference.kind].push_back(&difference);
  }
  std::string text;
  for (const auto& [kind, differences] : classes) {
    text += fmt::format("{}: {}\n", layer::to_string(kind), differences.size());
    const bool explained = layer::is_explained(kind);
    const auto most = all || !explained ? differences.size() : std::min(differences.size(), k_most_listed);
    for (std::size_t i = 0; i < most; ++i) {
      const auto& one = *differences[i];
      text += fmt::format("  /{}: {}{}{}\n", one.path, one.what, explained ? " — " + one.reason : "",
                          !explained && !one.detail.empty() ? "\n    " + one.detail : "");
    }
    if (most < differences.size()) {
      text += fmt::format("  … and {} more; --verbose lists them\n", differences.size() - most);
    }
  }
  return text;
}

std::string as_text(const app::Equivalence& result, bool all) {
  std::string text = fmt::format("layers: {}\n", joined(result.layers, " "));
  text += fmt::format("paths: {} compared, {} files read, in {}; the sequential build took {}\n",
                      result.comparison.paths, result.comparison.files_read, human_milliseconds(result.compare_ms),
                      human_milliseconds(result.sequential_ms));
  if (result.joined_packages || result.sequential_packages) {
    const bool same = result.package_differences.empty();
    text += fmt::format("packages: {} {} {}\n", result.joined_packages.value_or(0), same ? "=" : "differ from",
                        result.sequential_packages.value_or(0));
    for (const auto& difference : result.package_differences) {
      text += fmt::format("  only in the {} root: {}\n", difference.side, difference.package);
    }
  }
  text += class_lines(result, all);
  return text + (result.unexplained() == 0 ? std::string("equivalent: no unexplained difference\n")
                                           : fmt::format("NOT equivalent: {} unexplained {}\n", result.unexplained(),
                                                         result.unexplained() == 1 ? "difference" : "differences"));
}

std::string step_text(const app::RebuiltLayer& layer, const builder::BuildDifference& difference) {
  if (!difference.step) {
    return "written by no step";
  }
  return fmt::format("written by step {} of {} ({})", *difference.step + 1, layer.steps.size(),
                     layer.steps.at(*difference.step));
}

std::string name_of(const builder::BuildDifference& difference) {
  if (difference.path.empty()) {
    return difference.what;
  }
  return difference.key.empty() ? fmt::format("/{}: {}", difference.path, difference.what)
                                : fmt::format("/{}, record '{}': {}", difference.path, difference.key, difference.what);
}

Json as_json(const std::vector<app::RebuiltLayer>& layers) {
  Json list = Json::array();
  for (const auto& layer : layers) {
    Json differences = Json::array();
    for (const auto& difference : layer.differences) {
      differences.push_back(
          {{"path", or_null(difference.path)},
           {"record", or_null(difference.key)},
           {"what", difference.what},
           {"step", difference.step ? Json(*difference.step + 1) : Json(nullptr)},
           {"instruction", difference.step ? Json(layer.steps.at(*difference.step)) : Json(nullptr)}});
    }
    list.push_back({{"name", layer.name},
                    {"identical", layer.identical()},
                    {"content_key", layer.content_key},
                    {"rebuilt_content_key", layer.rebuilt_content_key},
                    {"paths", layer.paths},
                    {"steps", layer.steps.size()},
                    {"conditions", layer.conditions},
                    {"differences", differences},
                    {"ms", layer.milliseconds}});
  }
  return {{"layers", list}};
}

std::string as_text(const std::vector<app::RebuiltLayer>& layers, bool all) {
  std::string text;
  for (const auto& layer : layers) {
    if (layer.identical()) {
      text += fmt::format("{}: bit-identical ({}, {} paths)\n", layer.name, layer.content_key, layer.paths);
    } else {
      text +=
          fmt::format("{}: DIFFERS in {} of {} paths and facts\n", layer.name, layer.differences.size(), layer.paths);
      const auto most = all ? layer.differences.size() : std::min<std::size_t>(layer.differences.size(), 1);
      for (std::size_t i = 0; i < most; ++i) {
        text += fmt::format("  {}\n    {}\n", name_of(layer.differences[i]), step_text(layer, layer.differences[i]));
      }
      if (most < layer.differences.size()) {
        text += fmt::format("  … and {} more; --verbose lists them\n", layer.differences.size() - most);
      }
    }
    text += fmt::format("  {}\n", joined(layer.conditions, "\n  "));
  }
  return text;
}

Result<void> check_usage(const Invocation& invocation) {
  const bool equivalence = invocation.has("equivalence");
  const bool rebuild = invocation.has("rebuild");
  if (equivalence == rebuild) {
    return Error(ErrorCode::invalid, "exactly one of --equivalence and --rebuild says what to verify")
        .with_hint("sheaf verify --help");
  }
  if (equivalence && (!invocation.operands.empty() || invocation.has("all"))) {
    return Error(ErrorCode::invalid, "--equivalence takes a selection: no layer behind the options, no --all")
        .with_hint("sheaf verify --equivalence --layers a,b");
  }
  if (rebuild && invocation.operands.empty() != invocation.has("all")) {
    return Error(ErrorCode::invalid, "--rebuild needs the names of layers, or --all for every one")
        .with_hint("sheaf verify --rebuild python node");
  }
  return {};
}

Result<int> verify(Invocation& invocation) {
  SHEAF_TRY(check_usage(invocation));
  SHEAF_TRY_ASSIGN(const unsigned jobs, jobs_of(invocation));
  SHEAF_TRY_ASSIGN(auto store, open_store(invocation));
  const app::Session session{store, *invocation.events, invocation.stop(), jobs};
  const bool all = invocation.has("verbose");
  if (invocation.has("equivalence")) {
    SHEAF_TRY_ASSIGN(const auto result, app::verify_equivalence(invocation.choices(), session));
    Invocation::print(invocation.json() ? dumped(as_json(result)) : as_text(result, all));
    return result.unexplained() == 0 ? 0 : k_not_so;
  }
  SHEAF_TRY_ASSIGN(const auto layers, app::verify_rebuild(invocation.choices(), invocation.operands, session));
  Invocation::print(invocation.json() ? dumped(as_json(layers)) : as_text(layers, all));
  return std::ranges::all_of(layers, &app::RebuiltLayer::identical) ? 0 : k_not_so;
}

} // namespace

const Command k_verify = {
    "verify",
    "check that joined layers equal a sequential build, or that a layer builds the same again",
    "With --equivalence: builds the project's selection as 'up' does, and once more one layer on top of the other, and "
    "compares the two root file systems path by path and package by package. Each difference has a class and a reason; "
    "one without is unexplained. With --rebuild: builds each LAYER once more under other conditions and compares the "
    "result, which is thrown away, with the stored layer; of what differs it names the first path and the step that "
    "wrote it. Layers that are not built yet are built first. The exit status is 1 if something differs.",
    {"[LAYER…]", 0, 1000},
    k_options,
    k_examples,
    verify};

} // namespace sheaf::cli
