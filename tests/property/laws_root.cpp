// SPDX-License-Identifier: Apache-2.0
#include "property/laws_root.hpp"

#include "base/assert.hpp"
#include "base/text.hpp"
#include "join/driver.hpp"
#include "join/extract.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace sheaf::laws {
namespace {

using layer::EntryType;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool is_directory_in(const Root& root, const std::string& path) {
  const auto found = root.find(path);
  return path.empty() || (found != root.end() && found->second.type == EntryType::directory);
}

void remove_below(Root& root, const std::string& path) {
  root.erase(path);
  const auto first = root.lower_bound(path + "/");
  root.erase(first, root.lower_bound(path + "0")); // '0' follows '/'
}

bool same_node(const Node& a, const Node& b) {
  return std::tie(a.type, a.mode, a.uid, a.gid, a.text, a.attributes) ==
         std::tie(b.type, b.mode, b.uid, b.gid, b.text, b.attributes);
}

std::optional<std::string> text_in(const Root& root, const std::string& path, EntryType type) {
  const auto found = root.find(path);
  return found != root.end() && found->second.type == type ? std::optional(found->second.text) : std::nullopt;
}

/// The text of a shared file for its driver, with the target of the link that belongs to it.
std::optional<std::string> state_in(const Root& root, const std::string& path) {
  auto text = text_in(root, path, EntryType::file);
  const auto& driver = *join::driver_for(path);
  const auto link = driver.state_link(path);
  const auto target = link.empty() ? std::nullopt : text_in(root, link, EntryType::symlink);
  return text && target ? std::optional(driver.with_state_link(*text, *target)) : text;
}

/// What one build did, path by path.
class Capture {
public:
  Capture(const Root& parent, const Root& built, int first_inode)
      : m_parent(parent), m_built(built), m_first(first_inode) {
    for (const auto& [path, node] : built) {
      ++m_names[node.inode];
    }
  }

  Commit run() && {
    for (const auto& [path, node] : m_built) {
      if (join::driver_for(path) != nullptr) {
        m_shared.insert(path);
      } else if (changed(path, node)) {
        keep(path);
      }
    }
    for (const auto& [path, node] : m_parent) {
      if (!m_built.contains(path) && join::driver_for(path) != nullptr) {
        m_shared.insert(path);
      } else if (!m_built.contains(path) && is_directory_in(m_built, folder_of(path))) {
        m_deleted.insert(path);
        keep(folder_of(path));
      }
    }
    list();
    add_facts();
    return std::move(m_commit);
  }

private:
  bool is_own(const Node& node) const { return node.inode >= m_first; }

  /// Is the path in a directory that was removed and made again?
  bool hidden(const std::string& path) const {
    for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
      if (is_own(m_built.at(folder))) {
        return true;
      }
    }
    return false;
  }

  bool changed(const std::string& path, const Node& node) const {
    const auto before = m_parent.find(path);
    if (before == m_parent.end() || hidden(path) || !same_node(node, before->second)) {
      return true;
    }
    return is_own(node) && (node.type == EntryType::directory || m_names.at(node.inode) > 1);
  }

  void keep(const std::string& path) {
    for (auto at = path; !at.empty(); at = folder_of(at)) {
      m_kept.insert(at);
    }
  }

  void list() {
    auto paths = m_kept;
    paths.insert(m_deleted.begin(), m_deleted.end());
    std::map<int, std::string> first;
    for (const auto& path : paths) {
      layer::Entry entry;
      entry.path = path;
      if (m_deleted.contains(path)) {
        entry.type = EntryType::whiteout;
      } else {
        describe(entry, m_built.at(path));
        const auto [group, is_first] = first.emplace(m_built.at(path).inode, path);
        entry.is_hard_link = !is_first;
        entry.target = is_first ? entry.target : group->second;
      }
      m_commit.inventory.entries.push_back(std::move(entry));
    }
  }

  void describe(layer::Entry& entry, const Node& node) {
    entry.type = node.type;
    entry.mode = node.mode;
    entry.uid = node.uid;
    entry.gid = node.gid;
    entry.attributes = node.attributes;
    if (node.type == EntryType::symlink) {
      entry.target = node.text;
    } else if (node.type == EntryType::file) {
      entry.size = node.text.size();
      entry.digest = Digest::of(node.text);
    }
    if (node.type != EntryType::directory) {
      m_commit.texts.emplace(entry.path, node.text);
    }
  }

  void add_facts() {
    for (const auto& path : m_shared) {
      const auto before = state_in(m_parent, path);
      const auto after = state_in(m_built, path);
      if (before == after) {
        continue;
      }
      auto changes = join::extract(*join::driver_for(path), path, before, after);
      SHEAF_ASSERT(changes.has_value());
      std::ranges::move(*changes, std::back_inserter(m_commit.facts.changes));
    }
  }

  const Root& m_parent;
  const Root& m_built;
  int m_first;
  std::map<int, int> m_names;
  std::set<std::string> m_shared;
  std::set<std::string> m_kept;
  std::set<std::string> m_deleted;
  Commit m_commit;
};

/// Keys to values that mean the same if they are equal: lists of members sorted, days left out.
std::map<std::string, std::string> records_of(const std::string& path, const std::string& text) {
  const auto& driver = *join::driver_for(path);
  const auto parsed = driver.parse(path, text);
  SHEAF_ASSERT(parsed.has_value());
  std::map<std::string, std::string> records;
  for (const auto& record : *parsed) {
    auto fields = split(record.value, ':');
    if (path == "etc/shadow" && fields.size() > 2) {
      fields[2] = "";
    }
    auto members = path == "etc/group" ? split(fields.back(), ',') : std::vector<std::string_view>();
    std::ranges::sort(members);
    const auto list = fmt::format("{}", fmt::join(members, ","));
    if (path == "etc/group") {
      fields.back() = list;
    }
    records.emplace(record.key, driver.name() == "accounts" ? fmt::format("{}", fmt::join(fields, ":")) : record.value);
  }
  return records;
}

std::string describe(const Node& node) {
  auto text = fmt::format("{} {:o} {}:{} {}", static_cast<char>(node.type), node.mode, node.uid, node.gid,
                          fmt::join(split(node.text, '\n'), "|"));
  for (const auto& [name, value] : node.attributes) {
    text += fmt::format(" {}={}", name, value);
  }
  return text;
}

/// The other names of the file at `path`.
std::set<std::string> names_beside(const Root& root, const Node& node) {
  std::set<std::string> names;
  for (const auto& [path, other] : root) {
    if (other.inode == node.inode) {
      names.insert(path);
    }
  }
  return names;
}

} // namespace

const Node* Workbench::find(const std::string& path) const {
  const auto found = m_root.find(path);
  return found == m_root.end() ? nullptr : &found->second;
}

bool Workbench::is_file(const std::string& path) const {
  const auto* node = find(path);
  return node != nullptr && node->type == EntryType::file;
}

bool Workbench::is_directory(const std::string& path) const { return is_directory_in(m_root, path); }

std::string Workbench::text(const std::string& path) const {
  const auto* node = find(path);
  return node == nullptr ? std::string() : node->text;
}

std::vector<std::string> Workbench::below(const std::string& path) const {
  std::vector<std::string> paths;
  if (m_root.contains(path)) {
    paths.push_back(path);
  }
  for (auto at = m_root.lower_bound(path + "/"); at != m_root.end() && at->first.starts_with(path + "/"); ++at) {
    paths.push_back(at->first);
  }
  return paths;
}

void Workbench::make_directory(const std::string& path) {
  if (path.empty() || is_directory(path)) {
    return;
  }
  place(path, EntryType::directory, 0755);
}

void Workbench::write(const std::string& path, const std::string& text) {
  if (!is_file(path)) {
    place(path, EntryType::file, 0644);
  }
  change(path, [&](Node& node) { node.text = text; });
}

void Workbench::link_symbolically(const std::string& path, const std::string& target) {
  place(path, EntryType::symlink, 0777).text = target;
}

void Workbench::link(const std::string& old, const std::string& path) {
  if (!is_file(old) || old == path) {
    return;
  }
  own(m_root.at(old));
  const auto node = m_root.at(old);
  place(path, EntryType::file, 0644) = node;
}

void Workbench::remove(const std::string& path) { remove_below(m_root, path); }

void Workbench::own(Node& node) {
  // A directory that is copied up is still the same directory, merged with those below.
  if (node.inode < m_first && node.type != EntryType::directory) {
    node.inode = m_next++;
  }
}

std::vector<Node*> Workbench::names_of(const Node& node) {
  std::vector<Node*> names;
  for (auto& [path, other] : m_root) {
    if (other.inode == node.inode) {
      names.push_back(&other);
    }
  }
  return names;
}

Node& Workbench::place(const std::string& path, EntryType type, unsigned mode) {
  make_directory(folder_of(path));
  remove_below(m_root, path);
  auto& node = m_root[path];
  node.type = type;
  node.mode = mode;
  // Whoever runs the tests stands for root: the base is on disk, and the join looks at its directories.
  node.uid = geteuid();
  node.gid = getegid();
  node.inode = m_next++;
  return node;
}

Commit commit(const Root& parent, const Root& built, int first_inode) {
  return Capture(parent, built, first_inode).run();
}

void mount_on(Root& root, const Commit& layer, int first_inode) {
  std::map<std::string, int> inodes;
  for (const auto& entry : layer.inventory.entries) {
    if (entry.type != EntryType::directory || !is_directory_in(root, entry.path)) {
      remove_below(root, entry.path);
    }
    if (entry.type == EntryType::whiteout) {
      continue;
    }
    auto& node = root[entry.path];
    const bool merged = node.inode != 0;
    node.type = entry.type;
    node.mode = entry.mode;
    node.uid = entry.uid;
    node.gid = entry.gid;
    node.attributes = entry.attributes;
    const auto text = layer.texts.find(entry.path);
    node.text = text == layer.texts.end() ? std::string() : text->second;
    if (!merged) {
      node.inode = entry.is_hard_link ? inodes.at(entry.target) : first_inode++;
    }
    inodes.emplace(entry.path, node.inode);
  }
}

std::string differences(const Root& composed, const Root& sequential) {
  std::set<std::string> paths;
  for (const auto* root : {&composed, &sequential}) {
    std::ranges::transform(*root, std::inserter(paths, paths.end()), [](const auto& entry) { return entry.first; });
  }
  std::string text;
  for (const auto& path : paths) {
    const auto one = composed.find(path);
    const auto two = sequential.find(path);
    if (one == composed.end() || two == sequential.end()) {
      const auto& only = one == composed.end() ? two->second : one->second;
      // A join cannot remove a database, but a group of alternatives without choices is none.
      if (join::driver_for(path) != nullptr && only.text.empty()) {
        continue;
      }
      text += fmt::format("{}: only {}\n", path, one == composed.end() ? "sequential" : "composed");
      continue;
    }
    auto a = one->second;
    auto b = two->second;
    if (join::driver_for(path) != nullptr && records_of(path, a.text) == records_of(path, b.text)) {
      a.text = b.text;
    }
    if (!same_node(a, b)) {
      text += fmt::format("{}: composed {}\n{}: sequential {}\n", path, describe(a), path, describe(b));
    } else if (!std::ranges::includes(names_beside(composed, a), names_beside(sequential, b))) {
      // A change that was none takes a name out of its group in a sequential build; capture drops such a change.
      text += fmt::format("{}: names of one file differ\n", path);
    }
  }
  return text;
}

} // namespace sheaf::laws
