// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"

#include "os/file.hpp"
#include "store/key_lock.hpp"
#include "store/walk.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
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

/// Where parts are brought that go away. On a disk so full that no folder can be made for them, they are renamed beside
/// it: the next process that opens the store takes those for what was being removed, too.
class Trash {
public:
  Trash(Trash&&) noexcept = default;
  Trash& operator=(Trash&&) = delete;
  ~Trash() { empty(); }

  static Result<Trash> open(Store& store) {
    auto staging = store.stage();
    if (!staging && staging.error().code() != ErrorCode::no_space) {
      return std::move(staging).error();
    }
    return Trash(store.root() + "/tmp/trash-", staging ? std::optional(std::move(*staging)) : std::nullopt);
  }

  /// If not, what was taken away may be gone before `empty`.
  bool is_private() const { return m_staging.has_value(); }

  /// Success if it is gone already.
  Result<void> take(const std::string& path) {
    auto to = next();
    auto moved = os::rename(path, to);
    if (!moved && moved.error().code() != ErrorCode::not_found) {
      return moved;
    }
    m_taken.push_back(std::move(to));
    return {};
  }
  /// Where the last one is that was taken.
  const std::string& last() const { return m_taken.back(); }

  /// The space is free after this. What cannot be removed now is left to the next process.
  void empty() {
    if (m_staging) {
      m_staging.reset();
      m_taken.clear(); // all of it was in there
    }
    for (const auto& path : m_taken) {
      ignore(os::remove_all(path), "removing what was taken away");
    }
    m_taken.clear();
  }

private:
  Trash(std::string prefix, std::optional<Staging> staging)
      : m_prefix(std::move(prefix)), m_staging(std::move(staging)) {}

  std::string next() {
    const auto prefix = m_staging ? m_staging->path() + "/" : m_prefix;
    auto path = prefix + std::to_string(m_count++);
    while (os::exists(path)) { // of a collector that was killed
      path = prefix + std::to_string(m_count++);
    }
    return path;
  }

  std::string m_prefix;
  std::optional<Staging> m_staging;
  std::vector<std::string> m_taken;
  int m_count = 0;
};

/// First what says that it is whole goes, so that nobody takes the rest for a whole one if we are killed. A cache gets
/// another name: its rest goes with the next collection.
Result<void> remove_in_place(const std::string& path, PartKind kind) {
  const auto aside = path + ".gone";
  if (kind == PartKind::cached && os::rename(path, aside)) {
    return os::remove_all(aside);
  }
  for (const auto* name : {"/layer.json", "/seal"}) {
    auto done = os::remove_file_if_exists(path + name);
    if (!done && done.error().code() != ErrorCode::not_found) { // it is a file itself
      return done;
    }
  }
  return os::remove_all(path);
}

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
    std::ranges::for_each(m_gone, [this](const Gone& gone) { note(gone); });
    trash.empty();
    if (m_has_rows_left) {
      ignore(forget_lost(), "finishing the index; the next collection does it");
    }
    if (m_failure) {
      return std::move(*m_failure);
    }
    const auto left = total - std::min(total, m_report.freed);
    if (m_options.policy.max_size && left > *m_options.policy.max_size) {
      m_report.too_large = left;
    }
    return std::move(m_report);
  }

private:
  /// What went, by index; where it is until it is removed; what that frees, if it was counted before.
  struct Gone {
    std::size_t part;
    std::string path;
    std::optional<std::uint64_t> bytes;
  };

  /// Nobody says that something is needed from now on as long as we hold it.
  Result<os::FileLock> close_gate() { return wait_for_key(m_store, "gc", m_stop); }

  Result<void> take_away(std::uint64_t total, Trash& trash) {
    SHEAF_TRY_ASSIGN(auto own, InUse::open(m_store.root()));
    SHEAF_TRY_ASSIGN(const auto gate, close_gate());
    SHEAF_TRY_ASSIGN(m_parts, collect_parts(m_store));
    const auto plan = make_plan(own, total);
    for (const auto fate : plan.fates) {
      m_report.kept[fate] += fate == Fate::removed ? 0 : 1;
    }
    if (!m_options.dry_run) {
      return sweep(plan, own, trash);
    }
    std::ranges::transform(plan.removed, std::back_inserter(m_gone), [this](std::size_t i) {
      return Gone{i, path_of(m_parts[i]), std::nullopt};
    });
    return {};
  }

  /// Who used what was put aside uses it still, by the name that it had.
  std::vector<std::string> lock_names(const std::string& part) const {
    std::vector<std::string> names{lock_name(part)};
    const auto aside = part.starts_with("quarantine/") ? os::list_directory(fmt::format("{}/{}", m_store.root(), part))
                                                       : std::vector<os::DirectoryEntry>();
    for (const auto& entry : aside ? *aside : std::vector<os::DirectoryEntry>()) {
      const auto dash = entry.name.rfind('-');
      if (dash != std::string::npos) {
        names.push_back(fmt::format("{}/{}", entry.name.substr(0, dash), entry.name.substr(dash + 1)));
      }
    }
    return names;
  }

  static bool is_used(InUse& own, const std::string& name) {
    const auto taken = own.take(name);
    const bool is_free = taken && *taken;
    if (is_free) {
      ignore(own.give_back(name), "asking whether a part is in use");
    }
    return !is_free;
  }

  GcPlan make_plan(InUse& own, std::uint64_t total) {
    GcQuestions ask;
    ask.is_in_use = [this, &own](const std::string& part) {
      const auto names = lock_names(part);
      return std::ranges::any_of(names, [&own](const auto& name) { return is_used(own, name); });
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
    SHEAF_TRY(forget(contents)); // first, so that a layer that is gone is nowhere called lost
    for (const auto i : ours) {
      if (m_stop.stop_requested()) {
        return Error(ErrorCode::cancelled, "stopped");
      }
      if (m_needed.contains(m_parts[i].part)) {
        keep_needs_of(m_parts[i]);
        continue;
      }
      std::optional<os::FileLock> lock;
      SHEAF_TRY_ASSIGN(const bool is_held, hold(m_parts[i], lock));
      if (!is_held) {
        continue;
      }
      take(i, trash);
      if (m_failure) { // what this one needs comes later, and must not go without it
        break;
      }
    }
    return {};
  }

  /// On a full disk the index cannot be written until something is gone. The records of the recipes are gone by then.
  Result<void> forget(const std::vector<ContentKey>& contents) {
    auto done = m_store.forget(contents);
    m_has_rows_left = !done && done.error().code() == ErrorCode::no_space;
    return m_has_rows_left ? Result<void>() : std::move(done);
  }

  Result<void> forget_lost() {
    SHEAF_TRY_ASSIGN(const auto gate, close_gate());
    SHEAF_TRY_ASSIGN(const auto lost, m_store.lost_contents());
    return m_store.forget(lost);
  }

  /// A part that is mounted or on another disk keeps what it needs, and no others; any other failure ends the sweep.
  void take(std::size_t i, Trash& trash) {
    auto done = take_one(i, trash);
    if (const int number = done ? 0 : done.error().errno_value(); number == EXDEV || number == EBUSY) {
      m_report.skipped.push_back({m_parts[i].part, done.error().summary()});
      keep_needs_of(m_parts[i]);
    } else if (!done && !m_failure) {
      m_failure = std::move(done).error();
    }
  }

  /// They come after it.
  void keep_needs_of(const Part& part) {
    if (keeps_what_it_needs(part.kind)) {
      m_needed.insert(part.needs.begin(), part.needs.end());
    }
  }

  Result<void> take_one(std::size_t i, Trash& trash) {
    const auto path = path_of(m_parts[i]);
    Gone gone{i, path, std::nullopt};
    if (!trash.is_private()) {
      gone.bytes = m_freed.add(path);
    }
    auto taken = trash.take(path);
    if (taken) {
      gone.path = trash.last();
    } else if (is_removable_in_place(m_parts[i], taken.error())) {
      gone.bytes = m_freed.add(path);
      SHEAF_TRY(remove_in_place(path, m_parts[i].kind));
    } else {
      return taken;
    }
    m_gone.push_back(std::move(gone));
    return {};
  }

  /// A folder that lacks room for one more name, or a cache on another disk.
  static bool is_removable_in_place(const Part& part, const Error& why) {
    return why.code() == ErrorCode::no_space || (part.kind == PartKind::cached && why.errno_value() == EXDEV);
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

  void note(const Gone& gone) {
    const auto& part = m_parts[gone.part];
    const auto bytes = gone.bytes ? *gone.bytes : m_freed.add(gone.path);
    m_report.freed += bytes;
    m_report.removed.push_back({part.kind, part.part, part.name, part.last_used, bytes});
  }

  std::string path_of(const Part& part) const { return fmt::format("{}/{}", m_store.root(), part.part); }

  Store& m_store;
  const GcOptions& m_options;
  const std::stop_token& m_stop;
  Freed m_freed;
  std::vector<Part> m_parts;
  std::vector<Gone> m_gone;
  std::unordered_set<std::string> m_needed; ///< by what had to stay
  bool m_has_rows_left = false;
  std::optional<Error> m_failure;
  GcReport m_report;
};

} // namespace

Result<GcReport> collect_garbage(Store& store, const GcOptions& options, const std::stop_token& stop) {
  return Collection(store, options, stop).run();
}

} // namespace sheaf::store
