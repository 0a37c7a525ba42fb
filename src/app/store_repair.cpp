// SPDX-License-Identifier: Apache-2.0
#include "app/store_repair.hpp"

#include "app/layer_caches.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace sheaf::app {
namespace {

class Repair {
public:
  Repair(builder::LayerCache cache, const Session& session) : m_cache(std::move(cache)), m_session(session) {}

  Result<void> run(std::vector<StoreProblem>& problems) {
    for (auto& problem : problems) {
      SHEAF_TRY(mend(problem).context(fmt::format("mending '{}'", problem.part)));
      problem.is_mended = true;
      if (m_session.stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
    }
    return {};
  }

private:
  Result<void> mend(StoreProblem& problem) {
    switch (problem.remedy) {
    case Remedy::rebuild_index:
      problem.done = "made anew from the records";
      return m_session.store.rebuild_index();
    case Remedy::rewrite_recipe:
      return rewrite(problem);
    case Remedy::fetch:
    case Remedy::quarantine:
      break;
    }
    SHEAF_TRY(put_aside(problem));
    if (problem.remedy == Remedy::fetch) {
      SHEAF_TRY(fetch(problem));
    }
    return {};
  }

  /// The whole part, so that somebody can look what became of it.
  Result<void> put_aside(StoreProblem& problem) {
    const auto& store = m_session.store;
    const auto path = fmt::format("{}/{}", store.root(), problem.part);
    if (m_aside.empty()) {
      SHEAF_TRY_ASSIGN(const auto parent, store.folder("quarantine"));
      SHEAF_TRY_ASSIGN(auto folder, os::TempDir::create(parent, fmt::format("{}-", std::time(nullptr))));
      m_aside = folder.keep();
    }
    auto name = problem.part;
    std::ranges::replace(name, '/', '-');
    const auto to = fmt::format("{}/{}", m_aside, name);
    if (auto moved = os::rename(path, to); !moved && moved.error().code() != ErrorCode::not_found) {
      return moved;
    }
    problem.done = fmt::format("put aside in '{}'", m_aside);
    return {};
  }

  /// The recipes' records go with a layer that cannot be had: it counts as one that was never built.
  Result<void> fetch(StoreProblem& problem) {
    const auto layer =
        problem.recipe && m_cache.fetch
            ? m_cache.fetch(*problem.recipe, problem.subject.substr(problem.subject.find(' ') + 1), m_session.stop)
            : std::nullopt;
    if (layer) {
      problem.done += ", fetched from a cache";
      return {};
    }
    problem.done += ", is built again when it is needed";
    const auto content = problem.part.starts_with("layers/")
                             ? Digest::parse(problem.part.substr(problem.part.find('/') + 1))
                             : Result<Digest>(Error(ErrorCode::not_found, ""));
    return content ? m_session.store.forget({ContentKey{*content}}) : Result<void>();
  }

  Result<void> rewrite(StoreProblem& problem) {
    auto& store = m_session.store;
    const auto name = problem.part.substr(problem.part.find('/') + 1);
    SHEAF_TRY_ASSIGN(const auto recipe, Digest::parse(name));
    SHEAF_TRY(put_aside(problem));
    SHEAF_TRY_ASSIGN(const auto layer, store.find(RecipeKey{recipe}));
    if (!layer) {
      return {};
    }
    problem.done += ", written anew from the layer's own record";
    return store::write_file(store.root(), fmt::format("{}/{}", store.root(), problem.part),
                             store::serialise(layer->record), os::Durable::yes);
  }

  builder::LayerCache m_cache;
  const Session& m_session;
  std::string m_aside;
};

} // namespace

Result<void> repair_store(StoreCheck& check, const std::vector<std::string>& caches, const Session& session) {
  SHEAF_TRY_ASSIGN(auto cache, open_caches(caches, session));
  return Repair(std::move(cache), session).run(check.problems);
}

} // namespace sheaf::app
