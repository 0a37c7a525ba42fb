// SPDX-License-Identifier: Apache-2.0
#include "layer/capture.hpp"

#include "layer/file_digest.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "os/xattr.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <unordered_map>

namespace sheaf::layer {
namespace {

using os::Fd;

std::optional<struct stat> look(const Fd& folder, const std::string& name) {
  struct stat info {};
  if (!folder || fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return info;
}

bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

bool same_metadata(const struct stat& a, const struct stat& b) {
  return a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid;
}

Result<bool> same_content(const Fd& a_folder, const Fd& b_folder, const std::string& name) {
  SHEAF_TRY_ASSIGN(const Fd a, os::open_at(a_folder, name, O_RDONLY | O_NOFOLLOW));
  SHEAF_TRY_ASSIGN(const Fd b, os::open_at(b_folder, name, O_RDONLY | O_NOFOLLOW));
  SHEAF_TRY_ASSIGN(const auto one, digest_of(a));
  SHEAF_TRY_ASSIGN(const auto two, digest_of(b));
  return one == two;
}

EntryType type_of(const struct stat& info) {
  switch (info.st_mode & S_IFMT) {
  case S_IFDIR:
    return EntryType::directory;
  case S_IFLNK:
    return EntryType::symlink;
  case S_IFCHR:
    return is_whiteout(info) ? EntryType::whiteout : EntryType::character_device;
  case S_IFBLK:
    return EntryType::block_device;
  case S_IFIFO:
    return EntryType::fifo;
  default:
    return EntryType::file;
  }
}

/// One directory of the upper tree, beside the same directory of the parent view if that has it.
struct Folder {
  const Fd& upper;
  const Fd& parent;
  /// Root-relative with a trailing slash; empty for the root.
  std::string prefix;
  /// The upper directory stands instead of the parent's, not merged with it.
  bool hides_parent = false;
};

class Capture {
public:
  explicit Capture(const CaptureOptions& options) : m_options(options), m_marks(os::overlay_prefix()) {}

  Result<void> walk(const Folder& folder);
  /// After the walk of `root`.
  Result<void> add_digests(const Fd& root);
  Captured take() &&;

private:
  Result<void> visit(const Folder& folder, const std::string& name);
  Result<void> visit_whiteout(const Folder& folder, const std::string& name);
  Result<void> visit_directory(const Folder& folder, const std::string& name, const struct stat& info);
  Result<void> visit_other(const Folder& folder, const std::string& name, const struct stat& info);
  Result<void> add_hidden(const Folder& folder, const std::set<std::string>& present);
  Result<bool> drop_noise(const Folder& folder, const std::string& name, const struct stat& info);
  Result<bool> drop_generated(const Folder& folder, const std::string& name, const struct stat& info);
  Result<bool> is_generated(const Fd& folder, const std::string& prefix, const std::string& name, bool is_link) const;
  Result<bool> take_shared_state(const Folder& folder, const std::string& name, const struct stat& info);
  Result<bool> unchanged(const Folder& folder, const std::string& name, const struct stat& info) const;
  Result<std::map<std::string, std::string>> clean_attributes(const Fd& folder, const std::string& name);
  Result<void> clamp(const Fd& folder, const std::string& name, struct stat& info) const;
  Result<Entry> describe(const Folder& folder, const std::string& name, struct stat info);
  void add_whiteout(const std::string& path);

  const CaptureOptions& m_options;
  std::string m_marks;
  Captured m_result;
  std::unordered_map<ino_t, std::size_t> m_first_link; ///< inode to index of its first entry
};

Result<void> remove_entry(const Fd& folder, const std::string& name) {
  // Through the folder's magic link: remove_all takes a path, and this one cannot be swapped under us.
  return os::remove_all(fmt::format("/proc/self/fd/{}/{}", folder.get(), name));
}

Result<bool> Capture::drop_noise(const Folder& folder, const std::string& name, const struct stat& info) {
  std::string target;
  if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY_ASSIGN(target, os::read_link_at(folder.upper, name));
  }
  const auto what = S_ISDIR(info.st_mode) ? PathIs::directory : S_ISLNK(info.st_mode) ? PathIs::link : PathIs::other;
  const auto* rule = m_options.rules.dropping(folder.prefix + name, what, target);
  if (rule == nullptr && !S_ISSOCK(info.st_mode)) {
    return false;
  }
  static const CaptureRule k_socket{"", "runtime", "a socket of a process that is gone"};
  rule = rule != nullptr ? rule : &k_socket;
  auto& count = m_result.dropped.try_emplace(rule->path, Dropped{rule->kind, 0}).first->second;
  ++count.entries;
  SHEAF_TRY(remove_entry(folder.upper, name));
  return true;
}

/// `folder` is where the entry lies: of the upper tree, or of the parent for what is deleted.
Result<bool> Capture::is_generated(const Fd& folder, const std::string& prefix, const std::string& name,
                                   bool is_link) const {
  if (!m_options.is_generated) {
    return false;
  }
  std::optional<std::string> target;
  if (is_link) {
    SHEAF_TRY_ASSIGN(target, os::read_link_at(folder, name));
  }
  return m_options.is_generated(prefix + name, target);
}

Result<bool> Capture::drop_generated(const Folder& folder, const std::string& name, const struct stat& info) {
  const auto deleted = is_whiteout(info) ? look(folder.parent, name) : std::nullopt;
  const bool is_link = S_ISLNK(deleted ? deleted->st_mode : info.st_mode);
  SHEAF_TRY_ASSIGN(const bool generated,
                   is_generated(deleted ? folder.parent : folder.upper, folder.prefix, name, is_link));
  if (!generated) {
    return false;
  }
  auto& dropped = m_result.dropped["generated"];
  dropped.kind = "generated";
  ++dropped.entries;
  SHEAF_TRY(remove_entry(folder.upper, name));
  return true;
}

Result<bool> Capture::take_shared_state(const Folder& folder, const std::string& name, const struct stat& info) {
  const auto path = folder.prefix + name;
  if (!m_options.is_shared_state || !m_options.is_shared_state(path)) {
    return false;
  }
  if (is_whiteout(info)) {
    m_result.shared_state.emplace(path, std::nullopt);
  } else if (S_ISREG(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const Fd file, os::open_at(folder.upper, name, O_RDONLY | O_NOFOLLOW));
    SHEAF_TRY_ASSIGN(auto content, os::read_all(file));
    m_result.shared_state.emplace(path, std::move(content));
  } else {
    return false;
  }
  SHEAF_TRY(remove_entry(folder.upper, name));
  return true;
}

void Capture::add_whiteout(const std::string& path) {
  Entry entry;
  entry.path = path;
  entry.type = EntryType::whiteout;
  m_result.inventory.entries.push_back(std::move(entry));
}

Result<void> Capture::visit_whiteout(const Folder& folder, const std::string& name) {
  if (!folder.hides_parent && look(folder.parent, name)) {
    add_whiteout(folder.prefix + name);
    return {};
  }
  // Nothing is there to delete: the file was made and removed within the build.
  return remove_entry(folder.upper, name);
}

/// A directory that replaced the parent's hides all that the parent has there. Said by name, entry by entry, so that
/// what a sibling layer adds to that directory stays visible.
Result<void> Capture::add_hidden(const Folder& folder, const std::set<std::string>& present) {
  if (!folder.hides_parent || !folder.parent) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const auto below, os::list_directory(folder.parent));
  for (const auto& entry : below) {
    const auto path = folder.prefix + entry.name;
    const auto what = entry.type == DT_DIR ? PathIs::directory : entry.type == DT_LNK ? PathIs::link : PathIs::other;
    if (present.contains(entry.name) || m_options.rules.dropping(path, what) != nullptr) {
      continue;
    }
    if (m_options.is_shared_state && m_options.is_shared_state(path)) {
      m_result.shared_state.emplace(path, std::nullopt);
      continue;
    }
    SHEAF_TRY_ASSIGN(const bool generated,
                     is_generated(folder.parent, folder.prefix, entry.name, entry.type == DT_LNK));
    if (generated) {
      continue;
    }
    if (mknodat(folder.upper.get(), entry.name.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
      return Error::from_errno(errno, fmt::format("marking '{}' as deleted", path));
    }
    add_whiteout(path);
  }
  return {};
}

Result<std::map<std::string, std::string>> Capture::clean_attributes(const Fd& folder, const std::string& name) {
  SHEAF_TRY_ASSIGN(auto attributes, os::attributes_at(folder, name));
  for (auto at = attributes.begin(); at != attributes.end();) {
    if (!at->first.starts_with(m_marks)) {
      ++at;
      continue;
    }
    SHEAF_TRY(os::remove_attribute_at(folder, name, at->first));
    at = attributes.erase(at);
  }
  return attributes;
}

Result<void> Capture::clamp(const Fd& folder, const std::string& name, struct stat& info) const {
  const bool whole = info.st_mtim.tv_nsec == 0;
  if (info.st_mtim.tv_sec <= m_options.epoch && whole) {
    return {};
  }
  info.st_mtim = {std::min<time_t>(info.st_mtim.tv_sec, m_options.epoch), 0};
  const std::array<timespec, 2> times = {{info.st_mtim, info.st_mtim}};
  if (utimensat(folder.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::from_errno(errno, fmt::format("setting the time of '{}'", name));
  }
  return {};
}

Result<Entry> Capture::describe(const Folder& folder, const std::string& name, struct stat info) {
  Entry entry;
  entry.path = folder.prefix + name;
  entry.type = type_of(info);
  entry.mode = info.st_mode & 07777U;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  SHEAF_TRY_ASSIGN(entry.attributes, clean_attributes(folder.upper, name));
  if (entry.type == EntryType::symlink) {
    SHEAF_TRY_ASSIGN(entry.target, os::read_link_at(folder.upper, name));
  } else if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    entry.target = fmt::format("{}:{}", major(info.st_rdev), minor(info.st_rdev));
  } else if (entry.type == EntryType::file) {
    entry.size = static_cast<std::uint64_t>(info.st_size); // the digest comes later, see add_digests
  }
  SHEAF_TRY(clamp(folder.upper, name, info));
  entry.mtime = info.st_mtim.tv_sec;
  return entry;
}

/// Copied up by overlayfs for a change that was undone, or opened for writing and left alone.
Result<bool> Capture::unchanged(const Folder& folder, const std::string& name, const struct stat& info) const {
  const auto before = folder.hides_parent ? std::nullopt : look(folder.parent, name);
  if (!before || !same_metadata(info, *before) || info.st_nlink > 1) {
    return false;
  }
  if (S_ISLNK(info.st_mode)) {
    SHEAF_TRY_ASSIGN(const auto now, os::read_link_at(folder.upper, name));
    SHEAF_TRY_ASSIGN(const auto then, os::read_link_at(folder.parent, name));
    return now == then;
  }
  if (!S_ISREG(info.st_mode) || info.st_size != before->st_size) {
    return false;
  }
  SHEAF_TRY_ASSIGN(auto now, os::attributes_at(folder.upper, name));
  std::erase_if(now, [this](const auto& attribute) { return attribute.first.starts_with(m_marks); });
  SHEAF_TRY_ASSIGN(const auto then, os::attributes_at(folder.parent, name));
  return now == then ? same_content(folder.upper, folder.parent, name) : Result<bool>(false);
}

Result<void> Capture::visit_other(const Folder& folder, const std::string& name, const struct stat& info) {
  SHEAF_TRY_ASSIGN(const bool same, unchanged(folder, name, info));
  if (same) {
    return remove_entry(folder.upper, name);
  }
  auto& entries = m_result.inventory.entries;
  if (info.st_nlink > 1) {
    if (const auto first = m_first_link.find(info.st_ino); first != m_first_link.end()) {
      auto entry = entries[first->second];
      entry.target = entry.path;
      entry.path = folder.prefix + name;
      entry.is_hard_link = true;
      entries.push_back(std::move(entry));
      return {};
    }
    m_first_link.emplace(info.st_ino, entries.size());
  }
  SHEAF_TRY_ASSIGN(auto entry, describe(folder, name, info));
  entries.push_back(std::move(entry));
  return {};
}

Result<void> Capture::visit_directory(const Folder& folder, const std::string& name, const struct stat& info) {
  const auto before = look(folder.parent, name);
  const bool merges = before && S_ISDIR(before->st_mode);
  SHEAF_TRY_ASSIGN(const auto marks, os::attributes_at(folder.upper, name));
  const auto opaque = marks.find(m_marks + "opaque");
  SHEAF_TRY_ASSIGN(const Fd upper, os::open_at(folder.upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  Fd parent;
  if (merges) {
    SHEAF_TRY_ASSIGN(parent, os::open_at(folder.parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }
  const Folder inner{upper, parent, folder.prefix + name + "/",
                     folder.hides_parent || (opaque != marks.end() && opaque->second != "x")};
  const auto place = m_result.inventory.entries.size();
  SHEAF_TRY_ASSIGN(auto entry, describe(folder, name, info));
  m_result.inventory.entries.push_back(entry);
  SHEAF_TRY(walk(inner).context(folder.prefix.empty() ? "capturing '/" + name + "'" : name));
  auto& entries = m_result.inventory.entries;
  const bool is_empty = entries.size() == place + 1;
  if (is_empty && merges && !inner.hides_parent && same_metadata(info, *before)) {
    SHEAF_TRY_ASSIGN(const auto attributes, os::attributes_at(folder.parent, name));
    if (attributes == entry.attributes) {
      entries.pop_back();
      return remove_entry(folder.upper, name);
    }
  }
  // "Directory times follow contents": the newest of what the layer has in it, or the epoch for an empty one.
  std::int64_t newest = 0;
  for (std::size_t i = place + 1; i < entries.size(); ++i) {
    newest = std::max(newest, entries[i].mtime);
  }
  newest = newest == 0 ? m_options.epoch : newest; // nothing in it, or nothing but deletions, which have no time
  entries[place].mtime = newest;
  const std::array<timespec, 2> times = {{{newest, 0}, {newest, 0}}};
  if (futimens(upper.get(), times.data()) != 0) {
    return Error::from_errno(errno, fmt::format("setting the time of '{}'", inner.prefix));
  }
  return {};
}

Result<void> Capture::visit(const Folder& folder, const std::string& name) {
  const auto info = look(folder.upper, name);
  if (!info) {
    return Error::from_errno(errno, fmt::format("looking at '{}{}'", folder.prefix, name));
  }
  SHEAF_TRY_ASSIGN(const bool noise, drop_noise(folder, name, *info));
  if (noise) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const bool shared, take_shared_state(folder, name, *info));
  if (shared) {
    return {};
  }
  SHEAF_TRY_ASSIGN(const bool generated, drop_generated(folder, name, *info));
  if (generated) {
    return {};
  }
  if (is_whiteout(*info)) {
    return visit_whiteout(folder, name);
  }
  return S_ISDIR(info->st_mode) ? visit_directory(folder, name, *info) : visit_other(folder, name, *info);
}

Result<void> Capture::walk(const Folder& folder) {
  SHEAF_TRY_ASSIGN(const auto entries, os::list_directory(folder.upper));
  std::set<std::string> present;
  for (const auto& entry : entries) {
    if (folder.hides_parent) {
      present.insert(entry.name);
    }
    SHEAF_TRY(visit(folder, entry.name));
  }
  return add_hidden(folder, present);
}

/// The first name of an inode in the inventory is the file, the later ones are links to it.
void order_links(std::vector<Entry>& entries) {
  std::unordered_map<std::string, std::size_t> first;
  std::unordered_map<std::string, std::string> group_of; // name of the file as walked, by path
  for (const auto& entry : entries) {
    if (entry.is_hard_link) {
      group_of[entry.path] = entry.target;
      group_of[entry.target] = entry.target;
    }
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto group = group_of.find(entries[i].path);
    if (group == group_of.end()) {
      continue;
    }
    const auto [place, is_first] = first.emplace(group->second, i);
    entries[i].is_hard_link = !is_first;
    entries[i].target = is_first ? std::string() : entries[place->second].path;
  }
}

/// By escaped path; each path is escaped once, not at every comparison.
void sort_by_path(std::vector<Entry>& entries) {
  std::vector<std::pair<std::string, std::size_t>> order;
  order.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    order.emplace_back(escape_path(entries[i].path), i);
  }
  std::ranges::sort(order);
  std::vector<Entry> sorted;
  sorted.reserve(entries.size());
  for (const auto& [path, i] : order) {
    sorted.push_back(std::move(entries[i]));
  }
  entries = std::move(sorted);
}

Result<void> Capture::add_digests(const Fd& root) { return layer::add_digests(root, m_result.inventory.entries); }

Captured Capture::take() && {
  sort_by_path(m_result.inventory.entries);
  order_links(m_result.inventory.entries);
  return std::move(m_result);
}

} // namespace

Result<Captured> capture(const std::string& upper, const ParentView& parent, const CaptureOptions& options) {
  SHEAF_TRY_ASSIGN(const Fd root, os::open(upper, O_RDONLY | O_DIRECTORY));
  Capture run(options);
  // The mount's own marks on the root (overlay.uuid and others) belong to the mount, not to the layer.
  SHEAF_TRY_ASSIGN(const auto marks, os::attributes_at(root, "."));
  for (const auto& [name, value] : marks) {
    if (name.starts_with(os::overlay_prefix())) {
      SHEAF_TRY(os::remove_attribute_at(root, ".", name));
    }
  }
  SHEAF_TRY(run.walk({root, parent.root(), "", false}));
  SHEAF_TRY(run.add_digests(root).context("capturing"));
  return std::move(run).take();
}

} // namespace sheaf::layer
