// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"

#include "os/file.hpp"
#include "store/walk.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace sheaf::store {
namespace {

/// How much is free again once parts are gone: a file with several names counts with the last of them.
class Freed {
public:
  /// By the file or folder at `path`. Each path counts once: asked again, it says the same.
  std::uint64_t add(const std::string& path) {
    struct stat top {};
    if (lstat(path.c_str(), &top) != 0) {
      return 0;
    }
    const auto [known, is_new] = m_known.emplace(top.st_ino, 0); // it may have been renamed meanwhile
    if (is_new) {
      known->second = count(path);
    }
    return known->second;
  }

private:
  std::uint64_t count(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto folder = os::open(path.substr(0, slash), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    std::uint64_t bytes = 0;
    const auto visit = [&](const struct stat& info) {
      const bool is_last = S_ISDIR(info.st_mode) || ++m_removed[info.st_ino] == info.st_nlink;
      bytes += is_last ? allocated_bytes(info) : 0;
    };
    if (folder) {
      ignore(walk(*folder, path.substr(slash + 1), std::nullopt, visit), "counting what a removal frees");
    }
    return bytes;
  }

  std::unordered_map<ino_t, nlink_t> m_removed; ///< names of an inode that were counted
  std::unordered_map<ino_t, std::uint64_t> m_known;
};

/// Parts of a cache go only while nobody uses the cache.
std::string lock_name(const std::string& part) {
  if (!part.starts_with("cache/")) {
    return part;
  }
  return part.substr(0, part.find('/', std::string_view("cache/").size()));
}

/// Where parts are brought that go away. If the disk is so full that the folder cannot be made, they are removed where
/// they are.
class Trash {
public:
  static Result<Trash> open(Store& store) {
    auto staging = store.stage();
    if (!staging && staging.error().code() != ErrorCode::no_space) {
      return std::move(staging).error();
    }
    return Trash(staging ? std::optional(std::move(*staging)) : std::nullopt);
  }

  /// Returns where it is now; nothing if it is gone.
  Result<std::optional<std::string>> take(const std::string& path) {
    if (!m_staging) {
      SHEAF_TRY(os::remove_all(path));
      return std::optional<std::string>();
    }
    auto to = m_staging->file(std::to_string(m_count++));
    if (auto moved = os::rename(path, to); !moved && moved.error().code() != ErrorCode::not_found) {
      return std::move(moved).error();
    }
    return std::optional(std::move(to));
  }

private:
  explicit Trash(std::optional<Staging> staging) : m_staging(std::move(staging)) {}
  std::optional<Staging> m_staging;
  int m_count = 0;
};

class Collection {
public:
  Collection(Store& store, const GcOptions& options, const std::stop_token& stop)
      : m_store(store), m_options(options), m_stop(stop) {}

  Result<GcReport> run() {
    std::uint64_t total = 0;
    if (m_options.policy.max_size) {
      SHEAF_TRY_ASSIGN(total, total_bytes(m_store.root()));
    }
    SHEAF_TRY_ASSIGN(auto trash, Trash::open(m_store)); // emptied when all locks are free again
    SHEAF_TRY(take_away(total, trash));
    for (const auto& [part, path] : m_gone) {
      note(part, path);
    }
    const auto left = total - std::min(total, m_report.freed);
    if (m_options.policy.max_size && left > *m_options.policy.max_size) {
      m_report.too_large = left;
    }
    return std::move(m_report);
  }

private:
  /// Nobody says meanwhile that something is needed from now on.
  Result<void> take_away(std::uint64_t total, Trash& trash) {
    SHEAF_TRY_ASSIGN(auto own, InUse::open(m_store.root()));
    SHEAF_TRY_ASSIGN(const auto gate, os::FileLock::acquire(m_store.root() + "/locks/gc", os::LockMode::exclusive));
    SHEAF_TRY_ASSIGN(m_parts, collect_parts(m_store));
    const auto plan = make_plan(own, total);
    for (const auto fate : plan.fates) {
      m_report.kept[fate] += fate == Fate::removed ? 0 : 1;
    }
    if (!m_options.dry_run) {
      return sweep(plan, own, trash);
    }
    std::ranges::transform(plan.removed, std::back_inserter(m_gone),
                           [this](std::size_t i) { return std::pair(i, std::optional(path_of(m_parts[i]))); });
    return {};
  }

  GcPlan make_plan(InUse& own, std::uint64_t total) {
    GcQuestions ask;
    ask.is_in_use = [&own](const std::string& part) {
      const auto name = lock_name(part);
      const auto taken = own.take(name);
      const bool is_free = taken && *taken;
      if (is_free) {
        ignore(own.give_back(name), "asking whether a part is in use");
      }
      return !is_free;
    };
    ask.freed_by = [this](const std::string& part) { return m_freed.add(fmt::format("{}/{}", m_store.root(), part)); };
    return plan_gc(m_parts, m_options.policy, total, ask);
  }

  /// Whoever wants to use what goes waits until `own` ends, and then does not find it.
  Result<void> sweep(const GcPlan& plan, InUse& own, Trash& trash) {
    std::vector<std::size_t> ours;
    SHEAF_TRY_ASSIGN(auto contents, m_store.lost_contents());
    for (const auto i : plan.removed) {
      SHEAF_TRY_ASSIGN(const bool is_ours, own.take(lock_name(m_parts[i].part)));
      if (!is_ours) {
        continue; // somebody began to use it just now
      }
      ours.push_back(i);
      if (const auto key = content_of(m_parts[i])) {
        contents.push_back(*key);
      }
    }
    SHEAF_TRY(m_store.forget(contents)); // first, so that a layer that is gone is nowhere called lost
    for (const auto i : ours) {
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      std::optional<os::FileLock> lock;
      SHEAF_TRY_ASSIGN(const bool is_held, hold(m_parts[i], lock));
      if (!is_held) {
        continue;
      }
      SHEAF_TRY_ASSIGN(auto path, trash.take(path_of(m_parts[i])));
      m_gone.emplace_back(i, std::move(path));
    }
    return {};
  }

  /// The lock of a key goes only while it is held by us: nobody else can hold it then, or wait for this very file.
  /// False if somebody does; of other parts there is none to be held.
  Result<bool> hold(const Part& part, std::optional<os::FileLock>& lock) {
    constexpr std::string_view k_folder = "locks/";
    if (!part.part.starts_with(k_folder)) {
      return true;
    }
    SHEAF_TRY_ASSIGN(auto got, m_store.try_lock_key(part.part.substr(k_folder.size())));
    if (got) {
      lock.emplace(std::move(*got));
    }
    return lock.has_value();
  }

  static std::optional<ContentKey> content_of(const Part& part) {
    const auto digest = part.kind == PartKind::layer ? Digest::parse(part.part.substr(part.part.find('/') + 1))
                                                     : Result<Digest>(Error(ErrorCode::not_found, ""));
    return digest ? std::optional(ContentKey{*digest}) : std::nullopt;
  }

  void note(std::size_t i, const std::optional<std::string>& path) {
    const auto& part = m_parts[i];
    const auto bytes = path ? m_freed.add(*path) : 0;
    m_report.freed += bytes;
    m_report.removed.push_back({part.kind, part.part, part.name, part.last_used, bytes});
  }

  std::string path_of(const Part& part) const { return fmt::format("{}/{}", m_store.root(), part.part); }

  Store& m_store;
  const GcOptions& m_options;
  const std::stop_token& m_stop;
  Freed m_freed;
  std::vector<Part> m_parts;
  /// What went, by index, and where it is until it is removed.
  std::vector<std::pair<std::size_t, std::optional<std::string>>> m_gone;
  GcReport m_report;
};

} // namespace

Result<GcReport> collect_garbage(Store& store, const GcOptions& options, const std::stop_token& stop) {
  return Collection(store, options, stop).run();
}

} // namespace sheaf::store
