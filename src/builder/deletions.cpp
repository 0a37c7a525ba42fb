// SPDX-License-Identifier: Apache-2.0
#include "builder/deletions.hpp"

#include "base/text.hpp"
#include "os/file.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <system_error>

namespace sheaf::builder {
namespace {

constexpr std::size_t k_most_named = 5;

/// Databases in which a package manager says that it removed, replaced or moved what was there before.
constexpr std::array<std::string_view, 5> k_databases = {"var/lib/dpkg/status", "var/lib/dpkg/diversions",
                                                         "lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite",
                                                         "usr/lib/sysimage/rpm/rpmdb.sqlite"};

bool packages_changed(const join::Facts& facts) {
  return std::ranges::any_of(facts.changes, [](const join::RecordChange& change) {
    const bool is_database = std::ranges::find(k_databases, change.file) != k_databases.end();
    // A diversion moves a file away when it is added, a package removes files when it goes or changes.
    return is_database && (change.before || change.file.ends_with("diversions"));
  });
}

/// The links of update-alternatives come and go with the choice: the groups are joined, and the links follow.
bool alternatives_changed(const join::Facts& facts) {
  return std::ranges::any_of(facts.changes, [](const join::RecordChange& change) {
    return change.file.starts_with("var/lib/dpkg/alternatives/");
  });
}

bool is_alternatives_link(const std::string& path, const std::string& owner_tree) {
  constexpr std::string_view k_folder = "etc/alternatives/";
  if (path.starts_with(k_folder)) {
    return true;
  }
  std::error_code none;
  const auto target = std::filesystem::read_symlink(owner_tree + "/" + path, none);
  return !none && target.string().starts_with(fmt::format("/{}", k_folder));
}

/// The layer that shows `path` to those above it: the topmost that has it; null if none has.
const store::StoredLayer* owner_of(const std::string& path, const std::vector<store::StoredLayer>& closure) {
  const auto found = std::find_if(closure.rbegin(), closure.rend(),
                                  [&](const auto& layer) { return os::exists(layer.tree() + "/" + path); });
  return found == closure.rend() ? nullptr : &*found;
}

/// Is there an entry in the folder? What else stands at its path takes all of them away.
bool has_entries(const std::string& folder) {
  const auto root = os::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const auto entries = root ? os::list_directory(*root) : Result<std::vector<os::DirectoryEntry>>(root.error());
  return entries && !entries->empty();
}

} // namespace

Result<void> check_deletions(const plan::LayerPlan& plan, const layer::Inventory& inventory, const join::Facts& facts,
                             const std::vector<store::StoredLayer>& closure) {
  // The project layer is built on the whole environment, and nothing is joined beside it.
  if (plan.kind == "project" || packages_changed(facts)) {
    return {};
  }
  const bool alternatives = alternatives_changed(facts);
  std::vector<std::string> lines;
  std::string owner;
  for (const auto& entry : inventory.entries) {
    if (entry.type == layer::EntryType::directory) {
      continue;
    }
    const auto* theirs = owner_of(entry.path, closure);
    if (theirs == nullptr || std::ranges::find(plan.replaces, theirs->record.name) != plan.replaces.end() ||
        (alternatives && is_alternatives_link(entry.path, theirs->tree()))) {
      continue;
    }
    const bool deletes = entry.type == layer::EntryType::whiteout;
    if (deletes || has_entries(theirs->tree() + "/" + entry.path)) {
      lines.push_back(
          fmt::format("  '/{}'{} of layer '{}'", entry.path, deletes ? "" : ", a folder", theirs->record.name));
      owner = theirs->record.name;
    }
  }
  if (lines.empty()) {
    return {};
  }
  const auto count = lines.size();
  if (count > k_most_named) {
    lines.resize(k_most_named);
    lines.push_back(fmt::format("  … and {} more", count - k_most_named));
  }
  return Error(ErrorCode::invalid, fmt::format("layer '{}' deletes what belongs to other layers", plan.name))
      .with_details(joined(lines, "\n"))
      .with_hint(fmt::format("if it is meant to, declare it in its layer.yml: 'replaces: [{}]'", owner));
}

} // namespace sheaf::builder
