// SPDX-License-Identifier: Apache-2.0
#include "app/project_plan.hpp"

#include "app/build_stack.hpp"
#include "app/project_layer.hpp"
#include "app/stack_levels.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "resolve/agents.hpp"
#include "resolve/detection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

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

/// The last layer: built on nothing but the base, it stays whatever else is selected.
Result<void> add_dotfiles(Wanted& wanted, const Project& project, const Session& session) {
  SHEAF_TRY_ASSIGN(wanted.dotfiles, find_dotfiles(project, session.stop));
  if (wanted.dotfiles.layer != nullptr) {
    wanted.stack.entries.push_back({wanted.dotfiles.layer.get(), {}, wanted.dotfiles.reason});
  }
  return {};
}

const catalogue::LockedLayer* locked_layer(const catalogue::LockFile& lock, const std::string& name) {
  const auto found = lock.layers.find(name);
  return found != lock.layers.end() ? &found->second : nullptr;
}

/// Plans the layers and adds what pins and lock say of each.
Result<std::vector<plan::LayerPlan>> plan_with(const Wanted& wanted, const Project& project,
                                               const resolve::Stack& stack, Diagnostics& diagnostics) {
  auto plans = plan::plan_layers(stack, wanted.args, wanted.foundation, diagnostics);
  if (diagnostics.has_errors()) {
    return in_place(diagnostics, wanted).to_error("reading the Containerfiles of the stack");
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    auto& plan = plans[i];
    const auto& layer = *stack.entries[i].layer;
    const bool is_own = layer.origin == catalogue::Origin::project || layer.kind == catalogue::Kind::project;
    plan.owner = is_own ? Digest::of(project.root).hex() : "";
    if (const auto pin = wanted.pins.find(plan.name); pin != wanted.pins.end() && pin->second.refreshed != 0) {
      plan.inputs["refresh"] = std::to_string(pin->second.refreshed);
    }
    if (const auto* locked = project.lock ? locked_layer(*project.lock, plan.name) : nullptr) {
      plan.locked = plan::LockedContent{locked->recipe, locked->content, project.locked};
    }
  }
  return plans;
}

/// A version that was settled counts where neither the settings nor a file of the project say one.
void take_versions(Wanted& wanted, const Project& project) {
  wanted.args = resolve::with_versions(project.config.args, wanted.versions);
  for (const auto& entry : wanted.stack.entries) {
    const auto pin = wanted.pins.find(entry.layer->name);
    if (pin != wanted.pins.end() && !pin->second.version.empty() && entry.layer->args.contains("version")) {
      wanted.args[entry.layer->name].emplace("version", pin->second.version);
    }
  }
}

/// The edges with which the stack was built when it was locked.
std::vector<resolve::Edge> locked_edges(const resolve::Stack& stack, const Project& project) {
  std::vector<resolve::Edge> edges;
  std::set<std::string> earlier;
  for (const auto& entry : stack.entries) {
    if (const auto* locked = project.lock ? locked_layer(*project.lock, entry.layer->name) : nullptr) {
      for (const auto& name : locked->on_top_of) {
        if (earlier.contains(name)) {
          edges.push_back({name, entry.layer->name, "as sheaf.lock has it"});
        }
      }
    }
    earlier.insert(entry.layer->name);
  }
  return edges;
}

enum class Snippet { yes, no };

Result<void> fill(Wanted& wanted, const Project& project, const Session& session, Fetch fetch, Snippet with_snippet) {
  SHEAF_TRY_ASSIGN(wanted.stack, resolve::resolve(project.catalogue, wanted.selection));
  wanted.edges = locked_edges(wanted.stack, project);
  wanted.stack = resolve::with_edges(std::move(wanted.stack), wanted.edges);
  SHEAF_TRY(check_args(project));
  wanted.versions = resolve::choose_versions(wanted.stack, wanted.detection, project.config.args);
  add_reasons(wanted.stack, wanted.versions);
  SHEAF_TRY_ASSIGN(wanted.pins, pins_of(project, session.store));
  take_versions(wanted, project);
  SHEAF_TRY_ASSIGN(wanted.foundation, lay_foundation(project, wanted.stack, session, fetch));
  if (with_snippet == Snippet::yes && !project.stack) {
    SHEAF_TRY(add_project_layer(wanted, project));
  }
  SHEAF_TRY(add_dotfiles(wanted, project, session));
  Diagnostics diagnostics;
  SHEAF_TRY_ASSIGN(wanted.plans, plan_with(wanted, project, wanted.stack, diagnostics));
  wanted.warnings = in_place(diagnostics, wanted).render();
  return {};
}

/// An image that is used as it is has no layers that could be looked at, locked or tested.
Result<void> refuse_image(const Project& project) {
  if (!project.config.image) {
    return {};
  }
  return Error(ErrorCode::invalid, fmt::format("this project uses the image '{}' as it is ({}): there are no layers",
                                               *project.config.image, origin_of(project, "image", "the settings")))
      .with_hint("take 'image' out to work with layers");
}

} // namespace

Result<Wanted> want(const Project& project, const Session& session, Fetch fetch) {
  SHEAF_TRY(refuse_image(project));
  Wanted wanted;
  SHEAF_TRY_ASSIGN(wanted.detection, detect_project(project));
  SHEAF_TRY_ASSIGN(wanted.selection, select(project, wanted.detection));
  SHEAF_TRY(fill(wanted, project, session, fetch, Snippet::yes));
  return wanted;
}

Result<Wanted> want_layers(const Project& project, const std::vector<std::string>& names, const Session& session,
                           Fetch fetch) {
  Wanted wanted;
  SHEAF_TRY_ASSIGN(wanted.detection, detect_project(project));
  wanted.selection.base = base_layer(project);
  for (const auto& name : names) {
    if (name != wanted.selection.base) {
      wanted.selection.wanted.push_back({name, "named on the command line"});
    }
  }
  SHEAF_TRY(fill(wanted, project, session, fetch, Snippet::no));
  return wanted;
}

Result<void> repin(Wanted& wanted, const Project& project, Pins pins) {
  wanted.pins = std::move(pins);
  take_versions(wanted, project);
  SHEAF_TRY_ASSIGN(wanted.plans, plan_stack(wanted, project, wanted.stack));
  return {};
}

Result<std::vector<plan::LayerPlan>> plan_stack(const Wanted& wanted, const Project& project,
                                                const resolve::Stack& stack) {
  Diagnostics diagnostics;
  return plan_with(wanted, project, stack, diagnostics);
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

} // namespace sheaf::app
