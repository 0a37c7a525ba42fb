// SPDX-License-Identifier: Apache-2.0
#include "app/layer_states.hpp"

#include "app/layer_caches.hpp"
#include "builder/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <utility>

namespace sheaf::app {
namespace {

class Examination {
public:
  Examination(const Wanted& wanted, const Project& project, store::Store& store, builder::LayerCache cache,
              const std::stop_token& stop)
      : m_wanted(wanted), m_project(project), m_store(store), m_cache(std::move(cache)), m_stop(stop) {}

  Result<PlannedLayer> look_at(const plan::LayerPlan& plan) {
    PlannedLayer line;
    line.name = plan.name;
    line.kind = plan.kind;
    line.reason = plan.reason;
    line.closure = plan.closure;
    line.parent = plan.closure.empty() ? "" : plan.closure.back();
    SHEAF_TRY_ASSIGN(line.expected_ms, m_store.last_build_ms(plan.name));
    const auto unknown =
        std::ranges::find_if(plan.closure, [&](const auto& name) { return !m_contents.contains(name); });
    if (plan.image && plan.image->digest.empty()) {
      line.why = fmt::format("the image '{}' is not here yet", plan.image->name);
      return line;
    }
    if (unknown == plan.closure.end()) {
      const auto key = plan::recipe_key(plan, m_contents);
      line.recipe_key = key.to_string();
      SHEAF_TRY_ASSIGN(const bool is_settled, settle(plan, key, line));
      if (is_settled) {
        return line;
      }
    }
    SHEAF_TRY(compare(plan, line, unknown == plan.closure.end() ? "" : *unknown));
    return line;
  }

private:
  /// Is the layer here, damaged, or in a cache?
  Result<bool> settle(const plan::LayerPlan& plan, const RecipeKey& key, PlannedLayer& line) {
    const bool is_lost = m_store.is_lost(key); // before `find` forgets it
    SHEAF_TRY_ASSIGN(auto stored, m_store.find(key));
    if (plan.locked && plan.locked->recipe == key) { // its content goes before what the recipe gave here
      SHEAF_TRY_ASSIGN(auto locked, m_store.find(plan.locked->content));
      stored = locked || plan.locked->is_strict ? std::move(locked) : std::move(stored);
    }
    if (stored && !is_lost) {
      m_contents.emplace(plan.name, stored->record.content_key);
      line.state = LayerState::reused;
      line.action = Action::reuse;
      line.why = "unchanged";
      line.bytes = stored->record.bytes;
      note_age(stored->record, line);
      return true;
    }
    return (m_cache.peek && ask_cache(plan, key, line)) || (is_lost && note_loss(line));
  }

  void note_age(const store::LayerRecord& record, PlannedLayer& line) const {
    const auto entry = std::ranges::find(m_wanted.stack.entries, line.name,
                                         [](const auto& candidate) { return candidate.layer->name; });
    const auto expiry = expiry_of(*entry->layer, record, m_wanted, m_project);
    if (expiry && *expiry <= std::time(nullptr)) {
      line.state = LayerState::expired;
      line.action = Action::build;
      line.why = fmt::format("older than {}", *m_project.config.refresh);
    }
  }

  static bool note_loss(PlannedLayer& line) {
    line.state = LayerState::corrupt;
    line.why = "was built here, but is damaged or lost";
    return true;
  }

  /// A cache that has the layer tells its content, too, so that what stands on it can be looked for.
  bool ask_cache(const plan::LayerPlan& plan, const RecipeKey& key, PlannedLayer& line) {
    auto answer = m_cache.peek(key, m_stop);
    if (answer.record) {
      m_contents.emplace(plan.name, answer.record->content_key);
      line.action = Action::fetch;
      line.bytes = answer.bytes;
      line.why = fmt::format("not here; the cache '{}' has it", answer.place);
      return true;
    }
    if (!answer.trouble.empty()) {
      line.state = answer.is_refused ? LayerState::unauthorised : LayerState::unreachable;
      line.why = fmt::format("not here; the cache '{}': {}", answer.place, answer.trouble);
    }
    return !answer.trouble.empty();
  }

  /// `unknown` is a layer below that is built first, if there is one.
  Result<void> compare(const plan::LayerPlan& plan, PlannedLayer& line, const std::string& unknown) {
    SHEAF_TRY_ASSIGN(const auto before, likest_build(plan, m_store));
    if (!before) {
      line.why = unknown.empty() ? "not built yet" : fmt::format("not built yet; '{}' is built first", unknown);
      return {};
    }
    const auto then = ingredients_of(before->record);
    const Ingredients now{plan.inputs, builder::recipe_of(plan, m_contents), plan.config};
    line.changes = own_changes(then, now);
    for (auto& change : line.changes) {
      change.name = change.input == "image" && plan.image ? plan.image->name : change.name;
    }
    line.state = line.changes.empty() ? LayerState::stale_parent : LayerState::stale_self;
    if (line.state == LayerState::stale_self) {
      line.why = summary(line.changes);
    } else if (!unknown.empty()) {
      line.why = fmt::format("parent: '{}' is built first", unknown);
    } else {
      line.changes = parent_changes(then, now);
      line.why = line.changes.empty() ? std::string("parent: what it is built on changed")
                                      : fmt::format("parent: '{}' changed", line.changes.front().name);
    }
    return {};
  }

  const Wanted& m_wanted;
  const Project& m_project;
  store::Store& m_store;
  builder::LayerCache m_cache;
  const std::stop_token& m_stop;
  /// Of the layers that are known already.
  std::map<std::string, ContentKey> m_contents;
};

} // namespace

std::string_view to_string(LayerState state) {
  switch (state) {
  case LayerState::reused:
    return "reused";
  case LayerState::missing:
    return "missing";
  case LayerState::stale_self:
    return "stale-self";
  case LayerState::stale_parent:
    return "stale-parent";
  case LayerState::expired:
    return "expired";
  case LayerState::corrupt:
    return "corrupt";
  case LayerState::unreachable:
    return "unreachable";
  case LayerState::unauthorised:
    return "unauthorised";
  }
  return "missing";
}

std::string_view to_string(Action action) {
  switch (action) {
  case Action::reuse:
    return "reuse";
  case Action::fetch:
    return "fetch";
  case Action::build:
    break;
  }
  return "build";
}

std::optional<std::int64_t> expiry_of(const catalogue::LayerDefinition& layer, const store::LayerRecord& record,
                                      const Wanted& wanted, const Project& project) {
  const auto age = catalogue::refresh_seconds(project.config);
  if (!age || !layer.is_volatile || project.lock) {
    return std::nullopt;
  }
  const auto pin = wanted.pins.find(layer.name);
  const auto checked = pin != wanted.pins.end() ? pin->second.checked : 0;
  return std::max(record.created, checked) + *age;
}

std::string owner_of(const store::LayerRecord& record) { return record.recipe ? record.recipe->owner : ""; }

Result<std::optional<store::StoredLayer>> likest_build(const plan::LayerPlan& plan, store::Store& store) {
  SHEAF_TRY_ASSIGN(auto builds, store.history(plan.name));
  std::erase_if(builds, [&plan](const auto& layer) { return owner_of(layer.record) != plan.owner; });
  if (builds.empty()) {
    return std::optional<store::StoredLayer>();
  }
  const auto same =
      std::ranges::find_if(builds, [&plan](const auto& layer) { return layer.record.inputs == plan.inputs; });
  return std::optional(std::move(same != builds.end() ? *same : builds.front()));
}

Result<std::vector<PlannedLayer>> examine(const Wanted& wanted, const Project& project, const Session& session,
                                          Ask ask) {
  builder::LayerCache cache;
  if (ask == Ask::caches) {
    SHEAF_TRY_ASSIGN(cache, open_caches(project.config.caches.value_or(std::vector<std::string>()), session));
  }
  Examination examination(wanted, project, session.store, std::move(cache), session.stop);
  std::vector<PlannedLayer> lines;
  for (const auto& plan : wanted.plans) {
    SHEAF_TRY_ASSIGN(auto line, examination.look_at(plan));
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace sheaf::app
