// SPDX-License-Identifier: Apache-2.0
#include "builder/rebuild.hpp"

#include "join/facts.hpp"
#include "layer/inventory.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include <tuple>

namespace sheaf::builder {
namespace {

/// Longer than the tick of any kernel: CONFIG_HZ is at least 100.
constexpr auto k_tick = std::chrono::milliseconds(12);

WallTime to_wall_time(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

Result<void> walk(const os::Fd& folder, const std::string& prefix, std::map<std::string, WallTime>& times) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder));
  for (const auto& entry : entries) {
    struct stat info {};
    if (fstatat(folder.get(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno(errno, fmt::format("looking at '{}{}'", prefix, entry.name));
    }
    times[prefix + entry.name] = to_wall_time(info.st_ctim);
    if (S_ISDIR(info.st_mode)) {
      SHEAF_TRY_ASSIGN(const auto inner, os::open_at(folder, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      SHEAF_TRY(walk(inner, prefix + entry.name + "/", times));
    }
  }
  return {};
}

/// What is not there itself (hidden by an opaque directory, deleted with its folder) was changed with its folder.
std::optional<std::size_t> step_of(std::string path, const Rebuilt& rebuilt) {
  for (;;) {
    if (const auto found = rebuilt.written.find(path); found != rebuilt.written.end()) {
      return step_at(found->second, rebuilt.step_starts);
    }
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
      return std::nullopt;
    }
    path.resize(slash);
  }
}

std::string change_of(const layer::Entry& before, const layer::Entry& now) {
  if (before.type != now.type) {
    return fmt::format("type {} before, {} now", static_cast<char>(before.type), static_cast<char>(now.type));
  }
  if (before.mode != now.mode) {
    return fmt::format("mode {:04o} before, {:04o} now", before.mode, now.mode);
  }
  if (std::tie(before.uid, before.gid) != std::tie(now.uid, now.gid)) {
    return fmt::format("owner {}:{} before, {}:{} now", before.uid, before.gid, now.uid, now.gid);
  }
  if (before.size != now.size) {
    return fmt::format("contents: {} bytes before, {} now", before.size, now.size);
  }
  if (before.digest != now.digest) {
    return "contents";
  }
  if (std::tie(before.target, before.is_hard_link) != std::tie(now.target, now.is_hard_link)) {
    return fmt::format("link to '{}' before, '{}' now", before.target, now.target);
  }
  if (before.attributes != now.attributes) {
    return "extended attributes";
  }
  return fmt::format("time {} before, {} now", before.mtime, now.mtime);
}

/// Calls `only_a`, `only_b` or `both` for each element of two sequences sorted by `less`.
template <class Range, class Less, class OnlyA, class OnlyB, class Both>
Result<void> match(const Range& a, const Range& b, Less less, OnlyA only_a, OnlyB only_b, Both both) {
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() || right != b.end()) {
    if (right == b.end() || (left != a.end() && less(*left, *right))) {
      SHEAF_TRY(only_a(*left++));
    } else if (left == a.end() || less(*right, *left)) {
      SHEAF_TRY(only_b(*right++));
    } else {
      SHEAF_TRY(both(*left++, *right++));
    }
  }
  return {};
}

class Comparison {
public:
  explicit Comparison(const Rebuilt& rebuilt) : m_rebuilt(rebuilt) {}

  Result<void> inventories(std::string_view before, std::string_view now) {
    SHEAF_TRY_ASSIGN(const auto a, layer::split_inventory(before));
    SHEAF_TRY_ASSIGN(const auto b, layer::split_inventory(now));
    const auto less = [](const auto& one, const auto& other) { return one.path < other.path; };
    return match(
        a, b, less, [&](const auto& line) { return add_line(line, "only in the stored layer"); },
        [&](const auto& line) { return add_line(line, "only in the layer built now"); },
        [&](const auto& one, const auto& other) -> Result<void> {
          if (one.attributes == other.attributes) {
            return {};
          }
          SHEAF_TRY_ASSIGN(const auto old_entry, layer::decode(one));
          SHEAF_TRY_ASSIGN(const auto new_entry, layer::decode(other));
          return add_line(other, change_of(old_entry, new_entry));
        });
  }

  Result<void> facts(std::string_view before, std::string_view now) {
    SHEAF_TRY_ASSIGN(const auto a, join::parse_facts(before));
    SHEAF_TRY_ASSIGN(const auto b, join::parse_facts(now));
    const auto less = [](const auto& one, const auto& other) {
      return std::tie(one.file, one.key) < std::tie(other.file, other.key);
    };
    return match(
        a.changes, b.changes, less, [&](const auto& change) { return add(change, "fact only in the stored layer"); },
        [&](const auto& change) { return add(change, "fact only in the layer built now"); },
        [&](const auto& one, const auto& other) {
          return one == other ? Result<void>() : add(other, "another value of a fact");
        });
  }

  std::vector<BuildDifference> take() && {
    m_files.insert(m_files.end(), m_directories.begin(), m_directories.end());
    m_files.insert(m_files.end(), m_facts.begin(), m_facts.end());
    return std::move(m_files);
  }

private:
  Result<void> add_line(const layer::InventoryLine& line, std::string what) {
    SHEAF_TRY_ASSIGN(auto path, layer::unescape_path(line.path));
    const auto step = step_of(path, m_rebuilt);
    auto& list = line.type == layer::EntryType::directory ? m_directories : m_files;
    list.push_back({std::move(path), "", std::move(what), step});
    return {};
  }

  Result<void> add(const join::RecordChange& change, std::string what) {
    m_facts.push_back({change.file, change.key, std::move(what), step_of(change.file, m_rebuilt)});
    return {};
  }

  const Rebuilt& m_rebuilt;
  std::vector<BuildDifference> m_files;
  std::vector<BuildDifference> m_directories;
  std::vector<BuildDifference> m_facts;
};

} // namespace

WallTime separate_steps() {
  std::this_thread::sleep_for(k_tick);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::this_thread::sleep_for(k_tick);
  return to_wall_time(now);
}

Result<std::map<std::string, WallTime>> change_times(const std::string& tree) {
  std::map<std::string, WallTime> times;
  SHEAF_TRY_ASSIGN(const auto root, os::open(tree, O_RDONLY | O_DIRECTORY));
  SHEAF_TRY(walk(root, "", times).context("noting when the steps wrote what"));
  return times;
}

std::optional<std::size_t> step_at(WallTime time, const std::vector<WallTime>& step_starts) {
  const auto next = std::ranges::upper_bound(step_starts, time);
  return next == step_starts.begin()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(std::distance(step_starts.begin(), next)) - 1);
}

Result<std::vector<BuildDifference>> compare_builds(std::string_view stored_inventory, std::string_view stored_facts,
                                                    const Rebuilt& rebuilt) {
  Comparison comparison(rebuilt);
  SHEAF_TRY(comparison.inventories(stored_inventory, rebuilt.inventory));
  SHEAF_TRY(comparison.facts(stored_facts, rebuilt.facts));
  return std::move(comparison).take();
}

} // namespace sheaf::builder
