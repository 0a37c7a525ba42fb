// SPDX-License-Identifier: Apache-2.0
#include "app/store_repair.hpp"

#include "app/layer_caches.hpp"
#include "app/part_check.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/key_lock.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace sheaf::app {
namespace {

class Repair {
public:
  Repair(builder::LayerCache cache, const Session& session) : m_cache(std::move(cache)), m_session(session) {}
  Repair(Repair&&) = delete;
  Repair& operator=(Repair&&) = delete;
  ~Repair() {
    rmdir(m_aside.c_str()); // if nothing had to be put there
  }

  /// What cannot be mended keeps nothing else from being mended; the first failure is returned.
  Result<void> run(std::vector<StoreProblem>& problems) {
    Result<void> result;
    for (auto& problem : problems) {
      auto mended = mend(problem).context(fmt::format("mending '{}'", problem.part));
      problem.is_mended = mended.has_value();
      if (!mended && result) {
        result = std::move(mended);
      }
      if (m_session.stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
    }
    return result;
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
    SHEAF_TRY_ASSIGN(const bool is_aside, put_aside(problem));
    if (is_aside && problem.remedy == Remedy::fetch) {
      SHEAF_TRY(fetch(problem));
    }
    return {};
  }

  /// Somebody else may have made it again since it was looked at: then it is good, and stays.
  Result<bool> is_still_damaged(StoreProblem& problem) const {
    const auto good = PartCheck(m_session.store).part(problem.part);
    if (!good && is_own_lack(good.error())) {
      return good.error();
    }
    if (good) {
      problem.done = "whole again, or gone, when it was to be mended";
    }
    return !good;
  }

  /// Under the collector's lock: it takes empty ones.
  Result<void> make_aside() {
    if (m_aside.empty() || !os::exists(m_aside)) {
      SHEAF_TRY_ASSIGN(const auto parent, m_session.store.folder("quarantine"));
      SHEAF_TRY_ASSIGN(auto folder, os::TempDir::create(parent, fmt::format("{}-", std::time(nullptr))));
      m_aside = folder.keep();
    }
    return {};
  }

  /// The whole part, so that somebody can look what became of it. False if that is not called for any more.
  Result<bool> put_aside(StoreProblem& problem) {
    auto& store = m_session.store;
    SHEAF_TRY_ASSIGN(const auto alone, store::wait_for_key(store, "gc", m_session.stop));
    SHEAF_TRY_ASSIGN(const auto replacing, store::wait_for_key(store, "replace", m_session.stop));
    SHEAF_TRY_ASSIGN(const bool is_damaged, is_still_damaged(problem));
    if (!is_damaged) {
      return false;
    }
    SHEAF_TRY(make_aside());
    const auto path = fmt::format("{}/{}", store.root(), problem.part);
    auto name = problem.part;
    std::ranges::replace(name, '/', '-');
    const auto to = fmt::format("{}/{}", m_aside, name);
    if (auto moved = os::rename(path, to); !moved && os::exists(path)) {
      return std::move(moved).error();
    }
    problem.done = fmt::format("put aside in '{}'", m_aside);
    return true;
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
    return content ? forget(ContentKey{*content}) : Result<void>();
  }

  /// Unless somebody has built it again by now.
  Result<void> forget(const ContentKey& content) const {
    auto& store = m_session.store;
    SHEAF_TRY_ASSIGN(const auto alone, store::wait_for_key(store, "gc", m_session.stop));
    return os::exists(fmt::format("{}/layers/{}", store.root(), content.hex())) ? Result<void>()
                                                                                : store.forget({content});
  }

  Result<void> rewrite(StoreProblem& problem) {
    auto& store = m_session.store;
    const auto name = problem.part.substr(problem.part.find('/') + 1);
    SHEAF_TRY_ASSIGN(const auto recipe, Digest::parse(name));
    SHEAF_TRY_ASSIGN(const bool is_aside, put_aside(problem));
    SHEAF_TRY_ASSIGN(const auto layer, store.find(RecipeKey{recipe}));
    if (!is_aside || !layer) {
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
