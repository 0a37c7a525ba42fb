// SPDX-License-Identifier: Apache-2.0
#include "sbom/image_diff.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace sheaf::sbom {
namespace {

using layer::EntryType;

constexpr std::size_t k_block = std::size_t{64} << 10U;

/// Fills the buffer as far as the file goes.
Result<std::string_view> fill(const os::Fd& file, std::string& buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const auto got = ::read(file.get(), buffer.data() + have, buffer.size() - have);
    if (got < 0 && errno != EINTR) {
      return Error::from_errno(errno, "reading");
    }
    if (got == 0) {
      break;
    }
    have += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return std::string_view(buffer).substr(0, have);
}

Result<bool> same_bytes(const os::Fd& a, const os::Fd& b) {
  std::string first(k_block, '\0');
  std::string second(k_block, '\0');
  for (;;) {
    SHEAF_TRY_ASSIGN(const auto one, fill(a, first));
    SHEAF_TRY_ASSIGN(const auto two, fill(b, second));
    if (one != two) {
      return false;
    }
    if (one.empty()) {
      return true;
    }
  }
}

/// By path, what is in a folder right after it.
bool path_less(std::string_view a, std::string_view b) {
  const auto order = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::ranges::lexicographical_compare(a, b, {}, order, order);
}

class FileComparison {
public:
  FileComparison(const TreeStack& before, const TreeStack& after) : m_before(before), m_after(after) {}

  Result<std::vector<FileChange>> run() {
    m_open.emplace_back(m_before.root(), m_after.root());
    while (!m_open.empty()) {
      const auto folders = std::move(m_open.back());
      m_open.pop_back();
      if (!same_trees(folders.first, folders.second)) {
        SHEAF_TRY(compare_folders(folders.first, folders.second));
      }
    }
    std::ranges::sort(m_changes, [](const auto& a, const auto& b) { return path_less(a.path(), b.path()); });
    return std::move(m_changes);
  }

private:
  /// What a folder shows depends on nothing but the trees that fill it.
  bool same_trees(const Folder& a, const Folder& b) const {
    return std::ranges::equal(a.trees, b.trees, [&](std::size_t one, std::size_t two) {
      return m_before.trees()[one] == m_after.trees()[two];
    });
  }

  Result<void> compare_folders(const Folder& a, const Folder& b) {
    SHEAF_TRY_ASSIGN(const auto before, m_before.list(a, Detail::entries));
    SHEAF_TRY_ASSIGN(const auto after, m_after.list(b, Detail::entries));
    auto left = before.begin();
    auto right = after.begin();
    while (left != before.end() || right != after.end()) {
      if (right == after.end() || (left != before.end() && left->entry.path < right->entry.path)) {
        SHEAF_TRY(add_all(m_before, *left++, &FileChange::before));
      } else if (left == before.end() || right->entry.path < left->entry.path) {
        SHEAF_TRY(add_all(m_after, *right++, &FileChange::after));
      } else {
        SHEAF_TRY(compare_entries(*left++, *right++));
      }
    }
    return {};
  }

  /// One side's entry with all that is in it.
  Result<void> add_all(const TreeStack& side, const TreeEntry& entry, std::optional<layer::Entry> FileChange::*which) {
    std::vector<TreeEntry> left{entry};
    while (!left.empty()) {
      const auto next = std::move(left.back());
      left.pop_back();
      FileChange change;
      change.*which = next.entry;
      m_changes.push_back(std::move(change));
      if (next.entry.type == EntryType::directory) {
        SHEAF_TRY_ASSIGN(const auto folder, side.enter(next));
        SHEAF_TRY_ASSIGN(auto inner, side.list(folder, Detail::entries));
        std::ranges::move(inner, std::back_inserter(left));
      }
    }
    return {};
  }

  Result<void> compare_entries(const TreeEntry& a, const TreeEntry& b) {
    const bool both_folders = a.entry.type == EntryType::directory && b.entry.type == EntryType::directory;
    if (both_folders) {
      SHEAF_TRY_ASSIGN(auto one, m_before.enter(a));
      SHEAF_TRY_ASSIGN(auto two, m_after.enter(b));
      m_open.emplace_back(std::move(one), std::move(two));
    } else if (a.entry.type != b.entry.type) {
      SHEAF_TRY(add_contents(m_before, a, &FileChange::before));
      SHEAF_TRY(add_contents(m_after, b, &FileChange::after));
    }
    SHEAF_TRY_ASSIGN(auto aspects, differing(a, b));
    if (!aspects.empty()) {
      m_changes.push_back({a.entry, b.entry, std::move(aspects)});
    }
    return {};
  }

  /// What is in an entry that is a folder on this side only.
  Result<void> add_contents(const TreeStack& side, const TreeEntry& entry,
                            std::optional<layer::Entry> FileChange::*which) {
    if (entry.entry.type != EntryType::directory) {
      return {};
    }
    SHEAF_TRY_ASSIGN(const auto folder, side.enter(entry));
    SHEAF_TRY_ASSIGN(const auto inner, side.list(folder, Detail::entries));
    for (const auto& one : inner) {
      SHEAF_TRY(add_all(side, one, which));
    }
    return {};
  }

  Result<std::vector<Aspect>> differing(const TreeEntry& a, const TreeEntry& b) const {
    std::vector<Aspect> aspects;
    const auto& before = a.entry;
    const auto& after = b.entry;
    const bool same_type = before.type == after.type;
    const auto add = [&](bool differs, Aspect aspect) {
      if (differs) {
        aspects.push_back(aspect);
      }
    };
    add(!same_type, Aspect::type);
    add(before.mode != after.mode && before.type != EntryType::symlink && after.type != EntryType::symlink,
        Aspect::mode);
    add(before.uid != after.uid || before.gid != after.gid, Aspect::owner);
    if (same_type && before.type == EntryType::file) {
      SHEAF_TRY_ASSIGN(const bool same, same_content(a, b));
      add(!same, Aspect::content);
    }
    add(same_type && before.target != after.target, Aspect::target);
    add(before.attributes != after.attributes, Aspect::attributes);
    return aspects;
  }

  Result<bool> same_content(const TreeEntry& a, const TreeEntry& b) const {
    if (a.entry.size != b.entry.size) {
      return false;
    }
    if (a.device == b.device && a.inode == b.inode) {
      return true;
    }
    SHEAF_TRY_ASSIGN(const auto one, m_before.open_file(a));
    SHEAF_TRY_ASSIGN(const auto two, m_after.open_file(b));
    return same_bytes(one, two).context(fmt::format("comparing '/{}'", a.entry.path));
  }

  const TreeStack& m_before;
  const TreeStack& m_after;
  std::vector<std::pair<Folder, Folder>> m_open; ///< still to be compared
  std::vector<FileChange> m_changes;
};

using PackageName = std::tuple<PackageType, std::string, std::string>;
using Versions = std::map<PackageName, std::set<std::string>>;

Versions versions_of(const Packages& packages) {
  Versions versions;
  for (const auto& package : packages.packages) {
    versions[{package.type, package.name, package.architecture}].insert(package.version);
  }
  return versions;
}

std::vector<std::string> only_in(const std::set<std::string>& these, const std::set<std::string>& others) {
  std::vector<std::string> only;
  std::ranges::set_difference(these, others, std::back_inserter(only));
  return only;
}

/// One version that went and one that came are one change; of more nobody can say which is in place of which.
void add_changes(const PackageName& name, const std::set<std::string>& before, const std::set<std::string>& after,
                 std::vector<PackageChange>& changes) {
  const auto removed = only_in(before, after);
  const auto added = only_in(after, before);
  const auto add = [&](std::optional<std::string> from, std::optional<std::string> to) {
    changes.push_back({std::get<0>(name), std::get<1>(name), std::get<2>(name), std::move(from), std::move(to)});
  };
  if (removed.size() == 1 && added.size() == 1) {
    add(removed.front(), added.front());
    return;
  }
  for (const auto& version : removed) {
    add(version, std::nullopt);
  }
  for (const auto& version : added) {
    add(std::nullopt, version);
  }
}

std::vector<PackageChange> package_changes(const Packages& before, const Packages& after) {
  const auto old_versions = versions_of(before);
  auto new_versions = versions_of(after);
  for (const auto& [name, versions] : old_versions) {
    new_versions.try_emplace(name);
  }
  std::vector<PackageChange> changes;
  for (const auto& [name, versions] : new_versions) {
    const auto old = old_versions.find(name);
    add_changes(name, old == old_versions.end() ? std::set<std::string>() : old->second, versions, changes);
  }
  return changes;
}

void add_bytes(ImageDiff& diff) {
  for (const auto& change : diff.files) {
    const bool counts = !change.before || !change.after || change.aspects.front() == Aspect::type ||
                        std::ranges::find(change.aspects, Aspect::content) != change.aspects.end();
    if (counts) {
      diff.bytes_before += change.before ? change.before->size : 0;
      diff.bytes_after += change.after ? change.after->size : 0;
    }
  }
}

} // namespace

std::string_view to_string(Aspect aspect) {
  constexpr std::array<std::string_view, 6> k_names = {"type", "mode", "owner", "content", "target", "attributes"};
  return k_names.at(static_cast<std::size_t>(aspect));
}

Result<ImageDiff> diff_images(const TreeStack& before, const TreeStack& after) {
  ImageDiff diff;
  SHEAF_TRY_ASSIGN(diff.files, FileComparison(before, after).run());
  add_bytes(diff);
  const bool may_differ =
      std::ranges::any_of(diff.files, [](const auto& change) { return names_packages(change.path()); });
  if (may_differ) {
    SHEAF_TRY_ASSIGN(const auto old_packages, find_packages(before));
    SHEAF_TRY_ASSIGN(const auto new_packages, find_packages(after));
    diff.packages = package_changes(old_packages, new_packages);
  }
  return diff;
}

} // namespace sheaf::sbom
