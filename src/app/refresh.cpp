// SPDX-License-Identifier: Apache-2.0
#include "app/refresh.hpp"

#include "app/layer_caches.hpp"
#include "app/layer_states.hpp"
#include "app/lock.hpp"
#include "app/network.hpp"
#include "app/newest.hpp"
#include "base/suggest.hpp"
#include "builder/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "sbom/packages.hpp"
#include "sbom/tree_stack.hpp"

namespace sheaf::app {
namespace {

/// The version of the package that both trees have and that is `version` in the new one: what a layer installed before
/// it was said which version that is. Empty if that cannot be told.
std::string version_before(const store::StoredLayer& before, const store::StoredLayer& now,
                           const std::string& version) {
  const auto packages_of = [](const store::StoredLayer& layer) -> Result<sbom::Packages> {
    SHEAF_TRY_ASSIGN(const auto root, sbom::TreeStack::open({layer.tree()}));
    return sbom::find_packages(root);
  };
  const auto old = packages_of(before);
  const auto fresh = packages_of(now);
  if (!old || !fresh) {
    return "";
  }
  for (const auto& package : fresh->packages) {
    const auto same = std::ranges::find(old->packages, package.name, &sbom::Package::name);
    if (package.version == version && same != old->packages.end()) {
      return same->version;
    }
  }
  return "";
}

class Refresh {
public:
  Refresh(Project project, const RefreshRequest& request, const Session& session)
      : m_project(std::move(project)), m_request(request), m_session(session) {}

  Result<std::vector<Refreshed>> run() {
    SHEAF_TRY(check_names());
    SHEAF_TRY_ASSIGN(m_wanted, want(m_project, m_session));
    const auto is_in_stack = [this](const auto& name) {
      return std::ranges::find(m_wanted.plans, name, &plan::LayerPlan::name) != m_wanted.plans.end();
    };
    const bool is_of_stack = std::ranges::all_of(m_request.layers, is_in_stack);
    if (!is_of_stack) {
      SHEAF_TRY_ASSIGN(m_wanted, want_layers(m_project, m_request.layers, m_session));
    }
    SHEAF_TRY(look_at_old());
    SHEAF_TRY(settle());
    SHEAF_TRY(repin(m_wanted, m_project, m_pins));
    if (m_project.lock && is_of_stack) {
      SHEAF_TRY(build_and_lock());
    } else {
      SHEAF_TRY(build_targets());
      SHEAF_TRY(save_pins(m_project, m_changed, m_session.store));
    }
    return results();
  }

private:
  Result<void> check_names() const {
    for (const auto& name : m_request.layers) {
      if (m_project.catalogue.find(name) == nullptr) {
        return Error(ErrorCode::not_found, fmt::format("no layer is called '{}'", name))
            .with_hint(did_you_mean(name, m_project.catalogue.names()));
      }
    }
    return {};
  }

  bool is_target(const catalogue::LayerDefinition& layer) const {
    if (m_request.everything) {
      return true;
    }
    return m_request.layers.empty() ? layer.is_volatile
                                    : std::ranges::find(m_request.layers, layer.name) != m_request.layers.end();
  }

  /// The builds that are to be replaced, for telling what changed.
  Result<void> look_at_old() {
    m_pins = m_wanted.pins;
    for (std::size_t i = 0; i < m_wanted.plans.size(); ++i) {
      const auto& layer = *m_wanted.stack.entries[i].layer;
      if (is_target(layer)) {
        SHEAF_TRY_ASSIGN(m_old[layer.name], likest_build(m_wanted.plans[i], m_session.store));
        m_targets.push_back(&layer);
      }
    }
    return {};
  }

  /// Asks for the newest versions; what has none is dated.
  Result<void> settle() {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    for (const auto* layer : m_targets) {
      auto pin = m_pins[layer->name];
      const bool is_chosen =
          m_project.config.args.contains(layer->name) && m_project.config.args.at(layer->name).contains("version");
      if (!layer->newest.empty() && !is_chosen) {
        SHEAF_TRY_ASSIGN(pin.version, newest_version(m_project, *layer, m_session));
      }
      if (layer->newest.empty() || m_request.everything) {
        pin.refreshed = std::max(now, pin.refreshed + 1);
      }
      pin.checked = now;
      m_pins[layer->name] = pin;
      m_changed[layer->name] = pin;
    }
    return {};
  }

  /// Only these and what they need; conflicts between other layers are none of ours.
  Result<void> build_targets() {
    std::set<std::string> needed;
    for (const auto* layer : m_targets) {
      const auto plan = std::ranges::find(m_wanted.plans, layer->name, &plan::LayerPlan::name);
      needed.insert(plan->name);
      needed.insert(plan->closure.begin(), plan->closure.end());
    }
    auto plans = m_wanted.plans;
    std::erase_if(plans, [&needed](const auto& plan) { return !needed.contains(plan.name); });
    SHEAF_TRY_ASSIGN(const auto cache,
                     open_caches(m_project.config.caches.value_or(std::vector<std::string>()), m_session));
    const auto runtime = sandbox::native_runtime();
    SHEAF_TRY_ASSIGN(auto outcome, builder::build_layers(plans, m_session.store, *runtime, m_session.events,
                                                         {m_session.jobs, downloads(), cache}, m_session.stop));
    if (!outcome.conflicts.empty()) {
      return builder::conflict_error(outcome.conflicts);
    }
    m_layers = std::move(outcome.layers);
    return {};
  }

  Result<void> build_and_lock() {
    SHEAF_TRY_ASSIGN(auto stack, build_stack(m_project, m_wanted, m_session, OnConflict::rebuild));
    m_layers = stack.layers;
    SHEAF_TRY_ASSIGN(const auto lock, lock_of(m_wanted, stack, m_session));
    return write_lock_file(m_project.root, lock);
  }

  Result<std::vector<Refreshed>> results() const {
    std::vector<Refreshed> results;
    for (const auto* layer : m_targets) {
      const auto now =
          std::ranges::find_if(m_layers, [&](const auto& built) { return built.record.name == layer->name; });
      const auto& old = m_old.at(layer->name);
      Refreshed result;
      result.layer = layer->name;
      result.is_rebuilt = !old || old->record.recipe_key != now->record.recipe_key;
      result.is_changed = !old || old->record.content_key != now->record.content_key;
      result.new_version = m_pins.at(layer->name).version;
      result.old_version = old ? old_version(*layer, *old, *now, result.new_version) : "";
      results.push_back(std::move(result));
    }
    return results;
  }

  std::string old_version(const catalogue::LayerDefinition& layer, const store::StoredLayer& old,
                          const store::StoredLayer& now, const std::string& version) const {
    const auto recipe = old.record.recipe.value_or(store::Recipe());
    const auto argument = recipe.arguments.find("VERSION");
    const auto definition = layer.args.find("version");
    const bool says_it = argument != recipe.arguments.end() && definition != layer.args.end() &&
                         argument->second != definition->second.default_value;
    return says_it || version.empty() ? (says_it ? argument->second : "") : version_before(old, now, version);
  }

  Project m_project;
  const RefreshRequest& m_request;
  const Session& m_session;
  Wanted m_wanted;
  std::vector<const catalogue::LayerDefinition*> m_targets;
  std::map<std::string, std::optional<store::StoredLayer>> m_old;
  /// All that count, and those that were settled now.
  Pins m_pins;
  Pins m_changed;
  std::vector<store::StoredLayer> m_layers;
};

} // namespace

Result<std::vector<Refreshed>> refresh(const Choices& choices, const RefreshRequest& request, const Session& session) {
  SHEAF_TRY_ASSIGN(const auto alone, lock_project(choices, session.store, session.stop));
  return refresh_alone(choices, request, session);
}

Result<std::vector<Refreshed>> refresh_alone(const Choices& choices, const RefreshRequest& request,
                                             const Session& session) {
  auto fresh = choices;
  fresh.pull = choices.pull || request.everything;
  if (choices.locked) {
    return Error(ErrorCode::invalid, "'--locked' refuses what a refresh changes")
        .with_hint("leave '--locked' out; 'sheaf update' writes a new sheaf.lock");
  }
  SHEAF_TRY_ASSIGN(auto project, load_project(fresh));
  return Refresh(std::move(project), request, session).run();
}

std::string describe(const Refreshed& refreshed) {
  const auto& [layer, before, after, is_rebuilt, is_changed] = refreshed;
  if (!is_rebuilt) {
    return after.empty() ? fmt::format("{}: nothing to do", layer) : fmt::format("{} {} is the newest", layer, after);
  }
  if (!before.empty() && before != after) {
    return fmt::format("{} {} -> {}", layer, before, after);
  }
  if (!is_changed) {
    return fmt::format("{}{}{}: built anew, nothing changed", layer, after.empty() ? "" : " ", after);
  }
  return fmt::format("{}{}{}: built anew", layer, after.empty() ? "" : " ", after);
}

} // namespace sheaf::app
