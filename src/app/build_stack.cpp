// SPDX-License-Identifier: Apache-2.0
#include "app/build_stack.hpp"

#include "app/layer_caches.hpp"
#include "app/network.hpp"
#include "builder/builder.hpp"
#include "sandbox/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sheaf::app {
namespace {

using builder::LayerConflict;

class StackBuilder {
public:
  StackBuilder(const Project& project, const Wanted& wanted, Session session)
      : m_project(project), m_wanted(wanted), m_session(std::move(session)), m_runtime(sandbox::native_runtime()) {}

  Result<BuiltStack> run(OnConflict on_conflict) {
    BuiltStack stack;
    stack.plans = m_wanted.plans;
    SHEAF_TRY_ASSIGN(m_cache, open_caches(m_project.config.caches.value_or(std::vector<std::string>()), m_session));
    for (;;) {
      SHEAF_TRY_ASSIGN(const auto conflicts, attempt(stack));
      if (conflicts.empty()) {
        return stack;
      }
      if (on_conflict == OnConflict::refuse || !add_edges(conflicts)) {
        return conflict_error(conflicts);
      }
      SHEAF_TRY_ASSIGN(stack.plans, plan_stack(m_wanted, m_project, resolve::with_edges(m_wanted.stack, m_edges)));
      stack.edges = m_edges;
    }
  }

private:
  /// Builds and joins; the conflicts that stopped it.
  Result<std::vector<LayerConflict>> attempt(BuiltStack& stack) {
    SHEAF_TRY_ASSIGN(auto outcome, builder::build_layers(stack.plans, m_session.store, *m_runtime, m_session.events,
                                                         {m_session.jobs, downloads(), m_cache}, m_session.stop));
    if (!outcome.conflicts.empty()) {
      return std::move(outcome.conflicts);
    }
    stack.layers = std::move(outcome.layers);
    builder::Composer composer(m_session.store, *m_runtime, m_session.events);
    SHEAF_TRY_ASSIGN(stack.composition, composer.compose(stack.layers, m_session.stop));
    return std::exchange(stack.composition.conflicts, {});
  }

  /// False if a conflict is with the base, or between layers of which one is built on the other already: building
  /// again cannot help.
  bool add_edges(const std::vector<LayerConflict>& conflicts) {
    std::map<std::pair<std::string, std::string>, std::vector<const LayerConflict*>> pairs;
    for (const auto& conflict : conflicts) {
      pairs[{conflict.first, conflict.second}].push_back(&conflict);
    }
    for (const auto& [pair, reasons] : pairs) {
      const auto& earlier = pair.first;
      const auto& later = pair.second;
      const auto known = [&](const auto& edge) { return edge.earlier == earlier && edge.later == later; };
      if (earlier.empty() || std::ranges::any_of(m_edges, known)) {
        return false;
      }
      const auto more = reasons.size() > 1 ? fmt::format(" and {} more", reasons.size() - 1) : std::string();
      m_session.events.emit(
          {EventKind::warning, "",
           fmt::format("{}{}; building '{}' again on top of '{}'", reasons.front()->message, more, later, earlier)});
      m_edges.push_back({earlier, later, fmt::format("conflict over {}{}", reasons.front()->subject, more)});
    }
    return true;
  }

  const Project& m_project;
  const Wanted& m_wanted;
  Session m_session;
  std::unique_ptr<sandbox::Runtime> m_runtime;
  std::vector<resolve::Edge> m_edges;
  builder::LayerCache m_cache;
};

} // namespace

Result<BuiltStack> build_stack(const Project& project, const Wanted& wanted, Session session, OnConflict on_conflict) {
  return StackBuilder(project, wanted, std::move(session)).run(on_conflict);
}

} // namespace sheaf::app
