// SPDX-License-Identifier: Apache-2.0
#include "app/project_plan.hpp"

#include "app/project_layer.hpp"
#include "app/stack_levels.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "resolve/agents.hpp"
#include "resolve/detection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sheaf::app {
namespace {

std::string origin_of(const Project& project, const std::string& key, std::string_view fallback) {
  const auto found = project.config.origins.find(key);
  return found != project.config.origins.end() ? found->second : std::string(fallback);
}

std::vector<std::string> evidence_for(const detect::Detection& detection, const std::string& layer) {
  std::vector<std::string> files;
  for (const auto& finding : detection.findings) {
    const bool is_new = files.empty() || files.back() != finding.file;
    if (finding.layer == layer && finding.calls && is_new) {
      files.push_back(finding.file);
    }
  }
  return files;
}

Result<resolve::Selection> select(const Project& project, const detect::Detection& detection) {
  if (project.stack) {
    return select_level(project);
  }
  resolve::Selection selection;
  selection.base = base_layer(project);
  for (const auto& layer : project.catalogue.names()) {
    const auto files = evidence_for(detection, layer);
    if (!files.empty()) {
      const auto more = files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : std::string();
      selection.wanted.push_back({layer, fmt::format("detected: {}{}", files.front(), more)});
    }
  }
  for (const auto& layer : project.config.layers.value_or(std::vector<std::string>())) {
    selection.wanted.push_back({layer, "named in " + origin_of(project, "layers", "the settings")});
  }
  SHEAF_TRY_ASSIGN(const auto agents, resolve::select_agents(project.catalogue, project.config.agents.value_or("")));
  for (const auto& agent : agents) {
    selection.wanted.push_back({agent, "agent, " + origin_of(project, "agents", "selected")});
  }
  return selection;
}

/// "image ('debian:12' is now sha256:0123456789ab, was sha256:…)"
std::string changed_image(const plan::LayerPlan& plan, const std::string& before) {
  constexpr std::size_t k_shown = 19;
  const auto was = before.empty() ? std::string() : fmt::format(", was {}", before.substr(0, k_shown));
  return fmt::format("image ('{}' is now {}{})", plan.image->name, plan.image->digest.substr(0, k_shown), was);
}

/// Which named input differs from the newest build of the same name.
std::string changed_inputs(const plan::LayerPlan& plan, const store::LayerRecord& before) {
  std::vector<std::string> changed;
  for (const auto& [name, value] : plan.inputs) {
    const auto old = before.inputs.find(name);
    if (old == before.inputs.end() || old->second != value) {
      changed.push_back(name == "image" ? changed_image(plan, old != before.inputs.end() ? old->second : "") : name);
    }
  }
  if (changed.empty()) {
    return "what it is built on changed";
  }
  return fmt::format("changed: {}", joined(changed, ", "));
}

/// Every value in `args` belongs to an argument of a layer and fits it.
Result<void> check_args(const Project& project) {
  for (const auto& [name, values] : project.config.args) {
    const auto* layer = project.catalogue.find(name);
    if (layer == nullptr) {
      return Error(ErrorCode::invalid, fmt::format("'args' names the layer '{}', which does not exist", name))
          .with_hint(did_you_mean(name, project.catalogue.names()));
    }
    std::vector<std::string> known;
    for (const auto& [arg, definition] : layer->args) {
      known.push_back(arg);
    }
    for (const auto& [arg, value] : values) {
      const auto origin = origin_of(project, fmt::format("args.{}.{}", name, arg), "the settings");
      const auto found = layer->args.find(arg);
      if (found == layer->args.end()) {
        return Error(ErrorCode::invalid, fmt::format("{}: layer '{}' has no argument '{}'", origin, name, arg))
            .with_hint(known.empty() ? "it takes none" : did_you_mean(arg, known));
      }
      if (const auto mistake = catalogue::arg_mistake(found->second, value)) {
        return Error(ErrorCode::invalid,
                     fmt::format("{}: argument '{}' of layer '{}': the value {}", origin, arg, name, *mistake));
      }
    }
  }
  return {};
}

} // namespace

std::string_view to_string(LayerState state) { return state == LayerState::reused ? "reused" : "build"; }

Result<detect::Detection> detect_project(const Project& project) {
  return detect::detect(project.root, resolve::detection_rules(project.catalogue));
}

Result<Detected> what_is_detected(const Project& project) {
  Detected detected;
  SHEAF_TRY_ASSIGN(detected.detection, detect_project(project));
  const auto named = project.config.layers.value_or(std::vector<std::string>());
  resolve::Stack called; // of what is called for itself: what that needs is no business of the files
  for (const auto& layer : project.catalogue.all()) {
    if (!evidence_for(detected.detection, layer.name).empty() || std::ranges::find(named, layer.name) != named.end()) {
      called.entries.push_back({&layer, {}, ""});
    }
  }
  std::erase_if(detected.detection.findings, [&called](const detect::Finding& finding) {
    return std::ranges::none_of(called.entries, [&](const auto& entry) { return entry.layer->name == finding.layer; });
  });
  detected.versions = resolve::choose_versions(called, detected.detection, project.config.args);
  return detected;
}

namespace {

/// Whoever asks why a layer is in the stack learns why it has another version than usual, too.
void add_reasons(resolve::Stack& stack, const std::vector<resolve::VersionChoice>& versions) {
  for (const auto& choice : versions) {
    const auto entry =
        std::ranges::find(stack.entries, choice.layer, [](const auto& candidate) { return candidate.layer->name; });
    if (choice.argument && entry != stack.entries.end()) {
      entry->reason +=
          fmt::format("; version {} for {}", *choice.argument, resolve::place(choice.asked[choice.followed]));
    }
  }
}

enum class Snippet { yes, no };

Result<void> fill(Wanted& wanted, const Project& project, const Session& session, Fetch fetch, Snippet with_snippet) {
  SHEAF_TRY_ASSIGN(wanted.stack, resolve::resolve(project.catalogue, wanted.selection));
  SHEAF_TRY(check_args(project));
  wanted.versions = resolve::choose_versions(wanted.stack, wanted.detection, project.config.args);
  wanted.args = resolve::with_versions(project.config.args, wanted.versions);
  add_reasons(wanted.stack, wanted.versions);
  SHEAF_TRY_ASSIGN(wanted.foundation, lay_foundation(project, wanted.stack, session, fetch));
  if (with_snippet == Snippet::yes && !project.stack) {
    SHEAF_TRY(add_project_layer(wanted, project));
  }
  Diagnostics diagnostics;
  wanted.plans = plan::plan_layers(wanted.stack, wanted.args, wanted.foundation, diagnostics);
  if (diagnostics.has_errors()) {
    return in_place(diagnostics, wanted).to_error("reading the Containerfiles of the stack");
  }
  wanted.warnings = in_place(diagnostics, wanted).render();
  return {};
}

} // namespace

Result<Wanted> want(const Project& project, const Session& session, Fetch fetch) {
  Wanted wanted;
  SHEAF_TRY_ASSIGN(wanted.detection, detect_project(project));
  SHEAF_TRY_ASSIGN(wanted.selection, select(project, wanted.detection));
  SHEAF_TRY(fill(wanted, project, session, fetch, Snippet::yes));
  return wanted;
}

Result<Wanted> want_layers(const Project& project, const std::vector<std::string>& names, const Session& session) {
  Wanted wanted;
  SHEAF_TRY_ASSIGN(wanted.detection, detect_project(project));
  wanted.selection.base = base_layer(project);
  for (const auto& name : names) {
    if (name != wanted.selection.base) {
      wanted.selection.wanted.push_back({name, "named on the command line"});
    }
  }
  SHEAF_TRY(fill(wanted, project, session, Fetch::yes, Snippet::no));
  return wanted;
}

Result<std::vector<plan::LayerPlan>> plan_stack(const plan::ArgValues& args, const resolve::Stack& stack,
                                                const plan::Foundation& foundation) {
  Diagnostics diagnostics;
  auto plans = plan::plan_layers(stack, args, foundation, diagnostics);
  if (diagnostics.has_errors()) {
    return diagnostics.to_error("reading the Containerfiles of the stack");
  }
  return plans;
}

std::vector<std::string> version_warnings(const detect::Detection& detection,
                                          const std::vector<resolve::VersionChoice>& versions) {
  std::vector<std::string> warnings;
  for (const auto& unread : detection.unread) {
    warnings.push_back(fmt::format("{}: {}; its versions are not taken into account", unread.file, unread.why));
  }
  for (const auto& choice : versions) {
    warnings.insert(warnings.end(), choice.warnings.begin(), choice.warnings.end());
  }
  return warnings;
}

Result<std::vector<PlannedLayer>> examine(const std::vector<plan::LayerPlan>& plans, store::Store& store) {
  SHEAF_TRY_ASSIGN(const auto newest, store.newest());
  std::map<std::string, ContentKey> contents;
  std::vector<PlannedLayer> lines;
  for (const auto& plan : plans) {
    PlannedLayer line{plan.name, plan.kind, plan.reason, LayerState::build, "", plan.closure, "", {}, {}};
    SHEAF_TRY_ASSIGN(line.expected_ms, store.last_build_ms(plan.name));
    const auto missing = std::ranges::find_if(plan.closure, [&](const auto& name) { return !contents.contains(name); });
    const auto before = std::ranges::find_if(newest, [&](const auto& layer) { return layer.record.name == plan.name; });
    if (plan.image && plan.image->digest.empty()) {
      line.why = fmt::format("the image '{}' is not here yet", plan.image->name);
    } else if (missing != plan.closure.end()) {
      line.why = fmt::format("'{}' is built first", *missing);
    } else {
      const auto key = plan::recipe_key(plan, contents);
      line.recipe_key = key.to_string();
      SHEAF_TRY_ASSIGN(const auto stored, store.find(key));
      if (stored) {
        line.state = LayerState::reused;
        line.why = "unchanged";
        line.bytes = stored->record.bytes;
        contents.emplace(plan.name, stored->record.content_key);
      } else {
        line.why = before == newest.end() ? "not built yet" : changed_inputs(plan, before->record);
      }
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace sheaf::app
